"""A calculator in decimal arithmetic: expressions, variables, percent, a caret at each error.

An expression is cut into tokens, the tokens are put in postfix order by precedence climbing, and
the postfix steps run on a stack. Nothing is ever handed to Python's own `eval`.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
    getcontext,
    localcontext,
)
from pathlib import Path
from typing import NamedTuple, NoReturn

try:
    import readline
except ImportError:  # not on every system; then there are lines without a history
    readline = None

NAME, VERSION = "calculator", "1.0.0"

# The bounds that make every expression an answer or an error at once.
MAX_LENGTH = 10_000  # characters of an expression
MAX_DEPTH = 100  # parentheses, signs and powers inside each other
MAX_EXPONENT = 99_999  # of ten, in any number
MAX_PRECISION = 100  # digits
MAX_QUOTIENT = 1_000  # digits, on the way to the result of // and %

TRAPS = [InvalidOperation, DivisionByZero, Overflow, Underflow]


class CalculatorError(Exception):
    """What is wrong with an expression, and the index where."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


# --- the operations -----------------------------------------------------------------------------


def add(left: Decimal, right: Decimal) -> Decimal:
    return left + right


def subtract(left: Decimal, right: Decimal) -> Decimal:
    return left - right


def multiply(left: Decimal, right: Decimal) -> Decimal:
    return left * right


def divide(left: Decimal, right: Decimal) -> Decimal:
    return left / nonzero(right)


def floor_divide(left: Decimal, right: Decimal) -> Decimal:
    """Rounded down; the result must fit the precision whole."""
    with wide():
        quotient = exact_quotient(left, right)
    if +quotient != quotient:
        raise InvalidOperation
    return +quotient


def exact_quotient(left: Decimal, right: Decimal) -> Decimal:
    """Rounded down, as Python's integers do; Decimal's own `//` rounds towards zero."""
    quotient, rest = divmod(left, nonzero(right))
    return quotient - 1 if rest and (rest < 0) != (right < 0) else quotient


def modulo(left: Decimal, right: Decimal) -> Decimal:
    """What is left of a floor division: it has the sign of the divisor."""
    with wide():
        rest = left % nonzero(right)
    return rest + right if rest and (rest < 0) != (right < 0) else rest


@contextmanager
def wide() -> Generator[None]:
    """Room for a quotient that is longer than the precision, though not for one without bounds."""
    try:
        with precision(MAX_QUOTIENT):
            yield
    except InvalidOperation:
        raise ValueError(f"the quotient has more than {MAX_QUOTIENT} digits") from None


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """The size of the result is estimated first, so that a monstrous one is never begun."""
    if not exponent:
        return Decimal(1)  # of zero too, as in Python
    if not base and exponent < 0:
        raise ZeroDivisionError
    if base < 0 and exponent != exponent.to_integral_value():
        raise ValueError("a negative number has no real power with a fraction")
    if base and abs(abs(base).log10(Context(prec=9)) * exponent) > MAX_EXPONENT:
        raise ValueError(f"the result is beyond 10 to the power of ±{MAX_EXPONENT}")
    return base**exponent


def negate(value: Decimal) -> Decimal:
    return -value


def affirm(value: Decimal) -> Decimal:
    return +value


def percent(value: Decimal) -> Decimal:
    return value / 100


def add_percent(left: Decimal, rate: Decimal) -> Decimal:
    """`200 + 10%` is 220: behind plus and minus a percentage is one of what stands before.

    With a sign of its own it is a number: `200 + -10%` is 199.9.
    """
    return left + left * rate / 100


def subtract_percent(left: Decimal, rate: Decimal) -> Decimal:
    return left - left * rate / 100


