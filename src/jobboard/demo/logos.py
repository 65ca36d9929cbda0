"""Logos for a few demo companies: plain marks in two colours."""

import math
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw

SIDE = 512  # pixels, twice what is kept: shrinking smooths the edges


def draw(ink: str, paper: str, shape: str) -> bytes:
    """One of SHAPES as a PNG."""
    image = Image.new("RGB", (SIDE, SIDE), paper)
    SHAPES[shape](ImageDraw.Draw(image), ink)
    out = BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _disc(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.ellipse((96, 150, 416, 362), fill=ink)
    for x in (176, 256, 336):
        pen.line((x - 24, 206, x + 24, 306), fill="white", width=18)


def _star(pen: ImageDraw.ImageDraw, ink: str) -> None:
    points = [
        (256 + radius * math.sin(turn * math.pi / 5), 256 - radius * math.cos(turn * math.pi / 5))
        for turn in range(10)
        for radius in [190 if turn % 2 == 0 else 84]
    ]
    pen.polygon(points, fill=ink)


def _wings(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.polygon([(70, 170), (256, 330), (256, 230)], fill=ink)
    pen.polygon([(442, 170), (256, 330), (256, 230)], fill=ink)
    pen.ellipse((226, 150, 286, 210), fill=ink)


def _cross(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.rounded_rectangle((206, 96, 306, 416), 24, fill=ink)
    pen.rounded_rectangle((96, 206, 416, 306), 24, fill=ink)


def _leaf(pen: ImageDraw.ImageDraw, ink: str) -> None:
    there = [(u, 90 * math.cos(math.pi * u / 400)) for u in range(-200, 201, 10)]
    around = there + [(u, -width) for u, width in reversed(there)]
    pen.polygon([(256 + 0.7 * (u + w), 256 + 0.7 * (w - u)) for u, w in around], fill=ink)


def _shield(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.polygon([(116, 96), (396, 96), (396, 270), (256, 430), (116, 270)], fill=ink)
    pen.line((140, 250, 372, 250), fill="white", width=26)


def _blades(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.line((256, 220, 256, 450), fill=ink, width=24)
    for turn in (0, 120, 240):
        angle = math.radians(turn)
        tip = (256 + 180 * math.sin(angle), 220 - 180 * math.cos(angle))
        pen.line((256, 220, *tip), fill=ink, width=36)
    pen.ellipse((226, 190, 286, 250), fill=ink)


def _pixels(pen: ImageDraw.ImageDraw, ink: str) -> None:
    for x, y in ((0, 0), (1, 1), (2, 0), (0, 2), (2, 2), (1, 2)):
        left, top = 106 + 104 * x, 106 + 104 * y
        pen.rectangle((left, top, left + 92, top + 92), fill=ink)


def _lantern(pen: ImageDraw.ImageDraw, ink: str) -> None:
    pen.arc((196, 60, 316, 180), 180, 360, fill=ink, width=20)
    pen.polygon([(156, 170), (356, 170), (326, 400), (186, 400)], fill=ink)
    pen.ellipse((216, 230, 296, 350), fill="white")


SHAPES: dict[str, Callable[[ImageDraw.ImageDraw, str], None]] = {
    "disc": _disc,
    "star": _star,
    "wings": _wings,
    "cross": _cross,
    "leaf": _leaf,
    "shield": _shield,
    "blades": _blades,
    "pixels": _pixels,
    "lantern": _lantern,
}
