"""A small line chart as SVG, for the reports of long runs: no library, no fonts, no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 860
_HEIGHT: Final = 420
_LEFT: Final = 70
_RIGHT: Final = 170
_TOP: Final = 44
_BOTTOM: Final = 52
_COLOURS: Final = ("#2563eb", "#ea580c", "#16a34a", "#9333ea")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; `ys` has a value for each x."""

    name: str
    ys: Sequence[float]


def line_chart(
    title: str, x_label: str, y_label: str, xs: Sequence[float], lines: Sequence[Line]
) -> str:
    """The picture as text; both axes begin at zero."""
    most_x = max(xs, default=0.0) or 1.0
    step_y = _step(max((y for line in lines for y in line.ys), default=1.0) or 1.0)
    most_y = step_y * 5
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> str:
        return f"{_LEFT + wide * x / most_x:.1f},{_TOP + high * (1 - y / most_y):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="16" fill="#111827">{escape(title)}</text>',
    ]
    for tick in range(6):
        y = _TOP + high * (1 - tick / 5)
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#374151">'
            f"{tick * step_y:g}</text>",
            f'<text x="{_LEFT + wide * tick / 5:.1f}" y="{_TOP + high + 20}" text-anchor="middle" '
            f'fill="#374151">{most_x * tick / 5:,.0f}</text>',
        ]
    parts += [
        f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 10}" text-anchor="middle" fill="#374151">'
        f"{escape(x_label)}</text>",
        f'<text x="16" y="{_TOP + high / 2}" text-anchor="middle" fill="#374151" '
        f'transform="rotate(-90 16 {_TOP + high / 2})">{escape(y_label)}</text>',
    ]
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(at(x, y) for x, y in zip(xs, line.ys, strict=True))
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<text x="{_LEFT + wide + 12}" y="{_TOP + 14 + 20 * number}" fill="{colour}">'
            f"{escape(line.name)}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def _step(most: float) -> float:
    """A round fifth of a scale that reaches `most`."""
    power = 1.0
    while power * 50 < most:
        power *= 10
    while power * 5 >= most:
        power /= 10
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m * 5 >= most)
