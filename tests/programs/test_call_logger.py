"""The call logger: what it says of each kind of function, and what it leaves as it was."""

import asyncio
import functools
import gc
import inspect
import io
import logging
import sys
from typing import assert_type

import pytest

from programs import call_logger
from programs.call_logger import log_calls

LOGGER = logging.getLogger("calls")


@pytest.fixture(autouse=True)
def said(caplog):
    """The log of a test, without the durations."""
    caplog.set_level(logging.DEBUG)
    return lambda: [
        record.getMessage().rpartition(" in ")[0]
        for record in caplog.records
        if record.name != "asyncio"  # which says what it waits with
    ]


@log_calls
def add(a: int, b: int = 1, *more: int, **named: int) -> int:
    """Add numbers."""
    return a + b + sum(more) + sum(named.values())


# --- what is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ((1,), {}, "add(a=1) -> 2"),
        ((1, 2), {}, "add(a=1, b=2) -> 3"),
        ((1,), {"b": 2}, "add(a=1, b=2) -> 3"),
        ((1, 2, 3, 4), {}, "add(a=1, b=2, *more=(3, 4)) -> 10"),
        ((1,), {"c": 5}, "add(a=1, c=5) -> 7"),
    ],
)
def test_arguments_go_by_their_names(args, kwargs, expected, said):
    add(*args, **kwargs)
    assert said() == [expected]


def test_the_duration_is_in_milliseconds(caplog):
    add(1)
    assert caplog.messages[0].endswith(" ms")
    assert float(caplog.messages[0].split()[-2]) >= 0


def test_the_record_stands_where_the_caller_stands(caplog):
    add(1)
    assert (caplog.records[0].funcName, caplog.records[0].name) == (
        "test_the_record_stands_where_the_caller_stands",
        __name__,
    )


def test_an_exception_is_logged_and_raised_as_it_is(said):
    error = KeyError("x")

    @log_calls
    def fail():
        raise error

    with pytest.raises(KeyError) as caught:
        fail()
    assert caught.value is error
    assert said()[0].endswith("fail() raised KeyError('x')")


def test_arguments_that_do_not_fit_are_the_functions_own_error(said):
    with pytest.raises(TypeError, match="missing 1 required"):
        add()  # ty: ignore[missing-argument] - the mistake is the point
    assert said()[0].startswith("add(<arguments that do not fit>) raised TypeError")


def test_arguments_are_told_as_they_were_before_the_call(said):
    @log_calls
    def empty(items):
        items.clear()

    empty([1, 2])
    assert said()[0].endswith("empty(items=[1, 2]) -> None")


class Nasty:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        if self.text is None:
            raise RuntimeError
        return self.text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 100, "'xxxxx...xxxxx'..."),
        (b"x" * 10**6, "b'xxxxxxxxxxxxx..."),
        (10**5000, "<int that canno..."),
        (Nasty("a\nb\x1b[31m"), "a\\nb\\x1b[31m"),
        (Nasty(None), "<Nasty instance..."),
        ([Nasty("a" * 99)], "[aaaaaa...aaaaa..."),
        ("a\nb", "'a\\nb'"),
    ],
    ids=["text", "bytes", "number", "lines", "broken", "list", "newline"],
)
def test_values_are_bounded_and_stay_on_the_line(value, shown, said):
    @log_calls(limit=15)
    def look(value):
        return None

    look(value)
    text = said()[0]
    assert "\n" not in text
    assert text.partition("value=")[2].startswith(shown[:9])
    assert len(text.partition("value=")[2]) < 40


def test_what_fails_in_its_repr_does_not_fail_the_call(said):
    class list_(list):
        def __repr__(self):
            raise RuntimeError

    list_.__name__ = "list"
    assert log_calls(len)(list_([1])) == 1
    assert len(said()) == 1


# --- redaction ------------------------------------------------------------------------------------


