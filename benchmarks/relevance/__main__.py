"""How well the search finds what somebody means, beside tantivy and SQLite FTS5 on the same ads.

make bench-relevance
RELEVANCE_ADS=ads.jsonl.gz RELEVANCE_TITLES=titles.tsv.gz make bench-relevance

Without files the ads are those of a demo board, and the other titles those of `alternates.tsv`. A
file of titles has lines of an occupation and a title for it, in its last two columns. What is asked
and what answers it, `questions.py` says. MRR@10 is one by the rank of the first answer, recall@10
the share of the answers (of ten, where there are more) among the first ten; both on average. "ours"
is what GET /api/v1/jobs answers, the peers rank by BM25 with words of the title counting four
times. Tables go to benchmarks/results/relevance.txt.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from time import perf_counter

from benchmarks.board import board
from benchmarks.output import until_no_one_reads
from benchmarks.relevance import peers
from benchmarks.relevance.ads import put, unpacked
from benchmarks.relevance.questions import Question, questions
from jobboard.infra.postgres import Database
from jobboard.jobs.corrections import search
from jobboard.jobs.criteria import JobSearch
from jobboard.settings import Settings

RESULTS = Path(__file__).parents[1] / "results"
OWN_TITLES = Path(__file__).parent / "alternates.tsv"
MOST = int(os.environ.get("RELEVANCE_QUESTIONS", "300"))
TOP = 10
Found = list[tuple[Question, list[str]]]
Score = tuple[float, float]


def file_of(name: str) -> Path | None:
    """The file that the environment names."""
    return Path(os.environ[name]) if os.environ.get(name) else None


def titles() -> Iterator[tuple[str, str]]:
    """Occupations and titles for them."""
    for line in unpacked(file_of("RELEVANCE_TITLES") or OWN_TITLES).decode().splitlines():
        *_, occupation, title = line.split("\t")
        if occupation != "occupation":
            yield occupation, title


def score(found: Found) -> Score:
    """MRR@10 and recall@10."""
    ranks, shares = [], []
    for question, ids in found:
        hits = [rank for rank, each in enumerate(ids[:TOP], 1) if each in question.answers]
        ranks.append(1 / hits[0] if hits else 0.0)
        shares.append(len(hits) / min(len(question.answers), TOP))
    return fmean(ranks), fmean(shares)


async def ours(database: Database, asked: list[Question]) -> tuple[Found, float]:
    """What the first page has, and milliseconds for a question (median)."""
    found, took = [], []
    for question in asked:
        began = perf_counter()
        async with database.transaction() as session:
            page = await search(session, JobSearch(q=question.words[:500], limit=TOP))
        took.append((perf_counter() - began) * 1000)
        found.append((question, [str(job.id) for job in page.items]))
    return found, median(took)


def table(asked: list[Question], found: dict[str, Found]) -> Iterator[str]:
    """A line for each kind of question."""
    kinds = list(dict.fromkeys(question.kind for question in asked))
    yield f"{'MRR@10 recall@10':16}{'asked':>6}" + "".join(f"{name:>22}" for name in found)
    for kind in kinds:
        of_kind = {
            name: score([each for each in some if each[0].kind == kind])
            for name, some in found.items()
        }
        number = sum(question.kind == kind for question in asked)
        cells = "".join(f"{mrr:>14.3f}{recall:>8.3f}" for mrr, recall in of_kind.values())
        yield f"{kind:16}{number:>6}{cells}"


async def measure(settings: Settings) -> list[str]:
    """Everything, as lines."""
    database = Database(settings.database_url.get_secret_value())
    ads = await put(database, settings, file_of("RELEVANCE_ADS"))
    print(f"{len(ads):,} ads on the board")
    asked = questions(ads, list(titles()), MOST)
    mine, took = await ours(database, asked)
    await database.close()
    found = {"ours": mine}
    for name, find in {**peers.tantivy(ads), **peers.fts5(ads)}.items():
        found[name] = [(question, find(question.words)) for question in asked]
    if path := file_of("RELEVANCE_MISSES"):
        path.write_text("".join(_misses(mine, found["tantivy, any word"])), "utf-8")
    return [
        f"{len(ads):,} ads, {len(asked):,} questions; ours {took:.1f} ms for one (median)",
        *table(asked, found),
    ]


def _misses(mine: Found, peer: Found) -> Iterator[str]:
    """What the peer finds sooner, to look at."""
    for (question, ids), (_, theirs) in zip(mine, peer, strict=True):
        if score([(question, ids)])[0] < score([(question, theirs)])[0]:
            yield f"{question.kind}\t{question.words}\t{len(ids)} found\n"


def main() -> None:
    """Print the table and keep it."""
    with board("database_url") as settings:
        lines = asyncio.run(measure(settings))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "relevance.txt").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"\nKept in {RESULTS}")


if __name__ == "__main__":
    until_no_one_reads(main)
