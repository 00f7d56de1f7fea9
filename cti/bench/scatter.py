"""A picture of points and lines over two axes as SVG: no library, no fonts, no scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 900
_HEIGHT: Final = 560
_LEFT: Final = 70
_RIGHT: Final = 250
_TOP: Final = 50
_BOTTOM: Final = 56
_COLOURS: Final = ("#2563eb", "#ea580c", "#16a34a", "#9333ea", "#0891b2", "#be123c")


@dataclass(frozen=True, slots=True)
class Series:
    """Points with a name; joined by a line if `is_line`, else each a mark of its own shape."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    is_line: bool = True
    mark: str = "circle"
    """`circle`, `square`, `diamond`, `cross` or `triangle`."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis with even ticks."""

    label: str
    low: float
    high: float
    step: float
    form: str = "g"

    def ticks(self) -> list[float]:
        """Where the lines of the grid are."""
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * i for i in range(count + 1)]


def scatter(
    title: str, x: Axis, y: Axis, series: Sequence[Series], *, limit: float | None = None
) -> str:
    """The picture as text. `limit` draws an upright line; points beyond the axes are left out."""
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + wide * (value - x.low) / (x.high - x.low)

    def up(value: float) -> float:
        return _TOP + high * (1.0 - (value - y.low) / (y.high - y.low))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="26" font-size="16" fill="#111827">{escape(title)}</text>',
    ]
    for tick in y.ticks():
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" '
            'stroke="#e5e7eb"/>',
            _text(_LEFT - 8, up(tick) + 4, format(tick, y.form), "end"),
        ]
    for tick in x.ticks():
        parts += [
            f'<line x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{_TOP}" '
            f'y2="{_TOP + high}" stroke="#f3f4f6"/>',
            _text(across(tick), _TOP + high + 20, format(tick, x.form), "middle"),
        ]
    if limit is not None:
        parts.append(
            f'<line x1="{across(limit):.1f}" x2="{across(limit):.1f}" y1="{_TOP}" '
            f'y2="{_TOP + high}" stroke="#dc2626" stroke-dasharray="6 4"/>'
        )
    parts += [
        _text(_LEFT + wide / 2, _HEIGHT - 12, x.label, "middle"),
        f'<text x="18" y="{_TOP + high / 2}" text-anchor="middle" fill="#374151" '
        f'transform="rotate(-90 18 {_TOP + high / 2})">{escape(y.label)}</text>',
    ]
    for number, one in enumerate(series):
        colour = _COLOURS[one.colour % len(_COLOURS)]
        inside = [
            (across(a), up(b))
            for a, b in one.points
            if x.low <= a <= x.high and y.low <= b <= y.high
        ]
        if one.is_line and len(inside) > 1:
            joined = " ".join(f"{a:.1f},{b:.1f}" for a, b in inside)
            parts.append(
                f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            )
        parts += [_mark(one.mark, a, b, colour) for a, b in inside]
        row = _TOP + 14 + 20 * number
        parts += [
            _mark(one.mark, _LEFT + wide + 22, row - 4, colour),
            f'<text x="{_LEFT + wide + 34}" y="{row}" fill="{colour}">{escape(one.name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#374151">{escape(words)}</text>'


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if kind == "cross":
        return (
            f'<path d="M{x - 4:.1f},{y - 4:.1f} l8,8 m-8,0 l8,-8" stroke="{colour}" '
            'stroke-width="2" fill="none"/>'
        )
    corners = {"square": 4, "diamond": 4, "triangle": 3}[kind]
    turn = {"square": 45.0, "diamond": 0.0, "triangle": -90.0}[kind]
    points = " ".join(
        f"{x + 5.5 * math.cos(math.radians(turn + 360 * i / corners)):.1f},"
        f"{y + 5.5 * math.sin(math.radians(turn + 360 * i / corners)):.1f}"
        for i in range(corners)
    )
    return f'<polygon points="{points}" fill="{colour}"/>'
