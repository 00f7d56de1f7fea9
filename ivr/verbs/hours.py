"""`hours`: open or closed, by the time where the centre is, not where the server is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from ivr.reader import NodeReader
from ivr.turn import Activity, Node, Turn

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

MIDNIGHT: Final = 24 * 60
_RANGE: Final = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)")
_HOLIDAY: Final = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """Open from minute `begin` to before minute `end` of a day; past MIDNIGHT: into the next day."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursNode(Node):
    """Go one way while open and another while closed. Decides at once, without answering."""

    VERB: ClassVar[str] = "hours"
    NEEDS_ANSWER: ClassVar[bool] = False

    zone: ZoneInfo
    spans: tuple[tuple[Span, ...], ...]
    """By day of the week, Monday first."""
    holidays: frozenset[tuple[int | None, int, int]]
    """Closed all day: (year, month, day); year None: every year."""
    when_open: str
    when_closed: str

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.when_open, self.when_closed)

    def begin(self, turn: Turn) -> Activity | None:
        """Decide."""
        is_open = self.is_open(turn.wall)
        turn.note("open" if is_open else "closed")
        turn.go(self.when_open if is_open else self.when_closed)
        return None

    def is_open(self, wall: float) -> bool:
        """Return whether it is open at `wall` (seconds since the epoch).

        Hours are read off the clock on the wall there: on the day that summer time begins or ends they
        are an hour shorter or longer, as people expect.
        """
        there = datetime.fromtimestamp(wall, self.zone)
        minute = there.hour * 60 + there.minute
        # The hours of the day before may reach past midnight.
        return self._covers(there, minute) or self._covers(
            there - timedelta(days=1), minute + MIDNIGHT
        )

    def _covers(self, day: datetime, minute: int) -> bool:
        if {(None, day.month, day.day), (day.year, day.month, day.day)} & self.holidays:
            return False
        return any(span.begin <= minute < span.end for span in self.spans[day.weekday()])


def read(reader: NodeReader) -> HoursNode:
    """Read the node."""
    return HoursNode(
        name=reader.name,
        line=reader.line,
        zone=_zone(reader),
        spans=_spans(reader),
        holidays=_holidays(reader),
        when_open=reader.edge("when_open", required=True) or "",
        when_closed=reader.edge("when_closed", required=True) or "",
    )


def _zone(reader: NodeReader) -> ZoneInfo:
    name = reader.text("zone")
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        if name:
            reader.problem(
                f"`zone`: there is no time zone `{name}`; example: Europe/London", "zone"
            )
        return ZoneInfo("UTC")


def _spans(reader: NodeReader) -> tuple[tuple[Span, ...], ...]:
    week: list[list[Span]] = [[] for _ in DAYS]
    lines = reader.children("open")
    if not lines:
        reader.problem("`open` is missing: on which days, from when to when?", "open")
    for name, (key, value) in lines.items():
        days = _days(name)
        if days is None:
            reader.source.problem(
                key, f"`{name}`: expected days such as `mon`, `mon-fri`, `sat,sun`"
            )
            continue
        for scalar in reader.scalars(value, name):
            span = _span(scalar.value)
            if span is None:
                reader.source.problem(
                    scalar, f'`{scalar.value}`: expected a time such as "09:00-17:30"'
                )
                continue
            for day in days:
                week[day].append(span)
    return tuple(map(tuple, week))


def _days(text: str) -> list[int] | None:
    """Read `mon`, `mon-fri` (around the week's end too) or a comma list of these."""
    days: list[int] = []
    for part in text.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            return None
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        days += [(begin + n) % 7 for n in range(length + 1)]
    return days


def _span(text: str) -> Span | None:
    """Read `09:00-17:30`; an end before the begin lies on the next day, `24:00` is midnight."""
    if (match := _RANGE.fullmatch(text.strip())) is None:
        return None
    numbers = [int(part) for part in match.groups()]
    begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if begin >= MIDNIGHT or end > MIDNIGHT or numbers[1] > 59 or numbers[3] > 59 or begin == end:
        return None
    return Span(begin, end if end > begin else end + MIDNIGHT)


def _holidays(reader: NodeReader) -> frozenset[tuple[int | None, int, int]]:
    days: set[tuple[int | None, int, int]] = set()
    for scalar in reader.items("holidays"):
        match = _HOLIDAY.fullmatch(scalar.value.strip())
        try:
            if match is None:
                raise ValueError
            year, month, day = (int(part) if part else None for part in match.groups())
            assert month is not None
            assert day is not None
            datetime.combine(datetime(year or 2000, month, day), time())  # noqa: DTZ001 - a check
        except ValueError:
            reader.source.problem(
                scalar,
                f"`{scalar.value}`: expected a date such as 2026-12-25, or 12-25 for each year",
            )
            continue
        days.add((year, month, day))
    return frozenset(days)