@log_calls(redact={"password", "token", "return"})
def log_in(name: str, password: str, *, token: str = "", fail: bool = False) -> str:
    if fail:
        raise ValueError(password)
    return password


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("ann", "SECRET"), {}),
        (("ann",), {"password": "SECRET"}),
        ((), {"password": "SECRET", "name": "ann", "token": "SECRET"}),
        (("ann", "SECRET", "SECRET"), {}),
        (("ann", "SECRET"), {"wrong": "SECRET"}),
        (("ann", "SECRET"), {"fail": True}),
    ],
)
def test_a_secret_is_never_said_however_it_is_passed(args, kwargs, said):
    try:
        log_in(*args, **kwargs)
    except (TypeError, ValueError):
        assert "raised" in said()[0]
    assert len(said()) == 1
    assert "SECRET" not in said()[0]
    assert "<redacted>" in said()[0]


def test_a_secret_in_the_extra_arguments(said):
    @log_calls(redact="key")
    def call(*args, **kwargs):
        return None

    @log_calls(redact=["args", "kwargs"])
    def hidden(*args, **kwargs):
        return None

    call(1, key="SECRET", other=2)
    hidden(1, key="SECRET")
    assert [text.partition("<locals>.")[2] for text in said()] == [
        "call(*args=(1,), key=<redacted>, other=2) -> None",
        "hidden(*args=<redacted>, kwargs=<redacted>) -> None",
    ]


def test_a_misspelt_name_is_an_error_when_the_function_is_decorated():
    with pytest.raises(ValueError, match="no argument passwrod to redact"):
        log_calls(redact={"passwrod"})(log_in)


# --- methods --------------------------------------------------------------------------------------


class Shop:
    @log_calls
    def method(self, x: int) -> int:
        return x

    @log_calls
    @classmethod
    def outside(cls, x: int) -> int:
        return x

    @classmethod
    @log_calls
    def inside(cls, x: int) -> int:
        return x

    @log_calls()
    @staticmethod
    def static_outside(x: int) -> int:
        return x

    @staticmethod
    @log_calls()
    def static_inside(x: int) -> int:
        return x

    def __repr__(self):
        raise AssertionError("the instance is not a part of the message")


@pytest.mark.parametrize("name", ["method", "outside", "inside", "static_outside", "static_inside"])
def test_methods_in_either_order(name, said):
    assert getattr(Shop(), name)(3) == 3
    assert said() == [f"Shop.{name}(x=3) -> 3"]


def test_class_methods_work_on_the_class(said):
    assert Shop.outside(1) + Shop.inside(2) + Shop.static_outside(3) + Shop.static_inside(4) == 10
    assert len(said()) == 4


# --- coroutines and generators --------------------------------------------------------------------


@log_calls
async def fetch(x: int) -> int:
    await asyncio.sleep(0)
    return x if x else 1 // x


@log_calls
def numbers(n: int):
    got = []
    for number in range(n):
        try:
            got.append((yield number))
        except ValueError as error:
            got.append(error.args[0])
    return got


@log_calls
async def ticks(n: int):
    try:
        for number in range(n):
            try:
                sent = yield number
            except ValueError as error:
                sent = error.args[0]
            if sent:
                yield f"got {sent}"
    finally:
        await asyncio.sleep(0)


def test_a_coroutine_is_logged_when_it_ends(said):
    assert asyncio.run(fetch(2)) == 2
    with pytest.raises(ZeroDivisionError):
        asyncio.run(fetch(0))
    assert said()[0] == "fetch(x=2) -> 2"
    assert said()[1].startswith("fetch(x=0) raised ZeroDivisionError(")


