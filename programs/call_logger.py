"""A decorator that logs calls of any kind of function, with arguments, result and duration.

    @log_calls(redact={"password"})
    def log_in(name: str, password: str) -> bool: ...

logs `log_in(name='ann', password=<redacted>) -> True in 0.012 ms` when the level is enabled. When
it is not, a call costs one look at the logger more than without the decorator.
"""

import argparse
import asyncio
import inspect
import io
import json
import logging
import os
import pkgutil
import re
import reprlib
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import update_wrapper
from time import perf_counter
from typing import Any, NoReturn, ParamSpec, Protocol, TypeVar, cast, overload

NAME, VERSION = "call_logger", "1.0.0"

HIDDEN = "<redacted>"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any]")


# --- how a call is told ---------------------------------------------------------------------------


class Brief(reprlib.Repr):
    """A `repr` that never takes long and never fails, and fits on one line."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = self.maxstring = self.maxother = self.maxlong = limit

    def repr_bytes(self, value: bytes, _: int) -> str:
        return repr(value[: self.limit])

    def show(self, value: object) -> str:
        text = f"<{type(value).__name__} that cannot be shown>"
        with suppress(Exception):
            text = CONTROL.sub(lambda match: repr(match[0])[1:-1], self.repr(value))
        return text if len(text) <= self.limit else f"{text[: self.limit]}..."


class Teller:
    """Tells the calls of one function to a logger."""

    def __init__(
        self,
        function: Callable[..., Any],
        logger: logging.Logger,
        level: int,
        redact: Collection[str],
        limit: int,
    ) -> None:
        self.logger, self.level, self.brief = logger, level, Brief(limit)
        # Not the repr: that of a partial function has the values of arguments in it.
        self.name = getattr(function, "__qualname__", type(function).__qualname__)
        self.redact = frozenset([redact] if isinstance(redact, str) else redact)
        self.parameters = parameters(function)
        self.signature = inspect.Signature(list(self.parameters.values()))
        unknown = self.redact - self.parameters.keys() - {"return"}
        if unknown and inspect.Parameter.VAR_KEYWORD not in self.kinds():
            raise ValueError(f"{self.name} has no argument {', '.join(sorted(unknown))} to redact")

    def kinds(self) -> set[Any]:
        return {parameter.kind for parameter in self.parameters.values()}

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The function and its arguments, each by its name, however it was passed."""
        try:
            bound = self.signature.bind(*args, **kwargs).arguments
        except TypeError:  # the function is about to say so itself
            return f"{self.name}(<arguments that do not fit>)"
        return f"{self.name}({', '.join(self.arguments(bound))})"

    def arguments(self, bound: dict[str, Any]) -> Iterator[str]:
        """`name=value` for each argument but the instance or the class of a method."""
        for position, (name, value) in enumerate(bound.items()):
            kind = self.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD and name not in self.redact:
                yield from (self.argument(key, item) for key, item in value.items())
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                yield f"*{self.argument(name, value)}"
            elif position or name not in {"self", "cls"}:
                yield self.argument(name, value)

    def argument(self, name: str, value: object) -> str:
        return f"{name}={HIDDEN if name in self.redact else self.brief.show(value)}"

    def result(self, value: object) -> str:
        return HIDDEN if "return" in self.redact else self.brief.show(value)

    def error(self, error: BaseException) -> str:
        """What was raised; where something is redacted, its message could give that away."""
        return f"{type(error).__name__}({HIDDEN})" if self.redact else self.brief.show(error)


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a function; some built-in ones do not tell, and may have any."""
    try:
        return dict(inspect.signature(function).parameters)
    except ValueError:
        kinds = {"args": inspect.Parameter.VAR_POSITIONAL, "kwargs": inspect.Parameter.VAR_KEYWORD}
        return {name: inspect.Parameter(name, kind) for name, kind in kinds.items()}


class Call:
    """A context in which one call runs, and which logs how it ended."""

    __slots__ = ("result", "start", "teller", "text")

    def __init__(self, teller: Teller, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.teller, self.result = teller, None
        self.text = teller.call(args, kwargs)  # now: the function may change what it was given
        self.start = perf_counter()

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        took, teller = (perf_counter() - self.start) * 1000, self.teller
        if error is None:
            outcome = f"-> {teller.result(self.result)}"
        elif isinstance(error, GeneratorExit):
            outcome = "closed before its end"
        else:
            outcome = f"raised {teller.error(error)}"
        # The record's place in the source is the caller's: beyond this method and the wrapper.
        teller.logger.log(teller.level, "%s %s in %.3f ms", self.text, outcome, took, stacklevel=3)


# --- the decorator --------------------------------------------------------------------------------


class Decorator(Protocol):
    """What `log_calls` with parentheses is: it gives back the type that it is given."""

    def __call__(self, function: F, /) -> F: ...


@overload
def log_calls(function: F, /) -> F: ...


@overload
def log_calls(
    *,
    logger: logging.Logger | str | None = None,
    level: int = logging.DEBUG,
    redact: Collection[str] = (),
    limit: int = 200,
) -> Decorator: ...


def log_calls(
    function: Any = None,
    /,
    *,
    logger: logging.Logger | str | None = None,
    level: int = logging.DEBUG,
    redact: Collection[str] = (),
    limit: int = 200,
) -> Any:
    """Log the calls of a function, with or without parentheses, also around class methods.

    `logger` is the logger of the function's module unless one is given. `redact` names arguments
    whose values never appear, however they are passed; `"return"` stands for the result. Of a value
    at most `limit` characters are logged. A generator is logged when it ends.
    """

    def decorate(function: Any) -> Any:
        if isinstance(function, classmethod | staticmethod):
            return type(function)(decorate(function.__func__))
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"{function!r} is not a function; of a class, decorate the methods")
        name = logger or getattr(function, "__module__", None)
        target = name if isinstance(name, logging.Logger) else logging.getLogger(name)
        teller = Teller(function, target, level, redact, limit)
        return update_wrapper(logged(function, teller), function)

    return decorate if function is None else decorate(function)


def logged(function: Callable[P, R], teller: Teller) -> Callable[P, R]:
    """The wrapper that is of the same kind as the function, so that it can stand in its place."""
    kinds: list[tuple[Callable[[Any], bool], Callable[..., Any]]] = [
        (inspect.isasyncgenfunction, logged_async_generator),
        (inspect.iscoroutinefunction, logged_coroutine),
        (inspect.isgeneratorfunction, logged_generator),
    ]
    wrap = next((wrap for is_kind, wrap in kinds if is_kind(function)), logged_function)
    return cast("Callable[P, R]", wrap(function, teller))


def logged_function(function: Callable[P, R], teller: Teller) -> Callable[P, R]:
    enabled, level = teller.logger.isEnabledFor, teller.level

    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if not enabled(level):
            return function(*args, **kwargs)
        with Call(teller, args, kwargs) as call:
            call.result = result = function(*args, **kwargs)
        return result

    return wrapper


def logged_coroutine(function: Callable[P, Any], teller: Teller) -> Callable[P, Any]:
    enabled, level = teller.logger.isEnabledFor, teller.level

    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
        if not enabled(level):
            return await function(*args, **kwargs)
        with Call(teller, args, kwargs) as call:
            call.result = await function(*args, **kwargs)
        return call.result

    return wrapper


def logged_generator(function: Callable[P, Any], teller: Teller) -> Callable[P, Any]:
    enabled, level = teller.logger.isEnabledFor, teller.level

    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
        if not enabled(level):
            return (yield from function(*args, **kwargs))
        with Call(teller, args, kwargs) as call:
            call.result = yield from function(*args, **kwargs)
        return call.result

    return wrapper


def logged_async_generator(function: Callable[P, Any], teller: Teller) -> Callable[P, Any]:
    enabled, level = teller.logger.isEnabledFor, teller.level

    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
        # Not `if not enabled: async for ...`: only the whole protocol is the same generator.
        call = Call(teller, args, kwargs) if enabled(level) else nullcontext()
        with call:
            generator = function(*args, **kwargs)
            step = generator.__anext__()
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown on into the generator
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)

    return wrapper


# --- the command line -----------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.call_logger math:gcd 12 18
  python -m programs.call_logger textwrap:shorten '"a long text"' width=8
  python -m programs.call_logger --redact query urllib.parse:urlencode '{"token": "secret"}'
  python -m programs.call_logger shop.orders:total '{"apples": 3}'     a module in this folder

Calls the function and prints what it returns, or each thing that it yields; the log goes to
standard error. An argument is JSON, and whatever is not is a text; NAME=VALUE is passed by name.
With --redact an error is told without its message, which could give the value away.
Exit codes: 0 done, 1 refused or raised, 2 wrong usage, 130 interrupted.
"""
ARGUMENTS = "of the function, none or more (default: none)"
REDACT = "do not log this argument's value"


