"""What lives in the server and what it has counted, from every part of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

import msgspec

from acd.contacts import Contacts
from crm_store.history import HistoryWriter
from cti.media_gateways import MediaGateways
from cti.pops import PopService
from cti.schema import GatewayStatus, ServerStatus
from switch.calls.control import Calls
from switch.calls.events import CallRefused, GatewayChanged, RecordingClosed
from switch.calls.fan_out import Takes
from switch.clock import Clock
from switch.gateway.protocol import Event, GatewayStats
from switch.guard.watch import SipWatch
from switch.registrar.registrar import Registrar
from switch.sip.endpoint import Endpoint
from switch.sip.user_agent import UserAgent
from switch.transport.pump import Pump

log = logging.getLogger(__name__)

_LOGGED_A_SECOND: Final = 5
"""Refused calls; all are counted."""


class StatusBoard:
    """Asks every part for its counters when somebody wants to know."""

    def __init__(
        self,
        *,
        clock: Clock,
        gateways: MediaGateways,
        calls: Calls,
        contacts: Contacts,
        user_agent: UserAgent,
        endpoint: Endpoint,
        registrar: Registrar,
        pump: Pump,
        history: HistoryWriter,
        pops: PopService,
        watch: SipWatch,
    ) -> None:
        self._clock = clock
        self._gateways = gateways
        self._calls = calls
        self._contacts = contacts
        self._user_agent = user_agent
        self._endpoint = endpoint
        self._registrar = registrar
        self._pump = pump
        self._history = history
        self._pops = pops
        self._watch = watch
        self._started = clock.now()
        self._figures: dict[str, dict[str, float]] = {}
        """What each gateway said of itself last, by its name."""
        self._refused: Counter[str] = Counter()
        self.recordings_broken = 0
        """Not written to their end, and not made whole after the loss of their gateway."""
        self.gateways_lost = 0
        self._logged_second = 0
        self._logged = 0
        self.takes: Takes = {
            CallRefused: self._call_refused,
            GatewayChanged: self._gateway_changed,
            RecordingClosed: self._recording_closed,
        }
        """What the calls report."""

    @property
    def gateway(self) -> dict[str, float]:
        """What the gateways said of themselves last, together; empty before they said anything."""
        return together(list(self._figures.values()))

    @property
    def gateways(self) -> tuple[GatewayStatus, ...]:
        """Each of them."""
        return tuple(
            replace(view, figures=self._figures.get(view.name, {}))
            for view in self._gateways.view()
        )

    @property
    def refused(self) -> Counter[str]:
        """Calls refused at the door, by reason."""
        return self._refused

    @property
    def uptime_s(self) -> float:
        return self._clock.now() - self._started

    def gateway_event(self, gateway: str, event: Event) -> None:
        """Keep the last statistics of each gateway."""
        if isinstance(event, GatewayStats):
            self._figures[gateway] = {
                name: value
                for name, value in msgspec.structs.asdict(event).items()
                if isinstance(value, int | float)
            }

    def _gateway_changed(self, event: GatewayChanged) -> None:
        """What one said that is gone is true no more."""
        if not event.is_up:
            self._figures.pop(event.gateway, None)
            self.gateways_lost += 1

    def _recording_closed(self, event: RecordingClosed) -> None:
        self.recordings_broken += event.error is not None

    def _call_refused(self, event: CallRefused) -> None:
        """Count refusals, and log them as long as they are few: a flood must not fill the disk."""
        self._refused[event.reason] += 1
        second = int(event.at)
        if second != self._logged_second:
            self._logged_second, self._logged = second, 0
        self._logged += 1
        if self._logged <= _LOGGED_A_SECOND:
            log.info(
                "call from %s to %s refused: %d %s",
                event.caller_number or "a withheld number",
                event.called,
                event.status,
                event.reason,
            )

    def status(self) -> ServerStatus:
        """All of it, now."""
        pops = self._pops
        return ServerStatus(
            at=self._clock.wall(),
            uptime_s=self.uptime_s,
            legs=self._calls.legs_alive,
            calls=self._calls.calls_alive,
            contacts=len(self._contacts),
            sessions=self._user_agent.sessions_alive,
            faults=self._calls.faults,
            shed=self._calls.overload.shed + self._endpoint.surplus.calls,
            gateway=self.gateway,
            gateways=self.gateways,
            sip=self._sip(),
            history={**asdict(self._history.counters), "pending": self._history.pending},
            pops={"confirmed": pops.confirmed, "late": pops.late},
            refused=dict(self._refused),
            guard=self._guard(),
        )

    def _guard(self) -> dict[str, int]:
        """All counters; offences as `offence_` and their kind."""
        counted = asdict(self._watch.counters(self._clock.now()))
        offences = counted.pop("offences")
        return counted | {f"offence_{kind}": count for kind, count in offences.items()}

    def _sip(self) -> dict[str, int]:
        """Messages, TCP connections, and REGISTERs by the status of their answer."""
        tcp = {f"tcp_{name}": count for name, count in asdict(self._pump.streams.counters).items()}
        registers = {
            f"register_{status}": count for status, count in self._registrar.answered.items()
        }
        return asdict(self._endpoint.counters) | tcp | registers


def together(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The figures of several gateways as those of one: added up, or the worst of them."""
    if len(figures) == 1:
        return dict(figures[0])
    found: dict[str, float] = {}
    for each in figures:
        for name, value in each.items():
            before = found.get(name)
            if before is None:
                found[name] = value
            elif name == "uptime_s":
                found[name] = min(before, value)
            elif name.startswith("lateness"):
                found[name] = max(before, value)
            else:
                found[name] = before + value
    return found
