"""/me/resumes: a candidate's own files."""

import pytest

from jobboard.accounts.models import Role
from tests.factories.files import pdf
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
PATH = "/me/resumes"


async def test_one_is_added_used_and_deleted(town: Town) -> None:
    _, browser = await town.person()
    empty = await browser.get(PATH)
    assert "No résumé yet" in empty.text
    sent = await browser.submit(empty, PATH, files={"file": ("My life.pdf", pdf())})
    assert "Choose it when you apply" in (await browser.follow(sent)).text
    page = await browser.get(PATH)
    assert "My life.pdf" in page.text
    assert "sent to nobody" in page.text
    job = await town.job()
    assert "My life.pdf" in (await browser.get(f"/jobs/{job.slug}/apply")).text
    delete = next(form.action for form in page.forms if form.action.endswith("/delete"))
    gone = await browser.follow(await browser.submit(page, delete))
    assert "The résumé is deleted." in gone.text
    assert "My life.pdf" not in gone.text


async def test_one_that_a_company_reads_cannot_be_deleted(town: Town) -> None:
    _, browser = await town.person()
    await browser.submit(await browser.get(PATH), PATH, files={"file": ("cv.pdf", pdf())})
    before = await browser.get(PATH)
    delete = next(form.action for form in before.forms if form.action.endswith("/delete"))
    job = await town.job()
    apply = f"/jobs/{job.slug}/apply"
    await browser.submit(await browser.get(apply), apply, consent="yes")
    page = await browser.get(PATH)
    assert "sent with 1 application" in page.text
    assert not page.offers(delete)
    late = await browser.follow(await browser.submit(before, delete))
    assert "can read it until you withdraw" in late.text
    assert "cv.pdf" in late.text


@pytest.mark.parametrize(
    ("files", "status", "says"),
    [
        ({}, 422, "Choose a file first."),
        ({"file": ("cv.exe", b"MZ")}, 422, "PDF or a Word file"),
        ({"file": ("cv.pdf", pdf() + b" " * 5_300_000)}, 413, "larger than 5 MB"),
    ],
)
async def test_what_is_wrong_stands_beside_the_field(
    town: Town, files: dict[str, tuple[str, bytes]], status: int, says: str
) -> None:
    _, browser = await town.person()
    page = await browser.submit(await browser.get(PATH), PATH, files=files)
    assert page.status == status
    assert page.html.count(says) == 2


async def test_only_candidates_have_the_tab(town: Town) -> None:
    for role, shown in ((Role.CANDIDATE, True), (Role.EMPLOYER, False)):
        _, browser = await town.person(role)
        assert (f'href="{PATH}"' in (await browser.get("/me")).html) == shown
