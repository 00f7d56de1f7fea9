"""All trunks and groups: who takes a call, what is known of their addresses, what they carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from switch.sip.client_digest import ClientCredentials
from switch.trunks.blocking import Blocked
from switch.trunks.credentials import client_credentials
from switch.trunks.emergency import EmergencySettings
from switch.trunks.failover import Failure
from switch.trunks.groups import Choice, GroupSettings, Member, in_order
from switch.trunks.health import Health
from switch.trunks.hunt import Candidate, Departure, Hunt, Nowhere
from switch.trunks.identity import CallerId, choose_caller
from switch.trunks.limits import TrunkLimits
from switch.trunks.number_format import NumberFormat, to_e164, write
from switch.trunks.rates import Rate
from switch.trunks.settings import TrunkSettings
from switch.trunks.steps import Trace, note
from switch.trunks.targets import Target, TargetSource
from switch.trunks.translation import translate


class Trunks:
    """The trunks of a node. Pure; `draw` gives numbers from 0 to below 1."""

    def __init__(
        self,
        trunks: Mapping[str, TrunkSettings],
        groups: Mapping[str, GroupSettings],
        *,
        limits: TrunkLimits,
        addresses: TargetSource,
        draw: Callable[[], float],
        region: str = "US",
        emergency: EmergencySettings | None = None,
        blocked: Blocked | None = None,
        is_usable: Callable[[str], bool] = lambda trunk: True,
    ) -> None:
        """Take settings and parts.

        `region` is the country in which dialled numbers are read, `blocked` what no trunk may make of
        them by its rules; `is_usable` says whether a trunk can
        take calls: one that registers must be registered.
        """
        self.settings = trunks
        self.groups = groups
        self.limits = limits
        self.is_usable = is_usable
        self.service_route: Callable[[str], tuple[str, ...]] = lambda trunk: ()
        """The route that a trunk's registrar wants calls to take (RFC 3608)."""
        self._addresses = addresses
        self._draw = draw
        self._region = region
        self._emergency = emergency
        self._blocked = blocked or Blocked()
        self._credentials = {
            name: client_credentials(trunk.credentials) for name, trunk in trunks.items()
        }
        self._health: dict[str, dict[Target, Health]] = {name: {} for name in trunks}

    # --- calls out ------------------------------------------------------------------------------

    def is_emergency(self, number: str) -> bool:
        """Tell whether a number, normalised, is an emergency number."""
        return self._emergency is not None and number in self._emergency.numbers

    def credentials(self, name: str | None) -> ClientCredentials | None:
        """What answers the challenges of a trunk; None where there are none, or no such trunk."""
        return None if name is None else self._credentials.get(name)

    def location_of(self, phone: str) -> str:
        """The number that an emergency call from a phone shows; empty: as its trunk shows callers."""
        return "" if self._emergency is None else self._emergency.location_of(phone)

    def hunt(
        self,
        way: str,
        number: str,
        *,
        caller_number: str,
        caller_name: str,
        phone: str = "",
        trace: Trace = None,
    ) -> Hunt:
        """Begin the search for a call to `number`, normalised, through the trunk or group `way`.

        `phone` is the phone of ours that calls, whatever it shows: an emergency call is always of its
        place, also where it withholds its number.
        """
        emergency = self._emergency
        is_emergency = emergency is not None and number in emergency.numbers
        if emergency is not None and is_emergency:
            way = emergency.way
            caller_number = phone or caller_number
            caller_number = emergency.location_of(caller_number) or caller_number
            note(trace, "emergency", way, caller_number)
        group = self.groups.get(way)
        members = (Member(trunk=way),) if group is None else group.members
        trunks = {name: self.settings[name] for m in members if (name := m.trunk) in self.settings}
        e164 = None
        if not is_emergency and any(map(_needs_e164, trunks.values())):
            e164 = to_e164(number, self._region)
            note(trace, "international", number, e164 or "none")
        candidates: list[Candidate] = []
        is_blocked = False
        for member in self._ordered(group, members, trunks, e164, trace):
            trunk = trunks[member.trunk]
            if trunk.server is None:
                continue
            written = number if is_emergency else number_out(trunk, number, e164)
            prefix = None if is_emergency else self._blocked.prefix_of(written, trunk.region)
            if prefix is not None:
                note(trace, "written-blocked", trunk.name, prefix)
                is_blocked = True
                continue
            caller = caller_out(trunk, caller_number, caller_name)
            targets = self._addresses.targets(trunk.server)
            if not targets:
                note(trace, "no-address", trunk.name, trunk.server)
            health = self._health[trunk.name]
            if trace is not None and not self.is_usable(trunk.name):
                note(trace, "not-registered", trunk.name)
            candidates += [
                Candidate(trunk, target, health.setdefault(target, Health()), written, caller)
                for target in targets
            ]
        reason = Nowhere(404, "no-route")
        if is_blocked:
            reason = Nowhere(403, "blocked")
        elif not candidates and any(trunk.server is not None for trunk in trunks.values()):
            reason = Nowhere(503, "trunk-down")
        return Hunt(
            candidates,
            group=None if group is None else group.name,
            e164=e164,
            limits=self.limits,
            is_usable=self.is_usable,
            nowhere=reason,
            is_emergency=is_emergency,
        )

    def _ordered(
        self,
        group: GroupSettings | None,
        members: Sequence[Member],
        trunks: Mapping[str, TrunkSettings],
        e164: str | None,
        trace: Trace,
    ) -> Sequence[Member]:
        """The members in the order of trial: by cost, order and weight."""
        members = [member for member in members if member.trunk in trunks]
        if group is None or group.choice is Choice.ORDER:
            return in_order(members, self._draw, lambda member: member.order)
        costs: dict[str, Decimal | None] = {}
        for name, trunk in trunks.items():
            rate = None if trunk.rates is None or e164 is None else trunk.rates.find(e164)
            costs[name] = None if rate is None else rate.cost
            note(trace, "rate", name, _told(rate))

        def rank(member: Member) -> tuple[bool, Decimal, int]:
            cost = costs[member.trunk]
            return (cost is None, cost or Decimal(0), member.order)

        return in_order(members, self._draw, rank)

    # --- what is learnt of addresses ------------------------------------------------------------

    def heard(self, departure: Departure, now: float) -> None:
        """The address of an attempt answered something that is no fault of its own."""
        self._answered(departure.trunk, departure.target, now)

    def failed(self, departure: Departure, failure: Failure, now: float) -> None:
        """An attempt failed: the address is judged by how."""
        trunk, target = departure.trunk, departure.target
        self.judge(trunk.name, target, failure, now)

    def judge(self, name: str, target: Target, failure: Failure, now: float) -> None:
        """Take what a final status of a call, or its absence, says of an address."""
        settings = self.settings[name].health
        health = self._health[name].setdefault(target, Health())
        if not failure.heard_back:
            why = "no answer" if failure.status == 408 else "not reachable"
            health.failed(settings, why, now)
        elif failure.status == 503 and failure.retry_after_s is not None:
            health.hold(failure.retry_after_s, now)
        elif failure.status in (500, 502, 503, 504):
            health.failed(settings, str(failure.status), now)
        else:
            health.answered(settings, now)

    def health_of(self, name: str) -> Mapping[Target, Health]:
        """Every address of a trunk that something is known of, or that is looked up now."""
        trunk = self.settings[name]
        known = self._health[name]
        if trunk.server is not None:
            for target in self._addresses.targets(trunk.server):
                known.setdefault(target, Health())
        return known

    def targets(self, name: str) -> Sequence[Target]:
        """The addresses where calls of a trunk go now."""
        server = self.settings[name].server
        return () if server is None else self._addresses.targets(server)

    def is_up(self, name: str, now: float) -> bool:
        """Tell whether a call that leaves by a trunk has a good address, and the trunk is usable."""
        known = self._health[name]
        return self.is_usable(name) and any(
            (health := known.get(target)) is None
            or (health.is_good(now) and not health.is_held(now))
            for target in self.targets(name)
        )

    def forget_addresses(self, name: str) -> None:
        """Drop what is known of addresses that the look-up does not give any more."""
        current = set(self.targets(name))
        known = self._health[name]
        for target in [each for each in known if each not in current]:
            del known[target]

    def __iter__(self) -> Iterator[TrunkSettings]:
        return iter(self.settings.values())

    def _answered(self, trunk: TrunkSettings, target: Target, now: float) -> None:
        health = self._health[trunk.name].setdefault(target, Health())
        health.answered(trunk.health, now)


def number_out(trunk: TrunkSettings, number: str, e164: str | None) -> str:
    """Write a called number as a trunk wants it."""
    if trunk.number_format is not NumberFormat.AS_DIALLED and e164 is not None:
        number = write(e164, trunk.number_format, trunk.region)
    return translate(number, trunk.rules_out) if trunk.rules_out else number


def caller_out(trunk: TrunkSettings, number: str, name: str) -> CallerId:
    """Decide what a trunk shows of a caller."""
    return choose_caller(
        trunk.caller,
        number=number,
        name=name,
        form=trunk.number_format,
        region=trunk.region,
        account="" if trunk.credentials is None else trunk.credentials.username,
    )


def _told(rate: Rate | None) -> str:
    return "none" if rate is None else f"{rate.cost}, the rate of numbers with {rate.prefix}"


def _needs_e164(trunk: TrunkSettings) -> bool:
    return trunk.rates is not None or trunk.number_format is not NumberFormat.AS_DIALLED
