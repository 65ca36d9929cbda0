"""programs/README.md: each line it points to is there, and is what it is said to be."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import programs

FOLDER = Path(programs.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([a-z ]+) \| \[(\w+\.py):(\d+)\]\((\w+\.py)#L(\d+)\) \| `(.+?)` \| ", re.M)
ROWS = ROW.findall(README)

CONCEPTS = """
variables, types, operators, conditions, loops, functions, modules, lists, tuples, sets,
dictionaries, files, classes, inheritance, polymorphism, exceptions, decorators, context managers,
comprehensions, generators, iterators, datetime, os, re, json, collections
"""


@cache
def source(file):
    return (FOLDER / file).read_text(encoding="utf-8")


@cache
def nodes(file):
    """The nodes of a file by the line where they begin; a decorator's line has its own node."""
    found = defaultdict(list)
    for node in ast.walk(ast.parse(source(file))):
        if hasattr(node, "lineno"):
            found[node.lineno].append(node)
        for decorator in getattr(node, "decorator_list", []):
            found[decorator.lineno].append(ast.Expression(decorator))
    return found


def is_a(*kinds):
    return lambda node: isinstance(node, kinds)


def calls(*names):
    """A call of a function or method of one of these names."""

    def check(node):
        if not isinstance(node, ast.Call):
            return False
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in names

    return check


def part_of(module):
    """A call of something in a module."""
    return lambda node: calls_on(node) == module


def calls_on(node):
    value = getattr(getattr(node, "func", None), "value", None)
    return getattr(value, "id", "") if isinstance(node, ast.Call) else ""


def method(*names):
    return lambda node: isinstance(node, ast.FunctionDef) and node.name in names


CHECKS = {
    "variables": is_a(ast.Assign),
    "types": is_a(ast.AnnAssign),
    "operators": is_a(ast.BinOp, ast.Compare, ast.BoolOp),
    "conditions": is_a(ast.If),
    "loops": is_a(ast.For, ast.While),
    "functions": is_a(ast.FunctionDef),
    "modules": is_a(ast.Import, ast.ImportFrom),
    "lists": is_a(ast.List),
    "tuples": is_a(ast.Tuple),
    "sets": is_a(ast.Set, ast.SetComp),
    "dictionaries": is_a(ast.Dict),
    "files": calls("open", "fdopen"),
    "classes": is_a(ast.ClassDef),
    "inheritance": lambda node: isinstance(node, ast.ClassDef) and bool(node.bases),
    "polymorphism": method("fine"),
    "exceptions": is_a(ast.Raise, ast.ExceptHandler),
    "decorators": lambda node: is_a(ast.Expression)(node) or calls("update_wrapper")(node),
    "context managers": lambda node: (
        method("__enter__")(node) or (is_a(ast.Expression)(node) and "context" in ast.dump(node))
    ),
    "comprehensions": is_a(ast.ListComp, ast.SetComp, ast.DictComp),
    "generators": is_a(ast.Yield, ast.YieldFrom),
    "iterators": lambda node: method("__iter__")(node) or calls("takewhile")(node),
    "datetime": calls("timedelta", "date"),
    "os": part_of("os"),
    "re": part_of("re"),
    "json": part_of("json"),
    "collections": calls("Counter", "defaultdict"),
}


def test_every_concept_has_a_line():
    wanted = {concept.strip() for concept in CONCEPTS.split(",")}
    assert {row[0] for row in ROWS} == wanted == set(CHECKS)
    assert len(ROWS) == README.count(".py#L")


@pytest.mark.parametrize(("concept", "file", "line", "target", "anchor", "code"), ROWS)
def test_the_line_is_there_and_is_what_it_is_said_to_be(concept, file, line, target, anchor, code):
    assert (file, line) == (target, anchor)
    lines = [text.strip() for text in source(file).splitlines()]
    code = code.strip("`").replace(r"\|", "|")
    assert lines[int(line) - 1] == code, f"now at line {lines.index(code) + 1}"
    assert any(CHECKS[concept](node) for node in nodes(file)[int(line)])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_program_has_its_chapter_with_an_example(path):
    chapter = README.partition(f"\n## {path.stem}\n")[2].partition("\n## ")[0]
    assert f"python -m programs.{path.stem}" in chapter
