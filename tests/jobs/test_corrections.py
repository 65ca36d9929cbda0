"""What is found for words that are typed wrong: from the words of live jobs, as these change."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.errors import Invalid
from jobboard.infra.postgres import Database
from jobboard.jobs import corrections, vocabulary, walk
from jobboard.jobs.criteria import MAX_WORDS, JobSearch
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.search import JobSearchResult
from jobboard.jobs.vocabulary import Term
from jobboard.pagination import encode_cursor
from tests.jobs.searching import Post

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that does much else, too."""
    monkeypatch.setattr(corrections, "PATIENCE", 60)


OUT_OF_STEP = text(
    """
    SELECT coalesce(terms.kind || ':' || terms.key, wanted.kind || ':' || wanted.key)
      FROM terms FULL JOIN (
           SELECT split_part(term, ':', 1) AS kind,
                  jobboard_folded(substr(term, strpos(term, ':') + 1)) AS key, count(*) AS jobs
             FROM jobs, unnest(jobboard_terms_of(title, tags, company_name, city, country)) AS term
            WHERE status = 'published' GROUP BY 1, 2) AS wanted USING (kind, key)
     WHERE terms.jobs IS DISTINCT FROM wanted.jobs
    """
)


async def count(session: AsyncSession) -> None:
    """As the worker does it."""
    await session.commit()
    while await vocabulary.count(session):
        pass
    await session.commit()


async def ask(session: AsyncSession, **query: Any) -> JobSearchResult:
    result = await corrections.search(session, JobSearch.model_validate(query))
    await session.commit()
    return result


async def meant(session: AsyncSession, q: str, **query: Any) -> tuple[str, bool] | None:
    """What is searched in the place of `q`, or only suggested."""
    found = (await ask(session, q=q, **query)).correction
    return (found.q, found.applied) if found else None


@pytest.fixture
async def jobs(session: AsyncSession, post: Post) -> None:
    for number in range(3):
        await post(f"Software Engineer {number}", tags=["kubernetes"], location="Hamburg, Germany")
    await post("Bäcker in Teilzeit", description="Wir suchen dich für unsere Bäckerei.")
    await post("Baker", description="You knead sourdough.")
    await count(session)


@pytest.mark.usefixtures("jobs")
async def test_each_word_that_no_job_has_is_corrected(session: AsyncSession) -> None:
    for typed, found in {
        "sofware": "software",
        "softwrae enginere": "software engineer",
        "SOFTWAER -manager": "software -manager",
        "kubrenetes engineer": "kubernetes engineer",
        "softwareengineer": "software engineer",
        "soft ware engineer": "software engineer",
        "full-stak or sofware": "full-stak or software",
        "backer": None,  # finds Bäcker
        "Bäckre": "bäcker",
        "sourdouhg": None,  # stands in a text alone
        "sofware sourdough": "software or sourdough",  # nothing has both
        '"sofware engineer"': None,
        "engineer kubernetes": None,
        "qqqqqqq": None,
        "the": None,
        "harbor": "harbour",  # the company
    }.items():
        assert await meant(session, typed) == (found and (found, True)), typed
    assert await meant(session, "sofware", location="Hamburg") == ("software", True)
    assert await meant(session, "sofware", location="Lyon") is None
    assert await meant(session, "sofware", exact=True) is None
    assert (await ask(session, q="sofware", exact=True)).items == []


async def test_a_word_that_only_shares_a_stem_is_corrected_where_nothing_is_found(
    session: AsyncSession, post: Post
) -> None:
    for _ in range(20):
        await post("Engineer", tags=["python"])
        await post("Manager", location="Lyon, France")
    await post("Manger of the barn")
    await count(session)
    assert await meant(session, "enginer pyton") == ("engineer python", True)
    assert await meant(session, "enginer") is None  # finds them, and no more would come
    assert await meant(session, "enginer enginers pyton") == ("engineer engineer python", True)
    # What stands in a title is meant, or it is only asked.
    assert await meant(session, "manger", country=["FR"]) == ("manager", False)
    assert await meant(session, "manger bran") == ("manger barn", True)


