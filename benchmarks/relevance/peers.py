"""The same ads in tantivy (BM25) and in SQLite FTS5 (bm25), both with the title counting most."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from benchmarks.relevance.ads import Ad
from benchmarks.relevance.questions import words_of

WEIGHTS = {"title": 4.0, "company": 2.0, "tags": 2.0, "place": 1.0, "body": 1.0}
FOUND = 10
Finder = Callable[[str], list[str]]


@cache
def engine() -> Any:
    """The module, which only `make bench` installs."""
    return import_module("tantivy")


def tantivy(ads: Sequence[Ad]) -> dict[str, Finder]:
    """Ids of the best matches, by how many of the words an ad must have."""
    builder = engine().SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    for name in WEIGHTS:
        builder.add_text_field(name, tokenizer_name="en_stem")
    index = engine().Index(builder.build())
    writer = index.writer(50_000_000, 1)
    for ad in ads:
        writer.add_document(
            engine().Document(id=ad.id, **{name: getattr(ad, name) for name in WEIGHTS})
        )
    writer.commit()
    writer.wait_merging_threads()
    index.reload()

    def find(words: str, all_words: bool) -> list[str]:
        query = index.parse_query(
            " ".join(f'"{word}"' for word in words_of(words)),
            list(WEIGHTS),
            field_boosts=WEIGHTS,
            conjunction_by_default=all_words,
        )
        searcher = index.searcher()
        hits = searcher.search(query, FOUND).hits
        return [searcher.doc(address)["id"][0] for _, address in hits]

    return {
        "tantivy, all words": lambda words: find(words, all_words=True),
        "tantivy, any word": lambda words: find(words, all_words=False),
    }


def fts5(ads: Sequence[Ad]) -> dict[str, Finder]:
    """The same by SQLite."""
    database = sqlite3.connect(":memory:")
    names = list(WEIGHTS)
    database.execute(
        f"CREATE VIRTUAL TABLE ads USING fts5(id UNINDEXED, {', '.join(names)},"
        " tokenize = 'porter unicode61')"
    )
    rows = [(ad.id, *(getattr(ad, name) for name in names)) for ad in ads]
    marks = ", ".join("?" * (len(names) + 1))
    database.executemany(f"INSERT INTO ads VALUES ({marks})", rows)
    weights = ", ".join(str(weight) for weight in (0.0, *WEIGHTS.values()))
    best = f"SELECT id FROM ads WHERE ads MATCH ? ORDER BY bm25(ads, {weights}) LIMIT {FOUND}"

    def find(words: str, joint: str) -> list[str]:
        query = joint.join(f'"{word}"' for word in words_of(words))
        return [row[0] for row in database.execute(best, (query,))] if query else []

    return {
        "FTS5, all words": lambda words: find(words, " "),
        "FTS5, any word": lambda words: find(words, " OR "),
    }
