"""Reads pages as a person does: follows what a form really holds, and sees only what is shown."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.logins import open_web_login
from jobboard.settings import Settings
from jobboard.web.cookies import LOGIN
from tests.factories.people import User

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
Fields = dict[str, list[str]]


@dataclass
class FoundForm:
    """A form of a page, with what stands in it."""

    action: str
    method: str
    fields: Fields = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)  # name and value


class _Page(HTMLParser):
    """Forms with their values, and the words that one sees."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FoundForm] = []
        self.words: list[str] = []
        self._form: FoundForm | None = None
        self._open: list[str] = []  # the select or textarea that is open: its name
        self._typed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = FoundForm(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        elif tag in {"select", "textarea"}:
            self._open = [given.get("name", "")]
            self._typed = []
        elif self._form is not None:
            self._field(self._form, tag, given)

    def _field(self, form: FoundForm, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "button" and name:
            form.buttons.append((name, given.get("value", "")))
        elif tag == "option" and self._open:
            values = form.fields.setdefault(self._open[0], [given["value"]])
            if "selected" in given:
                values[:] = [given["value"]]
        elif tag == "input" and name:
            ticks = given.get("type") in {"checkbox", "radio"}
            if (not ticks or "checked" in given) and given.get("type") != "file":
                form.fields.setdefault(name, []).append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self._typed.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._form is not None:
            text = "".join(self._typed).removeprefix("\n")
            self._form.fields[self._open[0]] = [text]
        if tag in {"select", "textarea"}:
            self._open = []


@dataclass
class Page:
    """An answer, read."""

    status: int
    html: str
    location: str
    forms: list[FoundForm]
    text: str
    headers: httpx2.Headers

    def form(self, action: str) -> FoundForm:
        """The form that is sent to this address. Fails where there is none."""
        found = [form for form in self.forms if form.action.split("?")[0] == action]
        assert found, f"no form to {action}; there are {[form.action for form in self.forms]}"
        return found[0]

    def offers(self, action: str) -> bool:
        """Whether a form is sent to this address."""
        return any(form.action == action for form in self.forms)


def read(answer: httpx2.Response) -> Page:
    """What a person gets to see of an answer."""
    parser = _Page()
    parser.feed(answer.text)
    text = re.sub(r"\s+", " ", " ".join(parser.words))
    location = answer.headers.get("location", "")
    return Page(answer.status_code, answer.text, location, parser.forms, text, answer.headers)


class Browser:
    """One person's browser, logged in or not."""

    def __init__(self, client: httpx2.AsyncClient, token: str = "") -> None:
        self._client = client
        self._cookies = {LOGIN: token} if token else {}

    async def get(self, path: str) -> Page:
        """Open a page. Redirects are not followed."""
        return read(await self._send("GET", path))

    async def post(self, path: str, data: dict[str, Any], **more: Any) -> Page:
        """Send a form as it is given here, token and all."""
        headers = {**SAME_ORIGIN, **more.pop("headers", {})}
        return read(await self._send("POST", path, data=data, headers=headers, **more))

    async def submit(self, page: Page, action: str, **changes: Any) -> Page:
        """Send a form of `page` as it stands there, with some fields changed."""
        fields: dict[str, Any] = {**page.form(action).fields, **changes.pop("fields", {})}
        files = changes.pop("files", None)
        return await self.post(action, {**fields, **changes}, files=files)

    async def follow(self, page: Page) -> Page:
        """Go where an answer leads, and see the message there."""
        assert page.status == 303, (page.status, page.text[:400])
        return await self.get(page.location.split("#")[0])

    async def _send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = more.pop("headers", {})
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if cookies:
            headers["Cookie"] = cookies
        answer = await self._client.request(method, path, headers=headers, **more)
        self._client.cookies.clear()  # each browser keeps its own
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.split(";")[0].partition("=")
            self._cookies[name] = value  # an empty one takes the cookie away
        return answer


async def log_in(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, user: User
) -> Browser:
    """A browser of this person, past the log-in."""
    login = await open_web_login(session, user.id, settings, user_agent="test")
    await session.commit()
    return Browser(client, login.token)