@pytest.mark.usefixtures("jobs")
async def test_its_pages_go_on_in_it(session: AsyncSession) -> None:
    titles, cursor = [], None
    while cursor or not titles:
        page = await ask(session, q="sofware", limit=1, cursor=cursor)
        assert (page.correction and page.correction.q, page.total.value) == ("software", 3)
        titles += [card.title for card in page.items]
        first, cursor = cursor or page.next_cursor, page.next_cursor
    assert sorted(titles) == [f"Software Engineer {number}" for number in range(3)]
    for wrong in ({"q": "sofwar"}, {"q": "software"}, {"q": "sofware", "remote": "remote"}):
        with pytest.raises(Invalid):
            await ask(session, **wrong, limit=1, cursor=first)
    for broken in (".", "x.y", f"{first}.x", f"{(first or '').partition('.')[0]}."):
        with pytest.raises(Invalid):
            await ask(session, q="sofware", cursor=broken)


async def test_few_hits_stay_and_say_what_else_may_have_been_meant(
    session: AsyncSession, post: Post
) -> None:
    for _ in range(20):
        await post("Manager")
    await post("Manger of the barn")
    await count(session)
    found = await ask(session, q="manger")
    assert [card.title for card in found.items] == ["Manger of the barn"]
    assert found.correction
    assert (found.correction.q, found.correction.applied) == ("manager", False)
    assert await meant(session, "manager") is None
    await post("Manger of the barn")
    await count(session)
    assert await meant(session, "manger") is None  # so many mean it


async def test_no_other_word_is_suggested_that_finds_no_more_with_the_same_filters(
    session: AsyncSession, post: Post
) -> None:
    for _ in range(20):
        await post("Manager", remote="onsite")
    await post("Manger of the barn", remote="remote")
    await count(session)
    assert await meant(session, "manger") == ("manager", False)
    found = await ask(session, q="manger", remote="remote")
    assert [card.title for card in found.items] == ["Manger of the barn"]
    assert found.correction is None


async def test_nobody_is_led_to_more_words_than_a_search_may_have(
    session: AsyncSession, post: Post
) -> None:
    rest = " ".join(f"x{number}" for number in range(MAX_WORDS - 1))
    for number in range(20):
        await post(f"Sales person {number}", tags=["sales manager"])
    await count(session)
    assert await meant(session, "salesmanager") == ("sales manager", True)
    found = await ask(session, q=f"salesmanager {rest}")
    assert found.correction
    assert found.correction.partial  # of what was meant, as much as may be asked for
    await post("Shop", description=f"Our salesmanager has {rest}.")
    await count(session)
    assert await meant(session, "salesmanager") == ("sales manager", False)
    found = await ask(session, q=f"salesmanager {rest}")
    assert [card.title for card in found.items] == ["Shop"]
    assert found.correction is None
    data = JobSearch(q="salesmanager")
    made_up = f"x.{encode_cursor(data.fingerprint(), f'two more {rest}', False)}"
    with pytest.raises(Invalid):
        await ask(session, q="salesmanager", cursor=made_up)


