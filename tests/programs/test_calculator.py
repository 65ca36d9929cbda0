"""The calculator: against Python's own arithmetic, at its bounds, at a terminal."""

import ast
import builtins
import io
import os
import pty
import random
import re
import runpy
import subprocess
import sys
from decimal import Decimal, Inexact, getcontext
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import programs
from programs import calculator
from programs.calculator import CalculatorError, calculate, precision, show


def value(text, digits=28, **variables):
    with precision(digits):
        return show(calculate(text, {name: Decimal(n) for name, n in variables.items()}))


def error(text):
    with precision(28), pytest.raises(CalculatorError) as caught:
        calculate(text, {})
    return caught.value.position, str(caught.value)


# --- against Python's own arithmetic ------------------------------------------------------------


SHAPES = (
    """
{0} + {1}|{0}-{1}|{0}*{1}|{0} / {2}|{0} / ({1})|{0} // ({1})|{0} % ({1})|({0})|({0} - {1})
-{0}|({0})**{3}|-{4}**{3}|{4} ** {5} ** {5}|abs({0})|round({0})|round({0}, {3})
min({0}, {1}, {2})|max({0},{1})
""".strip()
    .replace("\n", "|")
    .split("|")
)


def expression(rng, depth=3):
    """A random expression, in which Python's grammar and the calculator's mean the same."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["{}", "{}.5", ".{}", "{}.25", "{}e2"]).format(rng.randint(0, 99))
    left, right = expression(rng, depth - 1), expression(rng, depth - 1)
    shape = rng.choice(SHAPES)
    small = [rng.choice([2, 4, 5, 8, 10]), rng.randint(-2, 3), rng.randint(0, 9), rng.randint(0, 3)]
    return shape.format(left, right, *small)


PYTHON = {"Fraction": Fraction, "round": lambda x, digits=0: round(Fraction(x), int(digits))}


class Exact(ast.NodeTransformer):
    """Keeps fractions fractions: Python's `//` makes integers, whose `/` makes floats."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.FloorDiv):
            whole = ast.copy_location(ast.Name("Fraction", ast.Load()), node)
            return ast.copy_location(ast.Call(whole, [node], []), node)
        return node


def exactly(text):
    """What Python makes of it with fractions; None for a division by zero."""
    number = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e\d+)?")
    fractions = number.sub(lambda match: f"Fraction('{match[0]}')", text)
    tree = Exact().visit(ast.parse(fractions, mode="eval"))
    try:
        return eval(compile(tree, "expression", "eval"), PYTHON)
    except ZeroDivisionError:
        return None


