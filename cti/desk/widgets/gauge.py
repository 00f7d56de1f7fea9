"""Bars of one line: a rate against its cap, a share of a whole, a course over time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from cti.desk import looks

_SPARKS: Final = "▁▂▃▄▅▆▇█"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def cap_colour(value: float, bound: float, cap: float) -> str:
    """Green as long as the bound keeps the cap, amber while only the value does, else red."""
    if value > cap:
        return looks.RED
    return looks.AMBER if bound > cap else looks.GREEN


def cap_bar(value: float, bound: float, cap: float, width: int) -> Text:
    """`━━━━╌╌╌│···`: the value solid, up to its upper bound broken, the cap as a stroke.

    The scale ends at twice the cap; what lies beyond ends in an arrow. All three in one unit.
    """
    if width < 3 or cap <= 0:
        return Text("·" * max(0, width), looks.FAINT)
    colour = cap_colour(value, bound, cap)
    scale = width / (2 * cap)
    solid = min(width, round(max(0.0, value) * scale))
    broken = min(width, round(max(value, bound, 0.0) * scale))
    at_cap = min(width - 1, round(cap * scale))
    bar = Text()
    for cell in range(width):
        if cell == at_cap:
            bar.append("┃", looks.TEXT)
        elif cell == width - 1 and max(value, bound) > 2 * cap:
            bar.append("▸", colour)
        elif cell < solid:
            bar.append("━", colour)
        elif cell < broken:
            bar.append("╌", colour)
        else:
            bar.append("·", looks.FAINT)
    return bar


def share_bar(share: float, width: int, colour: str = looks.BLUE) -> Text:
    """A share from 0 to 1 of a line, to the eighth of a cell."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[rest] if rest else "")
    return Text.assemble((bar, colour), ("·" * (width - len(bar)), looks.PANEL))


def spark(values: Sequence[float], width: int, top: float = 0.0) -> str:
    """The last `width` values as a line of small bars; the highest, or `top`, fills the line."""
    shown = values[-width:] if width > 0 else ()
    highest = max((*shown, top, 0.0))
    if highest <= 0:
        return _SPARKS[0] * len(shown)
    last = len(_SPARKS) - 1
    return "".join(_SPARKS[round(max(0.0, each) / highest * last)] for each in shown)
