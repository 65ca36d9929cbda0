"""Milliseconds by the number of jobs, as an SVG: both axes in powers of ten."""

import math
from collections.abc import Mapping
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 420, 60, 20, 190, 40
COLOURS = ("#1b6ca8", "#c1440e", "#2e7d32", "#7b1fa2", "#b58900", "#00796b", "#ad1457", "#455a64")


def draw(path: Path, lines: Mapping[str, Mapping[int, float]]) -> None:
    """`lines`: by name, p50 in ms by the number of jobs."""
    points = [(size, ms) for line in lines.values() for size, ms in line.items()]
    low_x, high_x = _decades([size for size, _ in points])
    low_y, high_y = _decades([ms for _, ms in points])

    def x(size: float) -> float:
        return LEFT + (math.log10(size) - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)

    def y(ms: float) -> float:
        return TOP + (high_y - math.log10(ms)) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for power in range(low_x, high_x + 1):
        at = x(10**power)
        drawn.append(
            f'<text x="{at:.0f}" y="{HEIGHT - 15}" text-anchor="middle">{10**power:,}</text>'
        )
    for power in range(low_y, high_y + 1):
        at = y(10**power)
        drawn.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        drawn.append(
            f'<text x="{LEFT - 8}" y="{at + 4:.0f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(x(size), y(ms)) for size, ms in sorted(line.items())]
        way = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        drawn.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        label = TOP + 14 + 16 * number
        drawn.append(f'<text x="{WIDTH - RIGHT + 12}" y="{label}" fill="{colour}">{name}</text>')
    drawn.append(f'<text x="{LEFT}" y="{HEIGHT - 2}">jobs; p50 in ms</text></svg>')
    path.write_text("\n".join(drawn), "utf-8")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def _decades(values: list[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)
