"""Under which conditions a campaign is rehearsed: one TOML file."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from acd.dialer.pacing.mind import AGES
from acd.simulation import day

Numbers = np.ndarray[Any, np.dtype[np.float64]]
_LONGEST_DAY_S: Final = 86400


class ConditionsError(ValueError):
    """A file of conditions cannot be used; the message says why and where."""


class Course(StrEnum):
    """What can change in the course of a day."""

    ANSWERS = "answers"
    """Factor of the answer probability."""
    REFUSED = "refused"
    """The part of dials that trunks refuse at once."""
    AGENTS = "agents"
    """The part of the agents who are there; who goes finishes its call first."""
    LINES = "lines"
    """Calls that the trunks carry at a time; 0: any number."""


class People(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those who are called."""

    answer: float = 0.25
    swing: float = 0.0
    period_s: float = 7200.0
    ring_s: tuple[float, float] = (6.0, 22.0)
    give_up_s: int = 22
    busy: float = 0.0
    machines: float = 0.0


class Length(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long something takes: log-normal; `variation` is standard deviation over mean."""

    mean_s: float
    variation: float = 0.0


class Hall(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The agents' day."""

    day_s: int = 28800
    begins_s: int = 32400
    patience_s: int = 2
    break_every_s: float = 0.0
    break_s: float = 0.0


class Judge(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How answers are classified."""

    takes_s: int = 0
    """0: not at all, machines go to agents, too."""
    humans_mistaken: float = 0.0
    """Hung up on as machines; they count as abandoned."""
    machines_found: float = 1.0
    machine_talk_s: float = 8.0
    """So long an agent needs to notice one that was not found."""


class Change(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that changes in the course of each day; between two points evenly."""

    what: Course
    points: tuple[tuple[float, float], ...]
    """Seconds since the day's beginning, and the value from then on."""


class Conditions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole file."""

    title: str = ""
    people: People = People()
    talk: Length = Length(mean_s=150.0, variation=0.8)
    wrap_up: Length = Length(mean_s=20.0)
    floor: Hall = Hall()
    answers: Judge = Judge()
    changes: tuple[Change, ...] = ()

    def numbers(self) -> Numbers:
        """As the compiled day wants them."""
        row = np.zeros(day.CONDITIONS)
        p, judge, hall = self.people, self.answers, self.floor
        row[day.ANSWER], row[day.SWING], row[day.PERIOD_S] = p.answer, p.swing, p.period_s
        row[day.RING_LOW_S], row[day.RING_HIGH_S] = p.ring_s
        row[day.GIVE_UP_S] = p.give_up_s
        row[day.BUSY_SHARE], row[day.MACHINE_SHARE] = p.busy, p.machines
        row[day.JUDGE_S], row[day.HUMAN_MISTAKEN] = judge.takes_s, judge.humans_mistaken
        row[day.MACHINE_FOUND], row[day.MACHINE_TALK_S] = judge.machines_found, judge.machine_talk_s
        row[day.TALK_MEAN_S], row[day.TALK_CV] = self.talk.mean_s, self.talk.variation
        row[day.WRAP_MEAN_S], row[day.WRAP_CV] = self.wrap_up.mean_s, self.wrap_up.variation
        row[day.PATIENCE_S], row[day.BEGIN_S] = hall.patience_s, hall.begins_s
        row[day.BREAK_EVERY_S], row[day.BREAK_S] = hall.break_every_s, hall.break_s
        return row

    def course(self) -> Numbers:
        """Answer factor, refused part, agents there and lines: (4, seconds of a day)."""
        rows = {Course.ANSWERS: 1.0, Course.REFUSED: 0.0, Course.AGENTS: 1.0, Course.LINES: 0.0}
        seconds = np.arange(self.floor.day_s, dtype=np.float64)
        course = np.repeat(np.array([list(rows.values())]).T, len(seconds), axis=1)
        for change in self.changes:
            at, value = zip(*change.points, strict=True)
            course[list(rows).index(change.what)] = np.interp(seconds, at, value)
        return np.ascontiguousarray(course)


def read_conditions(text: str) -> Conditions:
    """Read and check a file of conditions.

    Raises:
        ConditionsError: it is no TOML, a key is unknown, or a value cannot be.
    """
    try:
        conditions = msgspec.toml.decode(text, type=Conditions)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConditionsError(str(error)) from error
    _check(conditions)
    return conditions


def _check(c: Conditions) -> None:
    shares = {
        "people.answer": c.people.answer,
        "people.swing": c.people.swing,
        "people.busy": c.people.busy,
        "people.machines": c.people.machines,
        "answers.humans_mistaken": c.answers.humans_mistaken,
        "answers.machines_found": c.answers.machines_found,
    }
    for key, value in shares.items():
        _need(0.0 <= value <= 1.0, key, value, "a part of 0 to 1")
    low, high = c.people.ring_s
    _need(0.0 <= low <= high < AGES - 1, "people.ring_s", [low, high], "two numbers of 0 to 62")
    _need(high <= c.people.give_up_s < AGES, "people.give_up_s", c.people.give_up_s,
          "at least as long as people ring, and below 64")  # fmt: skip
    _need(c.people.period_s > 0.0, "people.period_s", c.people.period_s, "above 0")
    _need(c.talk.mean_s > 0.0, "talk.mean_s", c.talk.mean_s, "above 0")
    _need(c.wrap_up.mean_s >= 0.0, "wrap_up.mean_s", c.wrap_up.mean_s, "0 or more")
    _need(60 <= c.floor.day_s <= _LONGEST_DAY_S, "floor.day_s", c.floor.day_s, "60 to 86400")
    _need(0 <= c.floor.patience_s <= 6, "floor.patience_s", c.floor.patience_s, "0 to 6")
    _need(0 <= c.answers.takes_s <= 5, "answers.takes_s", c.answers.takes_s, "0 to 5")
    for change in c.changes:
        times = [at for at, _ in change.points]
        _need(bool(times) and times == sorted(times), f"changes.{change.what}.points", times,
              "at least one point, in the order of time")  # fmt: skip


def _need(is_good: bool, key: str, value: object, wanted: str) -> None:
    if not is_good:
        raise ConditionsError(f"{key} is {value}; it must be {wanted}")