def compare(text):
    """Check one expression; whether the calculator's answer was exact."""
    expected = exactly(text)
    with precision(60):
        try:
            found = Fraction(calculate(text, {}))
        except CalculatorError as refused:
            found, message = None, str(refused)
        exact = not getcontext().flags[Inexact]
    if found is None and re.fullmatch("the (result|quotient) has more than .*", message):
        assert re.search("//|%", text), text  # a quotient must fit the precision whole
    elif found is None:
        assert message == "division by zero"
        assert expected is None or not exact, text
    elif exact:
        assert found == expected, text
    elif expected is not None and not re.search(r"//|%|round|min|max", text):
        # Where nothing jumps, rounding at the 60th digit stays far behind the 20th.
        assert abs(found - expected) <= max(abs(expected), 1) / 10**20, text
    return exact


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0))
def test_ten_thousand_expressions_against_fractions(seed):
    """A hundred expressions from each of a hundred seeds; many of them come out exact."""
    rng = random.Random(seed)
    assert sum(compare(expression(rng)) for _ in range(100)) > 25


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("-2**2", "-4"),
        ("2**-1", "0.5"),
        ("2**3**2", "512"),
        ("--5", "5"),
        ("+5", "5"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7 % (-3)", "-2"),
        ("6 % (-3)", "0"),
        ("10**30 % 7", "1"),
        ("-10**30 % 7", "6"),
        ("10**30 // 10", "1e+29"),
        ("-10**30 // 10", "-1e+29"),
        ("1e1000 % 7", "4"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0." + "3" * 28),
        ("2 / 3", "0." + "6" * 27 + "7"),
        ("1e3", "1000"),
        ("1.50e-3", "0.0015"),
        ("1e28", "1e+28"),
        ("1e-7", "1e-7"),
        ("-0", "0"),
        ("0**0", "1"),
        ("0**5", "0"),
        ("(-8)**3", "-512"),
        ("2**0.5", "1.414213562373095048801688724"),
        ("sqrt(2)", "1.414213562373095048801688724"),
        ("sqrt(0)", "0"),
        ("abs(-3)", "3"),
        ("min(3, 1, 2) + max(3)", "4"),
        ("round(0.5) + round(1.5) + round(2.5)", "4"),
        ("round(2.675, 2)", "2.68"),
        ("round(1234.5, -2)", "1200"),
        ("round(1234.5, 99999)", "1234.5"),
        ("round(1234.5, -99999)", "0"),
        ("round(0, 5)", "0"),
        ("3 \u00d7 4 \u00f7 2 \u2212 1", "5"),
        ("\t1 +\n1 ", "2"),
    ],
)
def test_values(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10%", "0.1"),
        ("200 + 10%", "220"),
        ("80 - 15%", "68"),
        ("200 * 10%", "20"),
        ("200 + 5 * 10%", "200.5"),
        ("200 + -10%", "199.9"),
        ("80 + -15%", "79.85"),
        ("200 + (5 + 10%)", "205.5"),
        ("100 + 10% + 10%", "121"),
        ("7 % -3", "-2.93"),
        ("7 % 3", "1"),
        ("7 % x", "3"),
        ("10%%", "0.001"),
        ("50%**2", "0.25"),
        ("4**50%", "2"),
        ("min(50%, 1)", "0.5"),
    ],
)
def test_percent(text, expected):
    assert value(text, x=4) == expected


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=5))
def test_what_is_shown_can_be_typed_in_again(number):
    with precision(40):
        shown = show(number)
        assert calculate(shown, {}) == number
        assert show(calculate(shown, {})) == shown


def test_the_precision_is_chosen():
    assert value("2 / 3", digits=5) == "0.66667"
    assert value("123456", digits=3) == "1.23e+5"


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "unexpected end, a number expected"),
        ("1 +", 3, "unexpected end, a number expected"),
        ("1 + * 2", 4, "unexpected '*', a number expected"),
        ("1 2", 2, "unexpected '2'"),
        ("(1 + 2", 6, "unexpected end, ')' expected"),
        ("1)", 1, "unexpected ')'"),
        ("1.5.2", 3, "unexpected '.2'"),
        ("1 +  $", 5, "unexpected '$'"),
        ("1 == 2", 2, "unexpected '='"),
        ("x = = 2", 4, "unexpected '=', a number expected"),
        ("1 / 0", 2, "division by zero"),
        ("1 // 0", 2, "division by zero"),
        ("1 % 0", 2, "division by zero"),
        ("0 ** -1", 2, "division by zero"),
        ("2 * nix", 4, "unknown name 'nix'"),
        ("ans", 0, "unknown name 'ans'"),
        ("sqrt", 4, "unexpected end, '(' expected"),
        ("sqrt(1, 2)", 0, "sqrt does not take 2 numbers"),
        ("max()", 4, "unexpected ')', a number expected"),
        ("max = 1", 0, "max is a function"),
        ("1 + sqrt(-1)", 4, "a negative number has no real square root"),
        ("(-8) ** 0.5", 5, "a negative number has no real power with a fraction"),
        ("round(1, 0.5)", 0, "the number of digits is not whole"),
        ("1e30 // 7", 5, "the result has more than 28 digits"),
        ("1e9999 % 7", 7, "the quotient has more than 1000 digits"),
        ("1e9999 // 7", 7, "the quotient has more than 1000 digits"),
        ("1e100000", 0, "the number is too large"),
        ("1e99999 * 10", 8, "the number is too large"),
        ("1e-99999 * 1e-99999", 9, "the number is too small to tell from zero"),
        ("__import__('os')", 11, 'unexpected "\'"'),
    ],
)
def test_errors_know_their_place(text, position, message):
    assert error(text) == (position, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9**9**9**9", "beyond 10 to the power"),
        ("10**999999999", "beyond 10 to the power"),
        ("0.1**999999999", "beyond 10 to the power"),
        ("(" * 1_000_000, "longer than"),
        ("(" * 5_000 + "1" + ")" * 5_000, "longer than"),
        ("(" * 101 + "1", "levels deep"),
        ("-" * 5_000 + "1", "levels deep"),
        ("2**" * 3_000 + "1", "levels deep"),
        ("abs(" * 2_000 + "1", "levels deep"),
    ],
)
def test_what_would_never_end_is_an_error_at_once(text, message):
    assert message in error(text)[1]