def test_a_cancelled_coroutine_says_so(said):
    async def scenario():
        task = asyncio.create_task(fetch(1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert said() == ["fetch(x=1) raised CancelledError()"]


def test_a_generator_is_logged_when_it_ends_and_passes_everything_on(said):
    generator = numbers(3)
    assert (next(generator), generator.send("a"), generator.throw(ValueError("b"))) == (0, 1, 2)
    assert said() == []
    with pytest.raises(StopIteration) as stopped:
        generator.send("c")
    assert stopped.value.value == ["a", "b", "c"]
    assert said() == ["numbers(n=3) -> ['a', 'b', 'c']"]


def test_a_generator_nobody_finishes(said):
    assert next(numbers(3)) == 0
    gc.collect()
    assert said() == ["numbers(n=3) closed before its end"]


def test_an_async_generator_passes_everything_on(said):
    async def scenario():
        assert [number async for number in ticks(2)] == [0, 1]
        generator = ticks(3)
        assert await generator.__anext__() == 0
        assert await generator.asend("a") == "got a"
        assert await generator.__anext__() == 1
        assert await generator.athrow(ValueError("b")) == "got b"
        with pytest.raises(KeyError):
            await generator.athrow(KeyError("c"))
        generator = ticks(3)
        assert await generator.__anext__() == 0
        await generator.aclose()

    asyncio.run(scenario())
    assert said() == [
        "ticks(n=2) -> None",
        "ticks(n=3) raised KeyError('c')",
        "ticks(n=3) closed before its end",
    ]


# --- what stays -----------------------------------------------------------------------------------


def test_the_signature_the_name_and_the_kind_stay():
    assert str(inspect.signature(add)) == "(a: int, b: int = 1, *more: int, **named: int) -> int"
    assert (add.__name__, add.__doc__) == ("add", "Add numbers.")
    assert inspect.iscoroutinefunction(fetch)
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(ticks)
    assert isinstance(inspect.getattr_static(Shop, "outside"), classmethod)
    assert isinstance(inspect.getattr_static(Shop, "static_outside"), staticmethod)


def test_the_types_stay():
    """Checked where the types are checked; at run time these are no more than calls."""
    assert_type(add(1), int)
    assert_type(log_in("a", "b"), str)
    assert_type(Shop.outside(1), int)
    assert_type(Shop().method(1), int)
    fetch(1).close()


def everything():
    """Each kind of function, used once."""
    assert add(1) == 2
    assert asyncio.run(fetch(2)) == 2
    assert list(numbers(2)) == [0, 1]

    async def collect():
        return [number async for number in ticks(2)]

    assert asyncio.run(collect()) == [0, 1]


def test_disabled_it_says_nothing(caplog, said):
    caplog.set_level(logging.INFO)
    everything()
    assert said() == []
    caplog.set_level(logging.DEBUG)
    everything()
    assert len(said()) == 4


def test_logger_and_level_are_chosen(caplog):
    for logger in (LOGGER, "calls"):
        log_calls(logger=logger, level=logging.WARNING)(lambda: None)()
    assert [(r.name, r.levelno) for r in caplog.records] == [("calls", logging.WARNING)] * 2


def test_what_is_no_function_is_refused():
    for thing in (3, Shop):
        with pytest.raises(TypeError, match="is not a function"):
            log_calls(thing)  # ty: ignore[invalid-argument-type] - the mistake is the point


def test_callables_without_a_name_or_a_signature(said):
    partial = functools.partial(add, 1)
    assert log_calls(logger="calls")(partial)(2) == 3
    assert log_calls(logger="calls")(max)(1, 2, key=None) == 2
    assert log_calls(functools.partial(max))(1, 2) == 2
    assert said()[1] == "partial(b=2) -> 3"
    assert said()[2] == "max(*args=(1, 2), key=None) -> 2"


# --- the command line -----------------------------------------------------------------------------


async def later(n):
    return n


async def several(n):
    for number in range(n):
        yield number


def interrupt():
    raise KeyboardInterrupt


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setitem(sys.modules, "here", sys.modules[__name__])


@pytest.mark.parametrize(
    ("argv", "out", "err"),
    [
        (["math:gcd", "12", "18"], "6\n", "gcd(*integers=(12, 18)) -> 6"),
        (["textwrap:indent", "Ü", "prefix=> "], "> Ü\n", "indent(text='Ü', prefix='> ') -> '> Ü'"),
        (["here:later", "[1]"], "[1]\n", "later(n=[1]) -> [1]"),
        (["here:several", "2"], "0\n1\n", "several(n=2) -> None"),
        (["here:numbers", "n=2"], "0\n1\n", "numbers(n=2) -> [None, None]"),
        (["--redact", "n", "here:later", "3"], "3\n", "later(n=<redacted>) -> 3"),
        (["--limit", "3", "here:later", "abcdef"], "abcdef\n", "later(n=...) -> ... in"),
    ],
)
@pytest.mark.usefixtures("here")
def test_any_function_can_be_called(argv, out, err, capsys):
    assert call_logger.main(argv) == 0
    shown = capsys.readouterr()
    assert shown.out == out
    assert err in shown.err


@pytest.mark.usefixtures("here")
def test_what_the_function_raises_is_one_line(capsys):
    assert call_logger.main(["math:sqrt", "--", "-1"]) == 1
    logged, refused = capsys.readouterr().err.splitlines()
    assert "sqrt(x=-1) raised ValueError(" in logged
    assert refused.startswith("call_logger: ValueError: ")
    assert call_logger.main(["here:interrupt"]) == 130


@pytest.mark.parametrize("target", ["nothing", "nothing:x", "math:nothing", "math:pi", "a b:c", ""])
def test_what_cannot_be_called_is_refused(target, capsys):
    assert call_logger.main([target]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_log_of_the_program_ends_with_it(capsys):
    assert call_logger.main(["math:gcd", "1"]) == 0
    capsys.readouterr()
    logging.getLogger(call_logger.NAME).warning("nobody listens any more")
    assert capsys.readouterr().err == ""
    assert isinstance(sys.stdout, io.TextIOBase)


def test_closed_standard_streams_are_no_traceback(monkeypatch, capfd):
    """Nothing is said where nothing can be, and no error goes to standard output."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert call_logger.main(["nothing:x"]) == 1
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    monkeypatch.setattr(call_logger, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert call_logger.main(["nothing:x"]) == 1
    assert capfd.readouterr() == ("", "call_logger: no\n")


def fail(_):
    raise OSError("no")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1/0", "broken:f: ZeroDivisionError: division by zero"),
        ("def (", "broken:f: SyntaxError: invalid syntax (broken.py, line 1)"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_one_line(body, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "broken.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    assert call_logger.main(["broken:f"]) == 1
    assert capsys.readouterr().err == f"call_logger: {message}\n"


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def mute(fail):
    if fail:
        raise Mute
    return Mute()


@pytest.mark.parametrize(("fail", "error"), [("false", "RuntimeError: no text"), ("true", "Mute")])
@pytest.mark.usefixtures("here")
def test_what_has_no_text_is_one_line(fail, error, capsys):
    assert call_logger.main(["here:mute", fail]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[1:] == [f"call_logger: {error}"]


def refuse_login(password):
    raise ValueError(f"wrong {password}")


@pytest.mark.usefixtures("here")
def test_an_error_does_not_give_away_what_is_redacted(capsys):
    assert call_logger.main(["--redact", "password", "here:refuse_login", "SECRET"]) == 1
    err = capsys.readouterr().err
    assert err.splitlines()[1:] == ["call_logger: ValueError"]
    assert "SECRET" not in err


@pytest.mark.parametrize("limit", ["-5", "x", "1.5", "9" * 10])
def test_a_limit_that_is_no_number_of_characters_is_wrong_usage(limit, capsys):
    with pytest.raises(SystemExit, match="2"):
        call_logger.main(["--limit", limit, "math:gcd"])
    assert capsys.readouterr().err.startswith("call_logger: argument --limit: ")


def test_the_help_says_that_arguments_are_optional(capsys):
    with pytest.raises(SystemExit, match="0"):
        call_logger.main(["--help"])
    shown = capsys.readouterr().out
    assert "[ARGUMENT ...]" in shown
    assert "none or more" in shown
