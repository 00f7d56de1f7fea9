"""The number plan: where a dialled number leads, and whether this caller may go there.

Pure. The order is entries, phones, routes; what none of them knows is 404. Rights are looked at
only where the number leads somewhere, so that 404 and 403 say different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from switch.trunks.settings import NumberPlanSettings, TrunkSettings
from switch.trunks.source import Source

MAX_NUMBER_LENGTH: Final = 32
"""E.164 allows 15 digits; the rest is room for separators and prefixes."""

_SEPARATORS: Final = str.maketrans("", "", " -.()/\t\u00a0")


@dataclass(frozen=True, slots=True)
class ToEntry:
    """The number is an entry of the application."""

    entry: str
    number: str


@dataclass(frozen=True, slots=True)
class ToPhone:
    """The number is a phone."""

    number: str


@dataclass(frozen=True, slots=True)
class ToTrunk:
    """The call leaves through a trunk."""

    trunk: str
    number: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The call goes nowhere."""

    status: int
    """SIP status to answer with."""
    reason: str
    """One slug: `unknown-number`, `not-allowed`, `trunk-down`."""


Destination = ToEntry | ToPhone | ToTrunk | Refused


def normalise(number: str) -> str:
    """Strip what people and phones put into numbers without meaning anything by it.

    Separators go, and so do the parameters that some phones leave in the user part
    (`+12025550100;phone-context=...`). Everything else stays, so a name never turns into a number.
    """
    return number.partition(";")[0].translate(_SEPARATORS)


class NumberPlan:
    """Where numbers lead, from settings that are checked once at construction."""

    def __init__(self, settings: NumberPlanSettings) -> None:
        """Index the settings.

        Raises:
            ValueError: two entries share a number, or a route names a trunk that is not there or
                takes no calls out.
        """
        self._settings = settings
        self._entries: dict[str, str] = {}
        for entry in settings.entries:
            for written in entry.numbers:
                number = normalise(written)
                other = self._entries.setdefault(number, entry.name)
                if other != entry.name:
                    raise ValueError(f"number {number} leads to {other!r} and to {entry.name!r}")
        for route in settings.routes:
            trunk = settings.trunks.get(route.trunk)
            if trunk is None:
                raise ValueError(f"route to trunk {route.trunk!r}: there is no such trunk")
            if trunk.proxy_host is None:
                raise ValueError(f"route to trunk {route.trunk!r}: it has no proxy_host")

    def resolve(self, source: Source, source_name: str, number: str) -> Destination:
        """Find where `number`, dialled by the phone or trunk `source_name`, leads."""
        if len(number) > MAX_NUMBER_LENGTH:
            return Refused(404, "unknown-number")
        wanted = normalise(number)
        entry = self._entries.get(wanted)
        if entry is not None:
            return ToEntry(entry, wanted)
        if self.is_phone(wanted):
            return self._to_phone(source, source_name, wanted)
        for route in self._settings.routes:
            if route.takes(wanted):
                trunk = self._settings.trunks[route.trunk]
                return self._to_trunk(source, source_name, trunk, wanted)
        return Refused(404, "unknown-number")

    def call_back(self, number: str) -> Destination:
        """Find where a customer is reached who called from `number` and was cut off by us.

        Phones proved who they are when they called; all else leaves by the first trunk that takes
        the number and allows call-backs.
        """
        wanted = normalise(number)
        if len(number) > MAX_NUMBER_LENGTH or wanted in self._entries:
            return Refused(404, "unknown-number")
        if self.is_phone(wanted):
            return ToPhone(wanted)
        routes = [route for route in self._settings.routes if route.takes(wanted)]
        for route in routes:
            if self._settings.trunks[route.trunk].call_backs:
                return ToTrunk(route.trunk, wanted)
        return Refused(403, "not-allowed") if routes else Refused(404, "unknown-number")

    def is_phone(self, number: str) -> bool:
        """Tell whether `number` is the extension of a phone."""
        return any(number in phones for phones in self._settings.phones)

    def _to_phone(self, source: Source, source_name: str, number: str) -> Destination:
        """Phones reach each other; a trunk's callers only where the trunk and the range say so."""
        if source is Source.PHONE:
            return ToPhone(number)
        trunk = self._settings.trunks.get(source_name)
        if trunk is None or not trunk.inbound_phones:
            # As if it were not there: outsiders learn nothing about our extensions.
            return Refused(404, "unknown-number")
        for phones in self._settings.phones:
            if number in phones and phones.callers_from_trunks:
                return ToPhone(number)
        return Refused(404, "unknown-number")

    def _to_trunk(
        self, source: Source, source_name: str, trunk: TrunkSettings, number: str
    ) -> Destination:
        """No call leaves unless its caller may make it; a trunk's caller never may (toll fraud)."""
        if source is not Source.PHONE or source_name not in trunk.callers:
            return Refused(403, "not-allowed")
        return ToTrunk(trunk.name, number)
