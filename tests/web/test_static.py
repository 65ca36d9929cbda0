"""What is served as it lies there, and what no page may hold."""

import re
from pathlib import Path

import httpx2
import pytest

from jobboard import web
from jobboard.web.assets import FILES, FOLDER, PREFIX, static_url

TEMPLATES = sorted((Path(web.__file__).parent / "templates").rglob("*.html"))
SCRIPT_LINES = 400  # of all our modules together: every page is whole without them
FORBIDDEN_IN_CSS = ("@import", "http:", "https:", "url(", "expression(", "float:", "@charset")


@pytest.mark.anyio
async def test_files_are_kept_for_good_under_an_address_that_changes(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get(static_url("base.css"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    older = await client.get("/static/000000000000/base.css")
    assert older.text == answer.text
    assert older.headers["cache-control"] == "no-cache"
    script = await client.get(static_url("search.js"))
    assert script.headers["content-type"].startswith("text/javascript")
    icons = await client.get(static_url("icons.svg"))
    assert icons.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("sheet", "rule"),
    [
        ("components.css", ".tick > span"),
        ("components.css", ".notice > :is(p, div)"),
        ("desk.css", ".way-back a"),
        ("layout.css", ".crumb a"),
    ],
)
def test_long_names_break_instead_of_widening_the_page(sheet: str, rule: str) -> None:
    style = (FOLDER / sheet).read_text()
    assert "overflow-wrap: anywhere" in style.partition(f"{rule} {{")[2].partition("}")[0]


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["nothing.css", "..%2f__init__.py", ""])
async def test_nothing_else_is_served(client: httpx2.AsyncClient, name: str) -> None:
    assert (await client.get(f"{PREFIX}/{name}")).status_code == 404


@pytest.mark.anyio
async def test_robots_are_kept_out_of_what_is_private(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /me\n" in answer.text


def test_scripts_stay_few_and_dangerous_ways_unused() -> None:
    scripts = [content.decode() for name, content in FILES.items() if name.endswith(".js")]
    assert sum(len(script.splitlines()) for script in scripts) < SCRIPT_LINES
    for script in scripts:
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in script
        assert "http:" not in script
        assert "https:" not in script


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".css")])
def test_styles_stand_in_their_layers_and_load_nothing(name: str) -> None:
    css = re.sub(r"/\*.*?\*/", "", FILES[name].decode(), flags=re.S)
    for word in FORBIDDEN_IN_CSS:
        assert word not in css, word
    assert css.count("!important") <= (1 if name == "base.css" else 0)
    assert re.search(r"@layer (reset|components|layout)", css)
    assert css.count("{") == css.count("}")


def test_colours_are_named_once_as_tokens() -> None:
    for name, content in FILES.items():
        if name.endswith(".css") and name != "base.css":
            loose = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?!.*\{)", content.decode()))
            assert loose <= {"#fff"}, f"{name}: {loose}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_script_and_no_style(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=|\son\w+\s*=\s*[\"']|javascript:", source)
    for tag in re.findall(r"<script[^>]*>", source):
        assert "src=" in tag or 'type="application/ld+json"' in tag, tag
    for address in re.findall(r"(?:src|href)=\"(https?:[^\"]*)", source):
        assert address.startswith("{{"), address


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_writes_carries_the_token(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source, flags=re.S):
        assert "csrf()" in form, form[:120]


def test_icons_that_templates_name_are_drawn() -> None:
    drawn = set(re.findall(r'id="([\w-]+)"', FILES["icons.svg"].decode()))
    named = {
        name
        for template in TEMPLATES
        for name in re.findall(r'icon\("([\w-]+)"', template.read_text(encoding="utf-8"))
    }
    assert named <= drawn


def test_every_file_is_ours_and_small() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert path.suffix in {".css", ".js", ".svg"}, path
            assert path.stat().st_size < 30_000, path