class CallError(Exception):
    """A call that cannot be made, or that raised; the message is one line."""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def utf8(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode()


def limit(argument: str) -> int:
    """A number of characters of the command line."""
    if argument.isdecimal() and len(argument) < 10:
        return int(argument)
    raise argparse.ArgumentTypeError(f"{argument!r} is not a number from 0")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="Call a Python function and log the call.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_argument = parser.add_argument
    add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    add_argument("--redact", action="append", default=[], metavar="NAME", help=REDACT)
    add_argument("--limit", type=limit, default=200, metavar="CHARACTERS", help="of a value")
    add_argument("function", type=utf8, help="MODULE:FUNCTION")
    add_argument("arguments", nargs="*", type=utf8, metavar="ARGUMENT", help=ARGUMENTS)
    return parser


def value(text: str) -> Any:
    """JSON, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def call(function: Callable[..., Any], arguments: list[str]) -> Iterator[Any]:
    """What a function returns or yields when it is called with arguments of the command line."""
    named = [text.split("=", 1) for text in arguments if re.match(r"[^\W\d]\w*=", text)]
    plain = [value(text) for text in arguments if not re.match(r"[^\W\d]\w*=", text)]
    result = function(*plain, **{name: value(text) for name, text in named})
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    if inspect.isasyncgen(result):
        result = asyncio.run(collect(result))
    elif not inspect.isgenerator(result):
        result = [result]
    yield from result


async def collect(generator: AsyncGenerator[Any]) -> list[Any]:
    """Everything that an asynchronous generator yields."""
    return [item async for item in generator]


@contextmanager
def to_stderr(logger: logging.Logger) -> Generator[None]:
    """Let a logger write lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def run(args: argparse.Namespace) -> int:
    """Find the function, decorate it and call it."""
    logger = logging.getLogger(NAME)
    target = load(args.function)
    try:
        decorate = log_calls(
            logger=logger, level=logging.INFO, redact=args.redact, limit=args.limit
        )
        function = decorate(target)
    except (TypeError, ValueError) as error:
        raise CallError(f"{args.function}: {error}") from error
    with to_stderr(logger):
        for text in answers(function, args.arguments, secret=bool(args.redact)):
            print(text)
    return 0


def load(name: str) -> Any:
    """What MODULE:FUNCTION names; the module's own code runs, and may raise anything."""
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CallError(f"{name}: {error}") from error
    except Exception as error:
        raise CallError(f"{name}: {told(error)}") from error


def answers(function: Callable[..., Any], arguments: list[str], *, secret: bool) -> Iterator[str]:
    """The answers of a call as texts; what the function or such a text raises is a refusal."""
    try:
        for answer in call(function, arguments):
            yield str(answer)
    except Exception as error:
        raise CallError(type(error).__name__ if secret else told(error)) from error


def told(error: Exception) -> str:
    """The type and the message of an error; its message may itself raise."""
    text = type(error).__name__
    with suppress(Exception):
        text = f"{text}: {error}"
    return text


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return run(build_parser().parse_args(argv))
        finally:
            print(end="", flush=True)  # what is wrong with standard output shows here
    except CallError as error:
        return refuse(error)
    except OSError as error:
        if sys.stdout:  # nothing more can be printed there, not even by the interpreter as it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if isinstance(error, BrokenPipeError) else refuse(error)
    except KeyboardInterrupt:
        return 130


def refuse(error: Exception) -> int:
    """One line on standard error; were that closed, `print` would take standard output."""
    if sys.stderr:
        with suppress(OSError):
            print(f"{NAME}: {' '.join(str(error).split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
