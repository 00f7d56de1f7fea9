"""Groups of trunks: who is tried first, and who next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """By what the members of a group are ordered."""

    ORDER = "order"
    """The lowest order first; among equals by weight."""
    COST = "cost"
    """The cheapest first, then as `ORDER`; trunks without a rate for the number come last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A trunk in a group."""

    trunk: str
    order: int = 1
    """Lower ones are tried first."""
    weight: int = 1
    """Share of the calls among members of the same order; 0: only when the others failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """Trunks that stand in for each other."""

    name: str
    members: tuple[Member, ...]
    choice: Choice = Choice.ORDER
    callers: frozenset[str] = frozenset()
    """Phones that may call out through this group."""
    max_calls: int = 0
    """Legs that left through the group and live; 0: no limit of its own."""
    max_calls_per_second: int = 0
    """Calls begun through the group in any second; 0: no limit of its own."""
    call_backs: bool = False
    campaigns: bool = False
    """Campaigns may call out through this group."""


def in_order(
    members: Iterable[Member], draw: Callable[[], float], rank: Callable[[Member], object]
) -> Sequence[Member]:
    """All members, in the order in which one call tries them.

    Members of equal `rank` (comparable values, lower first) are shuffled by weight as in RFC 2782;
    `draw` gives numbers from 0 to below 1.
    """
    by_rank: dict[object, list[Member]] = {}
    for member in members:
        by_rank.setdefault(rank(member), []).append(member)
    ordered: list[Member] = []
    for value in sorted(by_rank):  # type: ignore[type-var]
        equals = by_rank[value]
        ordered += equals if len(equals) == 1 else _shuffled(equals, draw)
    return ordered


def _shuffled(members: list[Member], draw: Callable[[], float]) -> list[Member]:
    left, drawn = list(members), []
    while left:
        total = sum(member.weight for member in left)
        point = draw() * total
        for member in left:
            point -= member.weight
            if point < 0:
                break
        else:  # all that are left weigh nothing
            member = left[0]
        left.remove(member)
        drawn.append(member)
    return drawn
