"""Fibonacci numbers: the generator against its rule, and everything else against the generator."""

import sys
import tracemalloc
from collections import deque
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import fibonacci as program
from programs.fibonacci import (
    fibonacci,
    first,
    from_index,
    is_fibonacci,
    nth,
    to_number,
    to_text,
    total,
    up_to,
)


def test_the_first_ones():
    assert list(first(10)) == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
    assert list(first(0)) == []


def test_each_is_the_sum_of_the_two_before():
    numbers = list(first(500))
    assert all(a + b == c for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False))


@pytest.mark.parametrize(
    ("limit", "expected"), [(-1, []), (0, [0]), (1, [0, 1, 1]), (7, [0, 1, 1, 2, 3, 5])]
)
def test_up_to_includes_the_limit(limit, expected):
    assert list(up_to(limit)) == expected


@settings(deadline=None)
@given(st.integers(-300, 300))
def test_nth_is_what_the_generator_yields(index):
    assert nth(index) + nth(index + 1) == nth(index + 2)
    assert index < 0 or nth(index) == next(islice(fibonacci(), index, None))


def test_negative_indices():
    assert [nth(-n) for n in range(9)] == [0, 1, -1, 2, -3, 5, -8, 13, -21]


@settings(deadline=None)
@given(st.integers(-50, 50))
def test_from_an_index_on(index):
    assert list(islice(from_index(index), 5)) == [nth(n) for n in range(index, index + 5)]


@settings(deadline=None)
@given(st.integers(0, 500))
def test_members_are_found(index):
    assert is_fibonacci(nth(index))


@settings(deadline=None)
@given(st.integers(-10, 10**40))
def test_others_are_not(number):
    assert is_fibonacci(number) == (number in set(up_to(number)))


@settings(deadline=None)
@given(st.integers(0, 300))
def test_the_sum_is_the_sum(count):
    assert total(count) == sum(first(count))


def test_the_generator_takes_constant_memory():
    """Two numbers and no more, whether a thousand were taken or thirty thousand."""

    def peak(count):
        tracemalloc.start()
        deque(first(count), maxlen=0)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken - 4 * sys.getsizeof(nth(count))

    assert peak(30_000) < peak(1_000) + 2_000


def test_the_millionth_has_its_known_digits():
    digits = to_text(nth(1_000_000))
    assert (len(digits), digits[:10], digits[-10:]) == (208_988, "1953282128", "8242546875")


# --- numbers and texts ----------------------------------------------------------------------------


@pytest.fixture
def _any_size():
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(limit)


@pytest.mark.usefixtures("_any_size")
@pytest.mark.parametrize(
    ("base", "exponent", "more"),
    [(0, 1, 0), (7, 1, 0), (-7, 1, 0), (10, 617, 0), (2, 2048, -1), (2, 2048, 0), (-3, 9999, 0)],
)
def test_text_and_number_of_any_size(base, exponent, more):
    number = base**exponent + more
    assert to_text(number) == str(number)
    assert to_number(to_text(abs(number))) == abs(number)


@settings(deadline=None)
@given(st.integers(min_value=0), st.integers(0, 20_000))
def test_to_number_is_the_inverse_of_to_text(number, shift):
    assert to_number(to_text(number << shift)) == number << shift


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("first 5", "0 1 1 2 3"),
        ("up-to 8", "0 1 1 2 3 5 8"),
        ("from 10 --count 3", "55 89 144"),
        ("from -3 --count 5", "2 -1 1 0 1"),
        ("nth 100", "354224848179261915075"),
        ("nth -8", "-21"),
        ("sum 10", "88"),
        ("test 144", "yes"),
    ],
)
def test_commands(argv, expected, capsys):
    assert program.main(argv.split()) == 0
    assert capsys.readouterr().out.split() == expected.split()


def test_more_digits_than_python_prints(capsys):
    assert program.main(["nth", "100000"]) == 0
    digits = capsys.readouterr().out.strip()
    assert len(digits) == 20_899
    assert program.main(["test", digits]) == 0
    assert program.main(["test", f"{digits}1"]) == 1
    assert capsys.readouterr().out == "yes\nno\n"


@pytest.mark.parametrize("argv", ["nth 10000001", "from -10000001", "first 99999999999", "test -1"])
def test_what_is_refused(argv, capsys):
    assert program.main(argv.split()) == 1
    out, err = capsys.readouterr()
    assert out == "no\n" or err == "fibonacci: an index is not beyond 10000000\n"


@pytest.mark.parametrize(
    "argv", ["first -1", "first x", "nth 1.5", "sum -1", "nth", "test \u0661", ""]
)
def test_wrong_usage(argv, capsys):
    with pytest.raises(SystemExit, match="2"):
        program.main(argv.split())
    assert capsys.readouterr().err.count("\n") == 1


def test_closed_standard_streams_are_no_traceback(monkeypatch, capfd):
    """Nothing is said where nothing can be, and no error goes to standard output."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert program.main(["nth", "10000001"]) == 1
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    monkeypatch.setattr(program, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert program.main(["nth", "1"]) == 1
    assert capfd.readouterr() == ("", "fibonacci: no\n")


def fail(_):
    raise OSError("no")
