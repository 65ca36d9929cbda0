"""What breaks for a client when one OpenAPI document takes the place of another.

The rules are those of docs/api-versioning.md. What a client sends may only be taken more widely,
what it gets may only be told more narrowly: a new field in an answer breaks nobody, a new
required field in a body does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Schema = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Bounds of what is sent, and which way they tighten.
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where two schemas are compared, and which way what they describe travels."""

    old: Schema  # the whole documents, for their references
    new: Schema
    way: Literal["sent", "got"]
    words: str
    inside: frozenset[tuple[int, int]] = frozenset()  # pairs that hold this one

    def at(self, words: str) -> "_Place":
        return replace(self, words=f"{self.words} {words}")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """One line for each change of `new` that breaks a client of `old`, sorted."""
    changes = set()
    for path, item in old["paths"].items():
        for method in METHODS:
            if method in item:
                name = f"{method.upper()} {path}"
                successor = new["paths"].get(path, {}).get(method)
                changes |= set(_operation(_Place(old, new, "sent", name), item[method], successor))
    return sorted(changes)


def _operation(place: _Place, old: Schema, new: Schema | None) -> Iterator[str]:
    if new is None:
        yield f"{place.words} is gone"
        return
    yield from _parameters(place, old, new)
    yield from _body(place, old.get("requestBody"), new.get("requestBody"))
    yield from _responses(replace(place, way="got"), old["responses"], new["responses"])
    if _open(old) and not _open(new):
        yield f"{place.words} needs a log-in"


def _open(operation: Schema) -> bool:
    """Whether it can be asked by nobody: `{}` among the ways to log in is none of them."""
    ways = operation.get("security")
    return not ways or {} in ways


def _parameters(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    before, after = (
        {(found["in"], found["name"]): found for found in operation.get("parameters", [])}
        for operation in (old, new)
    )
    for key in before:
        here = place.at(f"{key[0]} parameter {key[1]}")
        if key not in after:
            yield f"{here.words} is gone"
        else:
            yield from _schema(here, before[key]["schema"], after[key]["schema"])
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{place.words} {key[0]} parameter {key[1]} is required"


def _body(place: _Place, old: Schema | None, new: Schema | None) -> Iterator[str]:
    if new and new.get("required") and not (old and old.get("required")):
        yield f"{place.words} needs a body"
    for kind, content in (old or {}).get("content", {}).items():
        here = place.at("body")
        successor = (new or {}).get("content", {}).get(kind)
        if successor is None:
            yield f"{here.words} is not taken as {kind}"
        else:
            yield from _schema(here, content.get("schema", {}), successor.get("schema", {}))


def _responses(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    for status, response in old.items():
        here = place.at(f"answer {status}")
        if status not in new:
            yield f"{here.words} is gone"
            continue
        answered = _resolved(place.new, new[status]).get("content", {})
        for kind, content in _resolved(place.old, response).get("content", {}).items():
            successor = answered.get(kind)
            if successor is None:
                yield f"{here.words} is not given as {kind}"
            else:
                yield from _schema(here, content.get("schema", {}), successor.get("schema", {}))


def _schema(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    before = _alternatives(place.old, old)
    after = _alternatives(place.new, new)
    if None in before or None in after:  # anything at all
        if place.way == "got" and None in after and None not in before:
            yield f"{place.words} may be anything"
        if place.way == "sent" and None in before and None not in after:
            yield f"{place.words} is not taken as just anything"
        return
    for kind in before:
        if kind in after:
            yield from _same_kind(place, before[kind], after[kind])
        elif place.way == "sent" and not (kind == "integer" and "number" in after):
            yield f"{place.words} is not taken as {kind}"
    for kind in after:
        known = kind in before or (kind == "integer" and "number" in before)
        if place.way == "got" and not known:
            yield f"{place.words} may be {kind}"


def _alternatives(document: Schema, schema: Schema) -> dict[str | None, Schema]:
    """The kinds of value that a schema allows, by their type; None where it allows any."""
    schema = _resolved(document, schema)
    found: dict[str | None, Schema] = {}
    for choice in schema.get("anyOf") or schema.get("oneOf") or ():
        found |= _alternatives(document, choice)
    if found:
        return found
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return _alternatives(document, schema["allOf"][0])
    kinds = schema.get("type")
    if kinds is None and ("enum" in schema or "const" in schema):
        kinds = "string"
    return dict.fromkeys(kinds if isinstance(kinds, list) else [kinds], schema)


def _resolved(document: Schema, schema: Schema) -> Schema:
    """What it refers to: `#/components/schemas/Job`, or a response by its name."""
    while "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        schema = document["components"][kind][name]
    return schema


def _same_kind(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    pair = (id(old), id(new))
    if pair in place.inside:  # a schema that holds itself
        return
    place = replace(place, inside=place.inside | {pair})
    yield from _values(place, old, new)
    if place.way == "sent":
        yield from _bounds(place, old, new)
    if "items" in old or "items" in new:
        yield from _schema(place.at("items"), old.get("items", {}), new.get("items", {}))
    if "properties" in old or "properties" in new:
        yield from _properties(place, old, new)


def _values(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    """Fewer values may be sent. More may be got: clients are told to bear what they do not know."""
    before, after = _enumerated(old), _enumerated(new)
    if place.way == "sent" and after is not None:
        if before is None:
            yield f"{place.words} takes only certain values"
        else:
            yield from (f"{place.words} does not take {value!r}" for value in before - after)
    if place.way == "got" and before is not None and after is None:
        yield f"{place.words} may have any value"
    if old.get("format") != new.get("format") and (old.get("format") or place.way == "sent"):
        yield f"{place.words} has the format {new.get('format')}, not {old.get('format')}"


def _enumerated(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _bounds(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    for name in UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{place.words} has a {name} of {new[name]}"
    for name in LOWER:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{place.words} has a {name} of {new[name]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{place.words} has to fit {new['pattern']}"


def _properties(place: _Place, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name, schema in before.items():
        here = place.at(name)
        if name not in after:
            yield f"{here.words} is gone"
            continue
        yield from _schema(here, schema, after[name])
        if place.way == "got" and name in needed_before - needed_after:
            yield f"{here.words} may be missing"
    if place.way == "sent":
        yield from (f"{place.words} {name} is required" for name in needed_after - needed_before)