def test_long_sums_and_the_deepest_nesting_are_no_problem():
    assert value("1" + "+1" * 4_999) == "5000"
    assert value("(" * 99 + "1" + ")" * 99) == "1"


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CALCULATOR_HISTORY", raising=False)


def feed(monkeypatch, data, terminal=False):
    stream = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdin", stream)


def test_an_error_shows_the_expression_and_a_caret(capsys):
    assert calculator.main(["1", "+ 2 / 0"]) == 1
    shown = capsys.readouterr().err
    assert shown == "calculator: division by zero at column 7\n  1 + 2 / 0\n        ^\n"


def test_the_caret_stays_in_sight_in_a_long_expression(capsys):
    assert calculator.main(["1+" * 100 + "\x1b" + "+1" * 100]) == 1
    _, part, caret = capsys.readouterr().err.splitlines()
    assert part[caret.index("^")] == "\N{REPLACEMENT CHARACTER}"
    assert len(part) < 80


@pytest.mark.parametrize(
    "argv",
    [
        ["-2**2"],
        ["--", "-2**2"],
        ["--precision", "5", "-2**2"],
        ["-sqrt(16)"],
        ["--sqrt(16) - 8"],
        ["1", "-5"],
        ["-", "4"],
    ],
)
def test_an_expression_may_begin_with_a_minus(argv, capsys):
    assert calculator.main(argv) == 0
    assert capsys.readouterr().out == "-4\n"


def test_a_variable_may_stand_behind_the_minus(capsys):
    assert calculator.main(["-x"]) == 1
    assert capsys.readouterr().err.startswith("calculator: unknown name 'x' at column 2")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_a_known_option_is_no_expression(option, capsys):
    with pytest.raises(SystemExit, match="0"):
        calculator.main([option])
    assert '"80 + -15%"       and behind a sign of its own: 79.85' in capsys.readouterr().out


def test_the_arguments_come_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["calculator", "1", "+", "1"])
    assert calculator.main() == 0
    assert capsys.readouterr().out == "2\n"


@pytest.mark.parametrize("precision", ["0", "101", "-1", "x", "9" * 9999])
def test_a_precision_out_of_bounds_is_wrong_usage(precision, capsys):
    with pytest.raises(SystemExit, match="2"):
        calculator.main(["--precision", precision, "1"])
    assert capsys.readouterr().err.startswith("calculator: argument --precision")


def test_lines_of_standard_input_share_variables(monkeypatch, capsys):
    feed(monkeypatch, "größe = 4\r\n\nans * größe\n1/0\nans + 1".encode())
    assert calculator.main([]) == 1
    out, err = capsys.readouterr()
    assert out.split() == ["4", "16", "17"]
    assert err == "calculator: line 4: division by zero at column 2\n  1/0\n   ^\n"