def square_root(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("a negative number has no real square root")
    return value.sqrt()


def rounded(value: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
    """Half to even, as Python's `round`: 0.5 becomes 0, and 1.5 becomes 2."""
    if digits != digits.to_integral_value():
        raise ValueError("the number of digits is not whole")
    if not value or -digits <= int(value.normalize().as_tuple().exponent):
        return value
    if -digits > value.adjusted() + 1:
        return Decimal(0)
    return value.quantize(Decimal(1).scaleb(int(-digits)))


def smallest(*values: Decimal) -> Decimal:
    return min(values)


def largest(*values: Decimal) -> Decimal:
    return max(values)


def nonzero(divisor: Decimal) -> Decimal:
    if not divisor:
        raise ZeroDivisionError
    return divisor


class Operation(NamedTuple):
    """A function of numbers, and how many it takes."""

    function: Callable[..., Decimal]
    least: int
    most: int = 0


BINARY = {
    "+": Operation(add, 2),
    "-": Operation(subtract, 2),
    "*": Operation(multiply, 2),
    "/": Operation(divide, 2),
    "//": Operation(floor_divide, 2),
    "%": Operation(modulo, 2),
    "**": Operation(power, 2),
}
UNARY = {"-": Operation(negate, 1), "+": Operation(affirm, 1)}
PERCENT = Operation(percent, 1)
OF_THE_LEFT = {"+": Operation(add_percent, 2), "-": Operation(subtract_percent, 2)}
FUNCTIONS = {
    "sqrt": Operation(square_root, 1, 1),
    "abs": Operation(abs, 1, 1),
    "round": Operation(rounded, 1, 2),
    "min": Operation(smallest, 1, MAX_LENGTH),
    "max": Operation(largest, 1, MAX_LENGTH),
}

# How tightly an operator binds. A sign binds tighter than * and looser than **: -2**2 is -4.
TIGHTNESS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}
SIGN = 3


# --- from text to tokens ------------------------------------------------------------------------

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<name> [^\W\d]\w* )
      | (?P<sign> \*\*|//|[-+*/%(),=] )
      | (?P<end> \Z )
    )""",
    re.VERBOSE,
)
TYPOGRAPHY = str.maketrans("\u00d7\u00f7\u2212", "*/-")  # signs as word processors write them


class Token(NamedTuple):
    """A piece of an expression, and the index where it begins."""

    kind: str
    text: str
    position: int


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression; the last is of the kind `end`."""
    if len(text) > MAX_LENGTH:
        raise CalculatorError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH)
    text, tokens, position = text.translate(TYPOGRAPHY), [], 0
    while not tokens or tokens[-1].kind != "end":
        match = TOKEN.match(text, position)
        if match is None:
            strange = len(text) - len(text[position:].lstrip())
            raise CalculatorError(f"unexpected {text[strange]!r}", strange)
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens


# --- from tokens to postfix steps -----------------------------------------------------------------


class Step(NamedTuple):
    """What to do next: push a number or a variable, or let an operation take its operands."""

    token: Token
    operation: Operation | None = None
    operands: int = 0


class Compiler:
    """Puts the tokens of one expression in the order in which they are worked out."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0
        self.steps: list[Step] = []

    def compile(self) -> list[Step]:
        """All the steps; whatever cannot follow is an error."""
        self.expression()
        if self.token.kind != "end":
            raise self.unexpected()
        return self.steps

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def advance(self) -> Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def take(self, text: str) -> bool:
        """Step over a sign if it comes next."""
        found = self.token.kind == "sign" and self.token.text == text
        self.index += found
        return found

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.unexpected(f", {text!r} expected")

    def unexpected(self, hint: str = "") -> CalculatorError:
        what = "end" if self.token.kind == "end" else repr(self.token.text)
        return CalculatorError(f"unexpected {what}{hint}", self.token.position)

    def expression(self, loosest: int = 1) -> None:
        """An operand, and then all operators that bind at least as tightly as `loosest`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CalculatorError(f"more than {MAX_DEPTH} levels deep", self.token.position)
        self.operand()
        while (tightness := TIGHTNESS.get(self.token.text, 0)) >= loosest:
            sign = self.advance()
            # A power is worked out from the right, the others from the left.
            self.expression(tightness if sign.text == "**" else tightness + 1)
            self.binary(sign)
        self.depth -= 1

    def binary(self, sign: Token) -> None:
        """An operation on the two numbers before it."""
        if sign.text in OF_THE_LEFT and self.steps[-1].operation is PERCENT:
            self.steps[-1] = Step(sign, OF_THE_LEFT[sign.text], 2)
        else:
            self.steps.append(Step(sign, BINARY[sign.text], 2))

    def operand(self) -> None:
        """A number, a name, a call, parentheses or one of these behind a sign; then percents."""
        token = self.advance()
        if token.kind == "number":
            self.steps.append(Step(token))
        elif token.kind == "name":
            self.name(token)
        elif token.text == "(":
            self.expression()
            self.expect(")")
        elif token.text in UNARY:
            self.expression(SIGN)
            self.steps.append(Step(token, UNARY[token.text], 1))
        else:
            self.index -= 1
            raise self.unexpected(", a number expected")
        while self.token.text == "%" and not self.modulo_follows():
            self.steps.append(Step(self.advance(), PERCENT, 1))

    def modulo_follows(self) -> bool:
        """`%` is modulo before a number, a name or a parenthesis, and otherwise percent."""
        after = self.tokens[self.index + 1]
        return after.kind in {"number", "name"} or after.text == "("

    def name(self, token: Token) -> None:
        """A variable, or a function and its arguments."""
        if token.text not in FUNCTIONS:
            self.steps.append(Step(token))
            return
        self.expect("(")
        self.expression()
        count = 1
        while self.take(","):
            self.expression()
            count += 1
        self.expect(")")
        operation = FUNCTIONS[token.text]
        if not operation.least <= count <= operation.most:
            raise CalculatorError(f"{token.text} does not take {count} numbers", token.position)
        self.steps.append(Step(token, operation, count))


