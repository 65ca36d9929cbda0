"""Charts as SVG, drawn here: bars that stand on each other, and lines, over time.

A chart is drawn twice, for a phone and for a wide screen, so that its letters keep their size; the
style sheet shows one. Colours are classes, tooltips are `<title>`: no script and no inline style.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jobboard.web.formatting import count

STEPS = (1, 2, 5)
# Of a bar's or a point's place the minute of the hour, hour of the day, day: what is a round one.
ROUND = {"minute": (1, 5, 10, 15, 30), "hour": (1, 2, 3, 6, 12, 24), "day": (1, 2, 7, 14, 28)}
LETTER = 8.0  # width of a letter of a label, with some to spare
LEFT, RIGHT, TOP, BOTTOM = 58.0, 10.0, 12.0, 26.0


class Kind(StrEnum):
    """How values are drawn."""

    BARS = "bars"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Size:
    """A canvas, in pixels of the screen that it is for."""

    name: str
    width: float
    height: float


SIZES = (Size("narrow", 380, 230), Size("wide", 1080, 250))


@dataclass(frozen=True, slots=True)
class Series:
    """One colour: what it is called, and a value for each place; None where there is none."""

    name: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Place:
    """One piece of time on the x axis, and what its tooltip says."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, or a mark on the x axis."""

    position: float
    words: str


@dataclass(frozen=True, slots=True)
class Box:
    """A bar, or the field that shows a tooltip."""

    x: float
    y: float
    width: float
    height: float
    tone: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the points that it leads through."""

    path: str
    points: list[tuple[float, float]]
    tone: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart on one canvas."""

    size: Size
    grid: list[Tick]
    marks: list[Tick]
    boxes: list[Box]
    lines: list[Line]
    fields: list[Box]

    left, right, top = LEFT, RIGHT, TOP
    bottom = BOTTOM


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template draws: a heading, a sentence for those who do not see, the drawings."""

    id: str
    title: str
    summary: str
    series: Sequence[Series]
    drawings: list[Drawing]


def draw(
    chart_id: str,
    title: str,
    summary: str,
    *,
    kind: Kind,
    step: str,
    places: Sequence[Place],
    series: Sequence[Series],
    words: Callable[[float], str] = lambda value: compact(value),
    whole: bool = False,
) -> Chart:
    """A chart over time. `step` is how long a place is; `words` writes values on the y axis, which
    of `whole` ones has no fractions."""
    ticks = round_ticks(_highest(kind, series), whole=whole)
    drawings = [_drawing(size, kind, step, places, series, ticks, words) for size in SIZES]
    return Chart(chart_id, title, summary, series, drawings)


def round_ticks(highest: float, *, whole: bool = False, most: int = 5) -> list[float]:
    """From 0 in even, round steps to the first that is not below `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (*STEPS, 10) if power * each >= rough * 0.999)
    if whole:
        step = max(step, 1.0)
    number = math.ceil(highest / step - 1e-9)
    return [round(step * each, 10) for each in range(number + 1)]


def compact(value: float) -> str:
    """1,200, 15k, 2.5M"""
    for limit, letter in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if letter == 'M' else 1e3):.4g}{letter}"
    return count(int(value)) if value == int(value) else f"{value:.4g}"


def milliseconds(value: float) -> str:
    """0.5 ms, 120 ms, 1.5 s"""
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"


def _highest(kind: Kind, series: Sequence[Series]) -> float:
    rows = zip(*(each.values for each in series), strict=True)
    together = sum if kind is Kind.BARS else max
    return max((together(value or 0 for value in row) for row in rows), default=0)


def _drawing(
    size: Size,
    kind: Kind,
    step: str,
    places: Sequence[Place],
    series: Sequence[Series],
    ticks: Sequence[float],
    words: Callable[[float], str],
) -> Drawing:
    width, height = size.width - LEFT - RIGHT, size.height - TOP - BOTTOM
    slot = width / max(len(places), 1)

    def y(value: float) -> float:
        return round(TOP + height * (1 - value / ticks[-1]), 1)

    def x(index: float) -> float:
        return round(LEFT + slot * index, 1)

    bars = list(_bars(series, x, y, slot)) if kind is Kind.BARS else []
    lines = [_line(each, x, y) for each in series] if kind is Kind.LINES else []
    return Drawing(
        size=size,
        grid=[Tick(y(value), words(value)) for value in ticks],
        marks=[Tick(x(index + 0.5), text) for index, text in _marks(places, step, slot)],
        boxes=bars,
        lines=lines,
        fields=[
            Box(x(index), TOP, round(slot, 1), height, words=place.words)
            for index, place in enumerate(places)
        ],
    )


def _bars(
    series: Sequence[Series],
    x: Callable[[float], float],
    y: Callable[[float], float],
    slot: float,
) -> Iterator[Box]:
    """What happened at a place stands on each other, the first series at the bottom."""
    gap = min(slot * 0.2, 6.0)
    for index, row in enumerate(zip(*(each.values for each in series), strict=True)):
        below = 0.0
        for each, value in zip(series, row, strict=True):
            if value:
                top = y(below + value)
                height = round(y(below) - top, 1)
                left = round(x(index) + gap / 2, 1)
                yield Box(left, top, round(slot - gap, 1), height, each.tone)
                below += value


def _line(series: Series, x: Callable[[float], float], y: Callable[[float], float]) -> Line:
    """Broken where nothing is known."""
    path, points, pen_up = [], [], True
    for index, value in enumerate(series.values):
        if value is None:
            pen_up = True
            continue
        point = (x(index + 0.5), y(value))
        points.append(point)
        path.append(f"{'M' if pen_up else 'L'}{point[0]} {point[1]}")
        pen_up = False
    return Line(" ".join(path), points, series.tone)


def _marks(places: Sequence[Place], step: str, slot: float) -> Iterator[tuple[int, str]]:
    """Times to write below the axis: round ones, as many as have room."""
    texts = [moment_text(place.at, step) for place in places]
    room = LETTER * max(map(len, texts), default=1) + LETTER
    every = next((each for each in ROUND[step] if each * slot >= room), ROUND[step][-1])
    for index, place in enumerate(places):
        if _number(place.at, step) % every == 0:
            yield index, texts[index]


def _number(at: datetime, step: str) -> int:
    if step == "day":
        return at.toordinal()
    return at.hour if step == "hour" else at.minute


def moment_text(at: datetime, step: str) -> str:
    """14:05 or 3 Nov; midnight is its day."""
    if step == "day":
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}"
