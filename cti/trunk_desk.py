"""Carriers as people see them: how they stand, and why a number leaves where it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cti.carriers import Carriers
from cti.schema import (
    RouteAttemptView,
    RouteStepView,
    RouteView,
    TrunkAddressView,
    TrunkRegistrationView,
    TrunkView,
)
from switch.clock import Clock
from switch.trunks.groups import GroupSettings
from switch.trunks.health import Health
from switch.trunks.hunt import Departure, Nowhere
from switch.trunks.number_plan import NumberPlan, Refused, ToEntry, ToPhone, ToTrunk
from switch.trunks.registrations import Registration
from switch.trunks.settings import TrunkSettings
from switch.trunks.source import Source
from switch.trunks.steps import Step
from switch.trunks.targets import Target

_WORDS: Final[Mapping[str, str]] = {
    "dialled": "{subject} is dialled, which is read as {detail}",
    "no-route": "the route by {subject} is for other numbers",
    "route": "the route by {subject} takes it: {detail}",
    "not-allowed": "{detail} may not call out by {subject}; see its callers",
    "blocked": "it is blocked: numbers that begin with {subject}",
    "written-blocked": "{subject} is left out: as it writes the number it is blocked ({detail})",
    "emergency": "it is an emergency number: by {subject}, with the location {detail}, without limits",
    "international": "its international form, by which costs are found, is {detail}",
    "rate": "a minute by {subject} costs {detail}",
    "no-address": "{subject} is left out: no address is known of {detail}",
    "not-registered": "{subject} is not registered: it is tried last",
    "not-good": "{detail} of {subject} is down, or a call failed there lately: it is tried last",
    "full": "{subject} is left out: {detail} is reached",
}
_MISSING: Final[Mapping[str, str]] = {
    "international": "it has no international form: no cost can be found",
    "rate": "{subject} has no rate for it",
}
"""The same where there is nothing to be told."""
_UNCHANGED: Final[Mapping[str, str]] = {
    "dialled": "{subject} is dialled",
    "international": "it is in its international form, by which costs are found",
}
"""The same where the detail is the subject again."""
_REFUSALS: Final[Mapping[str, str]] = {
    "unknown-number": "Nobody has that number (404)",
    "not-allowed": "The caller may not call it (403)",
    "blocked": "It is blocked (403)",
}


class TrunkDesk:
    """Satisfies `cti.api.ports.TrunkDesk`."""

    def __init__(self, carriers: Carriers, plan: NumberPlan, clock: Clock) -> None:
        self._carriers = carriers
        self._trunks = carriers.trunks
        self._plan = plan
        self._clock = clock

    def view(self) -> tuple[TrunkView, ...]:
        """Groups first, then trunks, in the order of the configuration."""
        now = self._clock.now()
        groups = (self._group(group, now) for group in self._trunks.groups.values())
        return (*groups, *(self._trunk(trunk, now) for trunk in self._trunks))

    def route(self, number: str, caller: str) -> RouteView:
        """Where a number leads that `caller`, a phone, dials now; nothing is called and nothing counted."""
        steps: list[Step] = []
        found = self._plan.resolve(Source.PHONE, caller, number, steps)
        attempts: tuple[RouteAttemptView, ...] = ()
        match found:
            case ToPhone(number=phone):
                outcome, words = "phone", f"It is the phone {phone}"
            case ToEntry(entry=entry):
                outcome, words = "entry", f"It is the entry {entry}"
            case Refused(reason=reason):
                outcome, words = "refused", _REFUSALS.get(reason, reason)
            case ToTrunk():
                outcome = "trunk"
                attempts, words = self._attempts(found, caller, steps)
        return RouteView(
            number=number,
            caller=caller,
            outcome=outcome,
            words=words,
            steps=tuple(map(_step, steps)),
            attempts=attempts,
        )

    # --- inside ---------------------------------------------------------------------------------

    def _attempts(
        self, found: ToTrunk, caller: str, steps: list[Step]
    ) -> tuple[tuple[RouteAttemptView, ...], str]:
        now = self._clock.now()
        hunt = self._trunks.hunt(
            found.trunk, found.number, caller_number=caller, caller_name="", trace=steps
        )
        attempts = []
        while isinstance(next_ := hunt.next(now, steps), Departure):
            attempts.append(_attempt(next_))
        if attempts:
            first = attempts[0]
            return tuple(attempts), f"It leaves by {first.trunk} to {first.address}"
        assert isinstance(next_, Nowhere)
        if next_.reason in _REFUSALS:
            return (), _REFUSALS[next_.reason]
        return (), f"No trunk can take it now: {next_.reason} ({next_.status})"

    def _group(self, group: GroupSettings, now: float) -> TrunkView:
        members = tuple(member.trunk for member in group.members)
        limits = self._trunks.limits
        return TrunkView(
            name=group.name,
            is_group=True,
            members=members,
            up=any(self._trunks.is_up(name, now) for name in members),
            calls=limits.live(group.name),
            max_calls=group.max_calls,
            calls_per_second=limits.begun_lately(group.name, now),
            max_calls_per_second=group.max_calls_per_second,
        )

    def _trunk(self, trunk: TrunkSettings, now: float) -> TrunkView:
        limits, name = self._trunks.limits, trunk.name
        takes_calls_out = trunk.server is not None
        known = self._trunks.health_of(name)
        return TrunkView(
            name=name,
            up=self._trunks.is_up(name, now) if takes_calls_out else self._trunks.is_usable(name),
            takes_calls_out=takes_calls_out,
            calls=limits.live(name),
            max_calls=trunk.max_calls,
            calls_per_second=limits.begun_lately(name, now),
            max_calls_per_second=trunk.max_calls_per_second,
            registrations=tuple(
                self._registration(each, now) for each in self._carriers.registrations.of(name)
            ),
            addresses=tuple(self._address(target, health, now) for target, health in known.items()),
        )

    def _registration(self, registration: Registration, now: float) -> TrunkRegistrationView:
        return TrunkRegistrationView(
            registrar=str(registration.registrar),
            registered=registration.holds(now),
            until=self._wall(registration.until, now),
            failures=registration.failures,
            last_failure=registration.last_failure,
            next_at=self._wall(registration.due, now),
        )

    def _address(self, target: Target, health: Health, now: float) -> TrunkAddressView:
        return TrunkAddressView(
            address=_written(target),
            state=state_of(health, now),
            since=self._wall(health.since, now),
            last_failure=health.last_failure,
            last_failure_at=self._wall(health.last_failure_at, now),
        )

    def _wall(self, moment: float, now: float) -> float | None:
        """Seconds since the epoch; None for what never was."""
        return None if not moment else round(self._clock.wall() + moment - now, 3)


def state_of(health: Health, now: float) -> str:
    """One word for how an address stands."""
    if health.is_held(now):
        return "held"
    if not health.is_up:
        return "down"
    if not health.is_good(now):
        return "avoided"
    return "up" if health.is_known else "unknown"


def _attempt(departure: Departure) -> RouteAttemptView:
    rates, e164 = departure.trunk.rates, departure.e164
    rate = None if rates is None or e164 is None else rates.find(e164)
    return RouteAttemptView(
        trunk=departure.trunk.name,
        address=_written(departure.target),
        number=departure.number,
        caller=departure.caller.number,
        cost="" if rate is None else str(rate.cost),
    )


def _written(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port} {target.transport}"


def _step(step: Step) -> RouteStepView:
    words = _WORDS[step.what]
    if step.detail == "none":
        words = _MISSING.get(step.what, words)
    elif step.detail == step.subject:
        words = _UNCHANGED.get(step.what, words)
    words = words.format(subject=step.subject, detail=step.detail)
    return RouteStepView(what=step.what, words=words)
