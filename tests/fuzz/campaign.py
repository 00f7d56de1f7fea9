"""Runs targets for a time, and makes what breaks them small enough to be read."""

from __future__ import annotations

import base64
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

T_ = TypeVar("T_")
Item = bytes | int
"""A datagram, frame or packet; or the seed of one step of a walk."""

PATIENCE_S = 20.0
"""How long one finding may be made smaller."""


WORST_S = 0.050
"""Processor time that one message may cost at most, on a machine that does other things as well."""


class Target(Protocol):
    """Something that takes whatever comes. `play` raises when a promise is broken."""

    name: str

    def make(self, rng: Random) -> list[Item]:
        """One case."""

    def play(self, case: Sequence[Item]) -> None:
        """Give the case to a fresh instance of what is tested, and look whether all is well."""


class BrokenPromiseError(AssertionError):
    """What is tested did what it must not."""


def promise(kept: bool, what: str) -> None:
    """Raise unless a promise was kept."""
    if not kept:
        raise BrokenPromiseError(what)


def timed(action: Callable[[], object], data: bytes) -> None:
    """Do something and look at what it cost; done again before it is believed to be slow."""
    for _ in range(3):
        began = time.thread_time()
        action()
        took = time.thread_time() - began
        if took < WORST_S:
            return
    raise BrokenPromiseError(f"{len(data)} octets took {took * 1000:.0f} ms")


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that breaks a promise, as small as it could be made."""

    target: str
    seed: int
    number: int
    """Which case of the seed."""
    case: tuple[Item, ...]
    reason: str

    def report(self) -> str:
        """What failed, and all that is needed to make it fail again."""
        lines = [f"{self.target}: seed {self.seed}, case {self.number}", self.reason, "items:"]
        for item in self.case:
            if isinstance(item, int):
                lines.append(f"  step {item}")
            else:
                lines += [f"  {item[:400]!r}", f"  base64 {base64.b64encode(item).decode()}"]
        lines.append(f"again: python -m tests.fuzz --again {self.target} {self.seed} {self.number}")
        return "\n".join(lines)


def cases(target: Target, seed: int) -> Iterator[tuple[int, list[Item]]]:
    """The cases of a seed, without end: each has a generator of its own and can be made alone."""
    number = 0
    while True:
        yield number, target.make(Random(f"{target.name} {seed} {number}"))
        number += 1


def run(
    target: Target,
    *,
    seed: int,
    limit: int | None = None,
    seconds: float | None = None,
    progress: Callable[[int], None] = lambda number: None,
) -> tuple[int, Finding | None]:
    """Play cases until `limit` or the time is reached, or one fails; how many, and what failed."""
    end = None if seconds is None else time.monotonic() + seconds
    for number, case in cases(target, seed):
        if number == limit or (end is not None and time.monotonic() >= end):
            return number, None
        if _reason(target, case):
            small = minimise(case, lambda items: _reason(target, items) is not None)
            reason = _reason(target, small) or _reason(target, case) or "it failed once only"
            return number, Finding(target.name, seed, number, tuple(small), reason)
        progress(number)
    raise AssertionError("cases do not end")


def _reason(target: Target, case: Sequence[Item]) -> str | None:
    try:
        target.play(case)
    except Exception:  # noqa: BLE001  # whatever escapes is a finding
        return traceback.format_exc(limit=-6)
    return None


def minimise(case: Sequence[Item], fails: Callable[[Sequence[Item]], bool]) -> list[Item]:
    """Leave out items, then octets of each, as long as it still fails (delta debugging)."""
    end = time.monotonic() + PATIENCE_S
    small = list(_shrunk(list(case), fails, end))
    for at, item in enumerate(small):
        if isinstance(item, bytes):
            octets = [item[n : n + 1] for n in range(len(item))]
            shrunk: list[bytes] = _shrunk(octets, _with(small[:at], small[at + 1 :], fails), end)
            small[at] = b"".join(shrunk)
    return small


def _with(
    before: list[Item], after: list[Item], fails: Callable[[Sequence[Item]], bool]
) -> Callable[[list[bytes]], bool]:
    return lambda octets: fails([*before, b"".join(octets), *after])


def _shrunk(things: list[T_], fails: Callable[[list[T_]], bool], end: float) -> list[T_]:
    size = max(1, len(things) // 2)
    while size and time.monotonic() < end:
        at, smaller = 0, False
        while at < len(things) and time.monotonic() < end:
            fewer = things[:at] + things[at + size :]
            if fails(fewer):
                things, smaller = fewer, True
            else:
                at += size
        if not smaller:
            size //= 2
    return things