# --- from steps to a number -----------------------------------------------------------------------


def evaluate(steps: Iterable[Step], variables: dict[str, Decimal]) -> Decimal:
    """Work the steps out on a stack."""
    stack: list[Decimal] = []
    for step in steps:
        start = len(stack) - step.operands
        stack[start:] = [value_of(step, stack[start:], variables)]
    return stack[0]


def value_of(step: Step, operands: list[Decimal], variables: dict[str, Decimal]) -> Decimal:
    """The number that one step leaves on the stack."""
    token = step.token
    try:
        if step.operation:
            return step.operation.function(*operands)
        if token.kind == "number":
            return getcontext().create_decimal(token.text)
        return variables[token.text]
    except KeyError:
        raise CalculatorError(f"unknown name {token.text!r}", token.position) from None
    except (ArithmeticError, ValueError) as error:
        raise CalculatorError(explain(error), token.position) from error


def explain(error: Exception) -> str:
    """What went wrong, in words; a ValueError brings its own."""
    reasons: dict[type[Exception], str] = {
        ZeroDivisionError: "division by zero",
        Overflow: "the number is too large",
        Underflow: "the number is too small to tell from zero",
        InvalidOperation: f"the result has more than {getcontext().prec} digits",
    }
    return next((text for kind, text in reasons.items() if isinstance(error, kind)), str(error))


def calculate(text: str, variables: dict[str, Decimal]) -> Decimal:
    """The value of an expression, kept as `ans`, or of `NAME = EXPRESSION`, kept as both."""
    tokens = tokenize(text)
    target = assigned(tokens)
    value = evaluate(Compiler(tokens[2:] if target else tokens).compile(), variables)
    variables |= {target or "ans": value, "ans": value}
    return value


def assigned(tokens: list[Token]) -> str:
    """The name that an assignment begins with, or nothing."""
    if [token.kind for token in tokens[:2]] != ["name", "sign"] or tokens[1].text != "=":
        return ""
    if tokens[0].text in FUNCTIONS:
        raise CalculatorError(f"{tokens[0].text} is a function", tokens[0].position)
    return tokens[0].text


@contextmanager
def precision(digits: int) -> Generator[None]:
    """Decimal arithmetic with so many significant digits, rounded half to even."""
    bounded = Context(digits, Emin=-MAX_EXPONENT, Emax=MAX_EXPONENT, traps=TRAPS)
    with localcontext(bounded):
        yield


def show(value: Decimal) -> str:
    """A number without useless zeros, in a form that can be typed in again."""
    value = value.normalize()
    return f"{value or abs(value):{'f' if -7 < value.adjusted() < getcontext().prec else 'e'}}"


