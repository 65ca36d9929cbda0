"""Synonyms as a page: found, added, refused beside the field, removed, and told to the log."""

import pytest

from jobboard.accounts.models import Role
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
PATH = "/admin/synonyms"


async def test_synonyms_come_and_go(town: Town) -> None:
    _, desk = await town.person(Role.ADMIN)
    page = await desk.get(PATH)
    assert "nurse, rn, registered nurse" in page.text
    assert "pm also finds project manager, product manager" in page.text
    told = await desk.follow(await desk.submit(page, PATH, terms="Oven Poet,  bread poet "))
    assert "“oven poet” and “bread poet” find each other, from the next search on." in told.text
    page = await desk.get(f"{PATH}?q=OVEN%20p")
    assert "1 group" in page.text
    assert "waiter" not in page.text
    for terms, said in {
        "": "This must not be empty.",
        "alone": "Write two of them or more",
        "the, oven poet": "too common",
        "oven poet, bread poet": "mean the same already",
        f"{'x' * 61}, y": "at most 60 characters",
    }.items():
        refused = await desk.submit(page, PATH, terms=terms, first="yes")
        assert refused.status in {409, 422}, terms
        assert said in refused.text, terms
        assert f'value="{terms}"' in refused.html
    way = next(form.action for form in page.forms if form.action.endswith("/remove"))
    told = await desk.follow(await desk.submit(page, way))
    assert "“oven poet, bread poet” is removed." in told.text
    assert "No word has that in it" in told.text
    assert (await desk.submit(page, way)).status == 404
    log = await desk.get("/admin/audit-log")
    assert "let “oven poet, bread poet” mean the same to searches" in log.text
    assert "let “oven poet, bread poet” no longer mean the same to searches" in log.text
    assert (await town.stranger.get(PATH)).location.startswith("/log-in")
