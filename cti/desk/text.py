"""The words on the screens, in English and Chinese, and how figures are written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size

from cti.desk.catalogue import CATALOGUE

LANGUAGES: Final = ("en", "zh")


class Words:
    """Looks words up in one language; a missing word is a fault that tests find."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._column = LANGUAGES.index(self.language)

    def __call__(self, key: str, /, **values: object) -> str:
        """The text for `key`, with `{names}` filled in. Raises `KeyError` for an unknown key."""
        text = CATALOGUE[key][self._column]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """The text for `key`, or `default`: for words the server may extend."""
        found = CATALOGUE.get(key)
        return found[self._column] if found else default

    def state(self, state: str) -> str:
        """An agent's state."""
        return self.get(f"state.{state}", state)

    def reason(self, reason: str) -> str:
        """A reason for not being ready; configured ones appear as they are."""
        return self.get(f"reason.{reason}", reason.replace("-", " "))

    def title(self, titles: Mapping[str, str], default: str) -> str:
        """A configured title in this language, else in English, else `default`."""
        return titles.get(self.language) or titles.get("en") or default


def clock(seconds: float) -> str:
    """A duration: `0:07`, `12:34`, `1:02:03`. Negative ones are 0:00."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float | None) -> str:
    """A share from 0 to 1; a dash where there is none."""
    return "–" if share is None else f"{round(share * 100)} %"


def count_text(count: float) -> str:
    """How many, with one decimal where it is not whole: `25`, `0.8`."""
    return f"{count:.1f}".removesuffix(".0")


def time_of_day(at: float) -> str:
    """Local time of a moment, `09:41`."""
    return time.strftime("%H:%M", time.localtime(at))


def day_and_time(at: float, now: float) -> str:
    """A moment in the past: today by the clock, else by the date; local time."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%m-%d %H:%M" if then[0] == today[0] else "%Y-%m-%d", then)


def spaced_number(number: str) -> str:
    """An E.164 number in groups, so that it can be read aloud; others as they are."""
    if not number.startswith("+") or not number[1:].isdigit() or len(number) < 8:
        return number
    if number.startswith("+1") and len(number) == 12:
        return f"+1 {number[2:5]} {number[5:8]} {number[8:]}"
    code, rest = number[:3], number[3:]
    head, tail = rest[: len(rest) % 3 + 3], rest[len(rest) % 3 + 3 :]
    groups = [tail[i : i + 3] for i in range(0, len(tail), 3)]
    return " ".join((code, head, *groups))


def name_and_number(name: str, number: str) -> str:
    """Somebody by name and number; a name that has the number in it says both."""
    return name if number in name else " · ".join(filter(None, (name, spaced_number(number))))


def fit(text: str, width: int) -> str:
    """One line of at most `width` cells; what is too long ends in an ellipsis."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def wrapped(text: str, width: int, most: int) -> list[str]:
    """A text in at most `most` lines of `width` cells, broken between words; the rest is cut off."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    lines = [""]
    for word in line.split():
        longer = f"{lines[-1]} {word}".strip()
        if cell_len(longer) <= width:
            lines[-1] = longer
            continue
        pieces = chop_cells(word, max(1, width))  # in scripts without blanks, a whole sentence
        lines[len(lines) if lines[-1] else -1 :] = pieces
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], fit(" ".join(lines[most - 1 :]), width)]
