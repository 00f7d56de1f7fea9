"""The number plan: where a dialled number leads, and whether this caller may go there.

Pure. The order is emergency numbers, entries, phones, routes; what none of them knows is 404. Rights
are looked at only where the number leads somewhere, so that 404 and 403 say different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from switch.trunks.blocking import Blocked
from switch.trunks.emergency import EmergencySettings
from switch.trunks.groups import GroupSettings
from switch.trunks.settings import NumberPlanSettings, TrunkSettings
from switch.trunks.source import Source
from switch.trunks.steps import Trace, note

MAX_NUMBER_LENGTH: Final = 32
"""E.164 allows 15 digits; the rest is room for separators and prefixes."""

_SEPARATORS: Final = str.maketrans("", "", " -.()/\t\u00a0")


class ToEntry(Struct, frozen=True):
    """The number is an entry of the application."""

    entry: str
    number: str


class ToPhone(Struct, frozen=True):
    """The number is a phone."""

    number: str


class ToTrunk(Struct, frozen=True):
    """The call leaves through a trunk, or a group of trunks."""

    trunk: str
    """Name of the trunk or group."""
    number: str
    is_emergency: bool = False


class Refused(Struct, frozen=True):
    """The call goes nowhere."""

    status: int
    """SIP status to answer with."""
    reason: str
    """One slug: `unknown-number`, `not-allowed`, `blocked`."""


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
            ValueError: two entries share a number, or a route, a group or the emergency numbers name
                a trunk that is not there or takes no calls out.
        """
        self._settings = settings
        self.blocked = Blocked(settings.blocked)
        self._entries: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        for entry in settings.entries:
            self._codes.update(dict.fromkeys(entry.codes, entry.name))
            for written in entry.numbers:
                number = normalise(written)
                other = self._entries.setdefault(number, entry.name)
                if other != entry.name:
                    raise ValueError(f"number {number} leads to {other!r} and to {entry.name!r}")
        for group in settings.groups.values():
            for member in group.members:
                self._must_call_out(member.trunk, f"group {group.name!r}: trunk {member.trunk!r}")
        for route in settings.routes:
            if route.trunk not in settings.groups:
                self._must_call_out(route.trunk, f"route to trunk {route.trunk!r}")
        emergency = settings.emergency
        if emergency is not None and emergency.way not in settings.groups:
            self._must_call_out(emergency.way, f"emergency numbers to trunk {emergency.way!r}")

    @property
    def groups(self) -> Mapping[str, GroupSettings]:
        """Groups of trunks, by name."""
        return self._settings.groups

    @property
    def campaign_ways(self) -> tuple[str, ...]:
        """Trunks and groups that campaigns may use, in the order in which they are asked."""
        ways = dict.fromkeys(route.trunk for route in self._settings.routes)
        return tuple(way for way in ways if self._way(way).campaigns)

    @property
    def emergency(self) -> EmergencySettings | None:
        """Where emergency calls go; None: nowhere."""
        return self._settings.emergency

    @property
    def region(self) -> str:
        """Country in which dialled numbers are read."""
        return self._settings.region

    def resolve(
        self, source: Source, source_name: str, number: str, trace: Trace = None
    ) -> Destination:
        """Find where `number`, dialled by the phone or trunk `source_name`, leads."""
        if len(number) > MAX_NUMBER_LENGTH:
            return Refused(404, "unknown-number")
        wanted = normalise(number)
        note(trace, "dialled", number, wanted)
        emergency = self._settings.emergency
        if emergency is not None and wanted in emergency.numbers and source is Source.PHONE:
            return ToTrunk(emergency.way, wanted, is_emergency=True)
        entry = self._entries.get(wanted)
        if entry is None and source is Source.PHONE:
            entry = self._of_code(wanted)
        if entry is not None:
            return ToEntry(entry, wanted)
        if self.is_phone(wanted):
            return self._to_phone(source, source_name, wanted)
        for route in self._settings.routes:
            if route.takes(wanted):
                note(trace, "route", route.trunk, route.why(wanted) if trace is not None else "")
                return self._to_trunk(source, source_name, route.trunk, wanted, trace)
            note(trace, "no-route", route.trunk)
        return Refused(404, "unknown-number")

    def _of_code(self, number: str) -> str | None:
        """The entry of the longest code that a number begins with."""
        found = [code for code in self._codes if number.startswith(code)]
        return self._codes[max(found, key=len)] if found else None

    def knows(self, number: str) -> bool:
        """Tell whether a normalised number is an entry or a phone of ours."""
        return number in self._entries or self.is_phone(number)

    def is_emergency(self, number: str) -> bool:
        """Tell whether a dialled number is an emergency number here."""
        emergency = self._settings.emergency
        return emergency is not None and normalise(number) in emergency.numbers

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
        if routes and self._blocked_by(wanted) is not None:
            return Refused(403, "blocked")
        for route in routes:
            if self._way(route.trunk).call_backs:
                return ToTrunk(route.trunk, wanted)
        return Refused(403, "not-allowed") if routes else Refused(404, "unknown-number")

    def campaign(self, number: str, way: str = "") -> Destination:
        """Find where a campaign reaches `number`: by the trunk or group `way`, or any that it may use.

        Only outside, and only where the trunk takes such numbers and allows campaigns; never an
        emergency number.
        """
        wanted = normalise(number)
        if len(number) > MAX_NUMBER_LENGTH or self.knows(wanted) or self.is_emergency(wanted):
            return Refused(404, "unknown-number")
        routes = [route for route in self._settings.routes if route.takes(wanted)]
        routes = [route for route in routes if way in ("", route.trunk)]
        if routes and self._blocked_by(wanted) is not None:
            return Refused(403, "blocked")
        for route in routes:
            if self._way(route.trunk).campaigns:
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
        self, source: Source, source_name: str, way: str, number: str, trace: Trace
    ) -> Destination:
        """No call leaves unless its caller may make it; a trunk's caller never may (toll fraud)."""
        if source is not Source.PHONE or source_name not in self._way(way).callers:
            note(trace, "not-allowed", way, source_name)
            return Refused(403, "not-allowed")
        prefix = self._blocked_by(number)
        if prefix is not None:
            note(trace, "blocked", prefix)
            return Refused(403, "blocked")
        return ToTrunk(way, number)

    def _blocked_by(self, number: str) -> str | None:
        """The blocked prefix that a number falls under; None when it may be called."""
        return self.blocked.prefix_of(number, self._settings.region)

    def _way(self, name: str) -> TrunkSettings | GroupSettings:
        """The trunk or group of a name that was checked at construction."""
        group = self._settings.groups.get(name)
        return self._settings.trunks[name] if group is None else group

    def _must_call_out(self, name: str, what: str) -> None:
        trunk = self._settings.trunks.get(name)
        if trunk is None:
            raise ValueError(f"{what}: there is no such trunk")
        if trunk.proxy_host is None:
            raise ValueError(f"{what}: it has no proxy_host")