async def test_words_follow_the_jobs(
    session: AsyncSession, post: Post, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FEW", -2)

    async def change(**values: Any) -> None:
        await session.execute(update(Job).where(Job.id == job.id).values(**values))
        await count(session)
        assert (await session.scalars(OUT_OF_STEP)).all() == []

    job = await post("Miller", status=JobStatus.CLOSED, tags=["flour"])
    await count(session)
    assert await session.get(Term, ("word", "miller")) is None
    await change(status=JobStatus.PUBLISHED)
    assert await meant(session, "millre") == ("miller", True)
    await change(title="Carpenter", city="Lyon", country="FR")
    assert await meant(session, "millre") is None
    assert await meant(session, "capenter") == ("carpenter", True)
    await change(title="Carpenter", version=7)
    await session.execute(
        update(Company).where(Company.id == company.id).values(name="Mill of the South")
    )
    await change(tags=["oak", "Oak "])
    assert await meant(session, "souht") == ("south", True)
    await change(status=JobStatus.CLOSED)
    assert (await session.scalars(text("SELECT key FROM terms"))).all() == []
    await change(status=JobStatus.PUBLISHED)
    await session.execute(text("DELETE FROM jobs"))
    await count(session)
    assert (await session.scalars(text("SELECT key FROM terms"))).all() == []


async def test_writers_at_once_leave_every_count_right(
    db: Database, session: AsyncSession, post: Post
) -> None:
    """In any order, while two workers count."""
    jobs = [await post(f"Baker {'abcdef'[n]}", tags=["rye", "oats"][: n % 3]) for n in range(6)]
    await session.commit()

    async def write(turn: int) -> None:
        for step in range(6):
            job = jobs[(turn * 5 + step * (1 + turn % 2 * 4)) % 6]
            live = (turn + step) % 3 > 0
            values = {
                "title": f"{('Miller', 'Cook', 'Baker')[turn % 3]} {turn}",
                "status": JobStatus.PUBLISHED if live else JobStatus.CLOSED,
            }
            async with db.transaction() as own:
                await own.execute(update(Job).where(Job.id == job.id).values(values))

    async def work() -> None:
        for _ in range(10):
            async with db.transaction() as own:
                await vocabulary.count(own)

    await asyncio.gather(*(write(turn) for turn in range(8)), work(), work())
    await count(session)
    assert (await session.scalars(OUT_OF_STEP)).all() == []


async def test_where_no_job_has_all_words_those_with_most_are_shown(
    session: AsyncSession, post: Post
) -> None:
    await post("Night nurse", description="In a clinic by the sea.")
    await post("Nurse for children", description="By day.")
    await post("Clinic manager")
    await count(session)

    async def shown(q: str, **query: Any) -> tuple[list[str], bool]:
        page = await ask(session, q=q, **query)
        return [card.title for card in page.items], bool(
            page.correction and page.correction.partial
        )

    assert await shown("night nurse sea") == (["Night nurse"], False)  # all words
    assert await shown("night nurse mountains") == (["Night nurse"], True)  # most
    assert await shown("the night nurse & mountains") == (["Night nurse"], True)
    titles, partial = await shown("nurse mountains valley")
    assert (sorted(titles), partial) == (["Night nurse", "Nurse for children"], True)  # any
    assert await shown("nurse mountains", exact=True) == ([], False)
    for said in (
        '"nurse mountains"',
        "nurse mountains -clinic",
        "mountains or valleys",
        "mountai*",
    ):
        assert await shown(said) == ([], False)


async def test_what_is_too_common_does_not_count_as_some(session: AsyncSession, post: Post) -> None:
    for number in range(21):
        await post(f"Senior clerk {number}")
    await post("Pilot")
    await count(session)
    for q in ("senior forklift pilot", "seniro forklift pilot", "senior pilot"):
        page = await ask(session, q=q)
        assert [card.title for card in page.items] == ["Pilot"]
        assert page.correction
        assert page.correction.partial


async def test_words_that_are_one_elsewhere_are_not_what_is_rare(
    session: AsyncSession, post: Post
) -> None:
    for number in range(21):
        await post(f"Sales clerk {number}")
        await post(f"Manager of clerks {number}")
    await post("Salesmanager")
    await post("Night porter")
    await count(session)
    page = await ask(session, q="sales manager", limit=50)
    assert page.correction
    assert page.correction.q == "sales or manager"
    assert len(page.items) == 42


async def test_later_than_that_nothing_more_is_tried(
    session: AsyncSession, jobs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await count(session)
    monkeypatch.setattr(corrections, "PATIENCE", -1)
    assert await meant(session, "engineer mountains") is None


async def test_pages_of_some_words_go_on(session: AsyncSession, post: Post) -> None:
    for number in range(5):
        await post(f"Nurse {number}")
    await count(session)
    titles, cursor = [], None
    while page := await ask(session, q="nurse mountains", limit=2, cursor=cursor):
        assert page.correction
        assert page.correction.partial
        titles += [card.title for card in page.items]
        if not (cursor := page.next_cursor):
            break
    assert sorted(titles) == [f"Nurse {number}" for number in range(5)]
