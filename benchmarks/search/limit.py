"""The same page by tantivy: twenty jobs by BM25, how many there are, and the four facets."""

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.search.shapes import FILTERS, WORDS, Shape
from jobboard.jobs.filters import CHOICES

READ = """
SELECT jobs.id::text, title, company_name, location, jobs.tags, description_text, jobs.country,
    jobs.remote, jobs.employment_type, jobs.experience, slug
  FROM jobs JOIN live_jobs ON live_jobs.id = jobs.id
"""
FACETS = {name: {"terms": {"field": name, "size": 300}} for name in CHOICES}
BATCH = 2_000


@cache
def engine() -> Any:
    """The module, which only `make bench` installs."""
    return import_module("tantivy")


async def build(connection: asyncpg.Connection, folder: Path) -> Any:
    """An index of the board's live jobs in `folder`; one that is there is taken as it is."""
    builder = engine().SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="en_stem")
    builder.add_text_field("head", tokenizer_name="en_stem")
    for name in CHOICES:
        builder.add_text_field(name, tokenizer_name="raw", fast=True)
    builder.add_text_field("card", stored=True, tokenizer_name="raw", index_option="basic")
    index = engine().Index(builder.build(), path=str(folder))
    if index.searcher().num_docs:
        return index
    writer = index.writer(256_000_000, 1)
    async with connection.transaction():
        async for row in connection.cursor(READ, prefetch=BATCH):
            writer.add_document(_document(row))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


def _document(row: asyncpg.Record) -> Any:
    head = f"{row['title']} {row['company_name']} {' '.join(row['tags'])} {row['location']}"
    card = {name: row[name] for name in ("id", "title", "company_name", "location", "slug")}
    choices = {name: row[name] for name in CHOICES if row[name] is not None}
    card |= {"beginning": row["description_text"][:400], **choices}
    return engine().Document(
        text=f"{head}\n{row['description_text']}", head=head, card=json.dumps(card), **choices
    )


def query(index: Any, shape: Shape) -> Any:
    """All words, titles and companies counting more; and the filters."""
    words = WORDS[shape.words]
    if words.endswith("*"):
        parts = [engine().Query.regex_query(index.schema, "text", words[:-1] + ".*")]
    else:
        parts = [index.parse_query(words, ["text"], conjunction_by_default=True)]
    for name, values in FILTERS[shape.filters].items():
        parts.append(engine().Query.term_set_query(index.schema, name, values))
    return engine().Query.boolean_query([(engine().Occur.Must, part) for part in parts])


def page(index: Any, asked: Any) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """What a page shows."""
    searcher = index.searcher()
    found = searcher.search(asked, 20, True)
    cards = [json.loads(searcher.doc(address)["card"][0]) for _, address in found.hits]
    return found.count, cards, searcher.aggregate(asked, FACETS)
