"""The figures of one campaign: outcomes, how well it gets through, how long its agents wait."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from acd.dialer.model import LIVE, Outcome
from acd.dialer.views import CallerIdView
from acd.dialer.wilson import upper_bound

LATEST: Final = 200
"""Dials that rates are told of."""
LATEST_WAITS: Final = 100
LATEST_SHOWN: Final = 200
"""Dials that the rate of one shown number is told of."""
ENOUGH: Final = 40
"""Of so many dials a rate says something of a shown number."""

_ANSWERED: Final = LIVE | {Outcome.MACHINE, Outcome.MESSAGE_LEFT, Outcome.FAX}
_NOT_DIALLED: Final = frozenset({Outcome.AGENT_GONE, Outcome.CANCELLED, Outcome.CONGESTED})


class _Shown:
    """One number that is shown."""

    __slots__ = ("answers", "dials", "latest")

    def __init__(self) -> None:
        self.dials = 0
        self.answers = 0
        self.latest: deque[bool] = deque(maxlen=LATEST_SHOWN)


class Figures:
    """Counted as attempts end."""

    def __init__(self) -> None:
        self.today: Counter[Outcome] = Counter()
        self.total: Counter[Outcome] = Counter()
        self.dials = 0
        """Since midnight."""
        self._latest: deque[Outcome] = deque(maxlen=LATEST)
        self._waits: deque[float] = deque(maxlen=LATEST_WAITS)
        self._shown: dict[str, _Shown] = {}

    def load(self, today: Mapping[Outcome, int], total: Mapping[Outcome, int]) -> None:
        """Begin with what the store knows."""
        self.today.update(today)
        self.total.update(total)
        self.dials = sum(n for outcome, n in today.items() if outcome not in _NOT_DIALLED)

    def new_day(self) -> None:
        """Those of the day begin anew."""
        self.today.clear()
        self.dials = 0

    def ended(self, outcome: Outcome, caller_id: str, *, was_dialled: bool) -> None:
        """An attempt is over."""
        self.today[outcome] += 1
        self.total[outcome] += 1
        if not was_dialled or outcome in _NOT_DIALLED:
            return
        self.dials += 1
        self._latest.append(outcome)
        shown = self._shown.setdefault(caller_id, _Shown())
        shown.dials += 1
        shown.answers += outcome in _ANSWERED
        shown.latest.append(outcome in _ANSWERED)

    def misjudged(self, was: Outcome, *, today: bool) -> None:
        """An attempt that ended as a machine's was a person's; `today`: it is of this day."""
        for counts in (self.total, self.today) if today else (self.total,):
            if counts[was] > 0:
                counts[was] -= 1
                counts[Outcome.ABANDONED] += 1

    def agent_waited(self, seconds: float) -> None:
        """An agent was free so long before a talk."""
        self._waits.append(seconds)

    @property
    def agents_wait_s(self) -> float | None:
        """On average, before the latest talks."""
        return sum(self._waits) / len(self._waits) if self._waits else None

    @property
    def answer_rate(self) -> float | None:
        """Of the latest dials those that somebody or something answered."""
        return self._share(_ANSWERED)

    @property
    def live_rate(self) -> float | None:
        """Of the latest dials those that a person answered."""
        return self._share(LIVE)

    def caller_ids(self) -> tuple[CallerIdView, ...]:
        """Each number that was shown, and whether it gets through worse than the others.

        It has fallen when even the upper end of its interval is below what all have together.
        """
        dials = sum(len(each.latest) for each in self._shown.values())
        usual = sum(sum(each.latest) for each in self._shown.values()) / dials if dials else None
        views = []
        for number, each in self._shown.items():
            counted, answered = len(each.latest), sum(each.latest)
            enough = counted >= ENOUGH and usual is not None
            best = upper_bound(answered, counted) if enough else 1.0
            views.append(
                CallerIdView(
                    number=number,
                    dials=each.dials,
                    answers=each.answers,
                    rate=answered / counted if enough else None,
                    usual=usual if enough else None,
                    has_fallen=usual is not None and best < usual,
                )
            )
        return tuple(views)

    def _share(self, of: frozenset[Outcome]) -> float | None:
        if not self._latest:
            return None
        return sum(outcome in of for outcome in self._latest) / len(self._latest)