def show_error(error: CalculatorError, text: str, place: str = "") -> str:
    """The message, and a caret below the place in the expression, or in a part of a long one."""
    start = max(error.position - 40, 0)
    part = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[start:][:72]
    caret = " " * (error.position - start)
    return f"{NAME}: {place}{error} at column {error.position + 1}\n  {part}\n  {caret}^"


# --- the command line -----------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.calculator "(1 + 2) * 3 ** 2"
  python -m programs.calculator --precision 50 "sqrt(2)"
  python -m programs.calculator "80 - 15%"        percent of what stands before: 68
  python -m programs.calculator "80 * 15%"        15% is 0.15 elsewhere: 12
  python -m programs.calculator "80 + -15%"       and behind a sign of its own: 79.85
  printf '%s\\n' 'rate = 7.5%' '100 * rate' | python -m programs.calculator
  python -m programs.calculator                   interactive: ans, variables, history

Operators: + - * / // % **, sqrt abs round min max. // and % round down, as in Python; rounding is
half to even; % is modulo when a number, a name or a parenthesis follows, otherwise percent.
The history is kept in $CALCULATOR_HISTORY or ~/.calculator_history.
Exit codes: 0 done, 1 refused, 2 wrong usage, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def utf8(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode()


def digits(argument: str) -> int:
    """A precision of the command line."""
    if argument.isdecimal() and 1 <= int(argument[:9]) <= MAX_PRECISION:
        return int(argument)
    raise argparse.ArgumentTypeError(f"{argument!r} is not from 1 to {MAX_PRECISION}")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="A calculator in decimal arithmetic.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    parser.add_argument("--precision", type=digits, default=28, help="digits (default: 28)")
    parser.add_argument("expression", nargs="*", type=utf8, help="without: standard input")
    return parser


# -2, -sqrt(4), -x and --(1), but neither -h nor --precision.
MINUS = re.compile(r"-(?!-|h\Z).|-+(?:[\d.(]|\w+\s*\()", re.DOTALL)


def shield(argv: list[str]) -> list[str]:
    """Put -- before an expression such as -sqrt(4), so that it is not taken for an option."""
    for index, argument in enumerate(argv):
        if argument == "--":
            break
        if MINUS.match(argument):
            return [*argv[:index], "--", *argv[index:]]
    return argv


@contextmanager
def history(path: Path) -> Generator[None]:
    """The lines typed at earlier times, where the system has `readline`."""
    if readline:
        readline.clear_history()
        with suppress(OSError):
            readline.read_history_file(path)
    try:
        yield
    finally:
        if readline:
            readline.set_history_length(1000)
            with suppress(OSError):
                readline.write_history_file(path)


def typed_lines() -> Generator[str]:
    """The lines that a person types, until the end of input or `quit`."""
    with suppress(EOFError):
        while (line := input("> ")).strip() not in {"quit", "exit"}:
            yield line


def answer(lines: Iterable[str], place: str = "") -> int:
    """Print the value of each line; a line that is wrong does not stop the next."""
    variables: dict[str, Decimal] = {}
    code = 0
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        try:
            if text.strip():
                print(show(calculate(text, variables)), flush=True)
        except CalculatorError as error:
            complain(show_error(error, text, place.format(number)))
            code = 1
    return code


def complain(message: str) -> None:
    """Say it on standard error; were that closed, `print` would take standard output."""
    if sys.stderr:
        with suppress(OSError):
            print(message, file=sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Work out the expression given, or the lines of standard input."""
    with precision(args.precision):
        if args.expression:
            return answer([" ".join(args.expression)])
        if sys.stdin is None:
            raise OSError("standard input is closed")
        if not (sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
            return answer(sys.stdin, "line {}: ")
        # Without a home the ~ stays and names no folder: no history then.
        home = os.path.expanduser("~/.calculator_history")  # noqa: PTH111 - Path's would raise
        with history(Path(os.environ.get("CALCULATOR_HISTORY") or home)):
            answer(typed_lines())
        return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return run(build_parser().parse_args(shield(sys.argv[1:] if argv is None else argv)))
        finally:
            print(end="", flush=True)  # what is wrong with standard output shows here
    except OSError as error:
        if sys.stdout:  # nothing more can be printed there, not even by the interpreter as it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0
        complain(f"{NAME}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