def test_standard_input_that_is_closed_is_refused(monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdin", None)
    assert calculator.main([]) == 1
    assert capfd.readouterr().err == "calculator: standard input is closed\n"


class Lines:
    """A history of lines in memory, with the functions of `readline`."""

    def __init__(self):
        self.written = ""

    def clear_history(self):
        self.written = ""

    def set_history_length(self, length):
        self.written += f"at most {length} "

    def read_history_file(self, path):
        self.written += Path(path).read_text()

    def write_history_file(self, path):
        Path(path).write_text(self.written)


@pytest.mark.parametrize("lines", [Lines(), None])
def test_a_history_is_kept_where_the_system_can(lines, monkeypatch, tmp_path, capsys):
    typed = iter(["x = 20", "ans + x + 2", "nix", "quit"])
    monkeypatch.setattr(builtins, "input", lambda _: next(typed))
    monkeypatch.setattr(calculator, "readline", lines)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("CALCULATOR_HISTORY", str(tmp_path / "history"))
    for _ in range(1 if lines is None else 2):
        feed(monkeypatch, b"", terminal=True)
        typed = iter(["x = 20", "ans + x + 2", "nix", "quit"])
        assert calculator.main([]) == 0
        out, err = capsys.readouterr()
        assert out == "20\n42\n"
        assert "unknown name 'nix'" in err
    kept = tmp_path / "history"
    assert kept.exists() == (lines is not None)
    assert lines is None or kept.read_text() == "at most 1000 at most 1000 "


def test_a_system_without_readline(monkeypatch):
    monkeypatch.setitem(sys.modules, "readline", None)
    assert runpy.run_path(calculator.__file__)["readline"] is None


def test_a_history_that_cannot_be_read_or_written_is_no_obstacle(monkeypatch, tmp_path):
    with calculator.history(tmp_path / "missing" / "history"):
        pass
    assert not (tmp_path / "missing").exists()


def test_without_a_home_folder_there_is_no_history(monkeypatch, capsys):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # an account that the system does not know
    monkeypatch.setattr(calculator, "readline", Lines())
    typed = iter(["6 * 7", "quit"])
    monkeypatch.setattr(builtins, "input", lambda _: next(typed))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    feed(monkeypatch, b"", terminal=True)
    assert calculator.main([]) == 0
    assert capsys.readouterr() == ("42\n", "")


def test_a_person_at_a_terminal(tmp_path):
    """A place to type, an answer, the end of input; and the line is in the history."""
    master, slave = pty.openpty()
    dialogue = subprocess.Popen(
        [sys.executable, "-m", "programs.calculator"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(programs.__file__).parent.parent),
            "TERM": "dumb",
        },
    )
    os.close(slave)
    with dialogue:
        seen = read_until(master, b"> ")
        os.write(master, b"6 * 7\n")
        seen += read_until(master, b"42\r\n> ")
        os.write(master, b"ans / 0\n")
        seen += read_until(master, b"^\r\n> ")
        os.write(master, b"\x04")
        assert dialogue.wait(timeout=30) == 0
    os.close(master)
    assert b"Traceback" not in seen
    assert "6 * 7" in (tmp_path / ".calculator_history").read_text()


def read_until(descriptor, end):
    """What a terminal shows, up to something."""
    seen = b""
    while not seen.endswith(end):
        seen += os.read(descriptor, 1)
    return seen


def test_closed_standard_streams_are_no_traceback(monkeypatch, capfd):
    """Nothing is said where nothing can be, and no error goes to standard output."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert calculator.main(["1 / 0"]) == 1
    assert capfd.readouterr() == ("", "")
    assert calculator.main([]) == 1
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    monkeypatch.setattr(calculator, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert calculator.main(["1 / 0"]) == 1
    assert capfd.readouterr() == ("", "calculator: no\n")


def fail(_):
    raise OSError("no")


def test_without_standard_output_nobody_is_asked(monkeypatch, capfd):
    feed(monkeypatch, b"1 / 0\n", terminal=True)
    monkeypatch.setattr(sys, "stdout", None)
    assert calculator.main([]) == 1
    assert capfd.readouterr().err.startswith("calculator: line 1: division by zero")
