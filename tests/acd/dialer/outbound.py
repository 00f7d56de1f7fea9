"""A small centre that dials: the distribution, its shells and a real dialer, over a switch made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from acd.contact_events import ContactStarted
from acd.dialer.dialer import Dialer
from acd.dialer.events import DialerEvent, PreviewChanged
from acd.dialer.model import (
    Attempt,
    AttemptId,
    CampaignName,
    CampaignState,
    Candidate,
    Mode,
    RecordId,
)
from acd.dialer.records import AttemptRecord, RunRecord
from acd.dialer.settings import AnswerRules, CampaignSettings
from acd.dialer.views import PreviewView
from acd.model import AgentId
from acd.ports import Destination, NoRoute, ToTrunk
from switch.calls.causes import EndCause, Result
from switch.calls.events import CallEvent
from switch.calls.fan_out import FanOut
from switch.ids import LegId
from tests.acd.call_centre import CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import SALES

T = TypeVar("T")

BUSY = EndCause(Result.BUSY, "busy", 486)
NO_ANSWER = EndCause(Result.NO_ANSWER, "ring-timeout", 408)
UNKNOWN = EndCause(Result.UNREACHABLE, "unknown-number", 404)
UNAVAILABLE = EndCause(Result.UNREACHABLE, "no-route", 503)

SPRING = CampaignName("spring")
OUT = "out"


@dataclass
class Ways:
    """Satisfies `acd.dialer.ports.DialRoutes`: one trunk, whose troubles a test sets."""

    trouble: str = ""
    unknown: set[str] = field(default_factory=set)
    refused: str = ""

    def customer(self, way: str, number: str) -> Destination:
        if number in self.unknown:
            return NoRoute(reason="unknown-number")
        if self.refused:
            return NoRoute(reason=self.refused)
        return ToTrunk(trunk=way or OUT, number=number)

    def why_not(self, way: str) -> str:
        return self.trouble


class _Told(list[Any]):
    """What is reported reaches the dialer, too."""

    dialer: Dialer | None = None

    def append(self, event: Any) -> None:
        super().append(event)
        if self.dialer is not None:
            self.dialer.acd_event(event)


def _same(moment: float) -> float:
    """The records' clock is ours."""
    return moment


def _again(record: object, kind: type[T]) -> T:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind)


class Outbound(CallCentre):
    """Ann and Bob serve sales, for which campaigns dial."""

    def __init__(self, **options: Any) -> None:
        self.attempts: list[Attempt] = []
        self.released: list[tuple[RecordId, str]] = []
        self.events: list[DialerEvent] = []
        self.ways = Ways()
        self._records = 0
        self.forgotten: set[RecordId] = set()
        """At hand when the process died: their claims lapse."""
        self._runs_kept: dict[CampaignName, RunRecord] = {}
        self._attempts_kept: dict[AttemptId, AttemptRecord] = {}
        super().__init__(**options)
        self.switch.bring_gateway()

    def _make(self) -> None:
        told = self.reports = _Told(self.reports)
        super()._make()
        self.dialer = told.dialer = Dialer(
            contacts=self.contacts,
            distribution=self.distribution,
            callers=self.inbound,
            control=self.switch,
            clock=self.process,
            routes=self.ways,
            new_id=self._new_id,
            report=self.reports.append,
        )
        self.dialer.on_attempt = self.attempts.append
        self.dialer.on_event = self.events.append
        self.dialer.on_release = self._released
        before, dialer = self.switch.handle, FanOut(self.dialer.takes)

        def handle(event: CallEvent) -> None:
            before(event)
            dialer(event)

        self.switch.handle = handle
        resume = self.adoption.resume

        def resume_all() -> None:
            adoption = dialer_.adoption
            faults = adoption.restore(
                self._runs_kept, self._attempts_kept, _same, self.switch.legs.__contains__
            )
            assert faults == []
            resume()
            adoption.resume()

        dialer_ = self.dialer
        setattr(self.adoption, "resume", resume_all)  # noqa: B010 - a method, for this object

    def restart(self, without: Leg | None = None) -> None:
        """Another process goes on; `without`: a leg that ended while there was none."""
        self.settle()
        adoption = self.dialer.adoption
        self._runs_kept = {
            name: _again(kept, RunRecord)
            for name in self.dialer.names()
            if (kept := adoption.run(name, _same)) is not None
        }
        self._attempts_kept = {
            view.id: _again(adoption.attempt(view.id, _same), AttemptRecord)
            for name in self.dialer.names()
            for view in self.dialer.attempts(name)
        }
        for name in self.dialer.names():
            self.forgotten |= {each.record for each, _ in self.dialer._run(name).supply}
        if without is not None:
            del self.switch.legs[without.id]
        super().restart()
        self.switch.bring_gateway()
        self.settle()

    def _released(self, name: CampaignName, found: Sequence[Candidate], reason: str) -> None:
        self.released += [(each.record, reason) for each in found]

    def is_dialled(self, leg: LegId) -> bool:
        return self.dialer.is_mine(leg) and self.contacts.of_leg(leg) is None

    # --- campaigns ------------------------------------------------------------------------------

    def campaign(
        self,
        name: CampaignName = SPRING,
        mode: Mode = Mode.PROGRESSIVE,
        *,
        records: int = 10,
        classify: bool = False,
        **settings: Any,
    ) -> None:
        """A campaign that runs, with records at hand."""
        settings.setdefault("queue", SALES)
        settings.setdefault("answers", AnswerRules(classify=classify))
        self.dialer.load(
            CampaignSettings(name=name, mode=mode, **settings), state=CampaignState.RUNNING
        )
        if records:
            self.supply(records, name)
        self.settle()

    def supply(
        self, records: int, name: CampaignName = SPRING, **facts: Any
    ) -> tuple[Candidate, ...]:
        """Records from the list."""
        found = tuple(self._candidate(name, **facts) for _ in range(records))
        self.dialer.supply(name, found)
        return found

    def _candidate(self, name: CampaignName, **facts: Any) -> Candidate:
        self._records += 1
        return Candidate(
            campaign=name,
            record=RecordId(f"r{self._records}"),
            number=f"+1202555{100 + self._records:04}",
            position=0,
            zone="America/New_York",
            why="08:00-21:00 local, 14:03 there",
            **facts,
        )

    @property
    def supplied(self) -> int:
        """Records brought so far: `r1`, `r2` and so on."""
        return self._records

    # --- what is seen ---------------------------------------------------------------------------

    def customers(self) -> list[Leg]:
        """The legs to customers, oldest first."""
        return [leg for leg in self.switch.legs.values() if leg.outbound and leg.phone is None]

    def customer(self) -> Leg:
        """The one leg to a customer."""
        (leg,) = self.customers()
        return leg

    def outcomes(self) -> list[str]:
        """What became of attempts; of each the last word, in the order of the first."""
        last = {attempt.id: attempt.outcome.value for attempt in self.attempts}
        return list(last.values())

    def started(self) -> list[ContactStarted]:
        return self.told(ContactStarted)

    def previews(self, agent: AgentId) -> list[PreviewView]:
        """What an agent's desk was told of its record."""
        changes = [each for each in self.events if isinstance(each, PreviewChanged)]
        return [each.view for each in changes if each.view.agent == agent]

    def why(self, name: CampaignName = SPRING) -> list[str]:
        """Why nothing, or not more, is dialled."""
        return [each.code for each in self.dialer.blockers(name)]
