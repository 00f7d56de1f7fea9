"""The part of the public catalogue that is about carriers; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkRegistrationView:
    """Our registration at one registrar of a trunk."""

    registrar: str
    registered: bool
    until: float | None = None
    """When the carrier forgets it, seconds since the epoch; None: it never knew us."""
    failures: int = 0
    """In a row."""
    last_failure: str = ""
    next_at: float | None = None
    """When it is refreshed, or tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkAddressView:
    """One address where calls of a trunk go."""

    address: str
    """`192.0.2.1:5060 UDP`"""
    state: str
    """`up`, `down`, `avoided` (a call failed there lately), `held` (it asked to be left alone), or
    `unknown` until something is heard."""
    since: float | None = None
    """When it changed between up and down last."""
    last_failure: str = ""
    last_failure_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkView:
    """A trunk, or a group of trunks, as it stands."""

    name: str
    is_group: bool = False
    members: tuple[str, ...] = ()
    """Of a group."""
    up: bool = True
    """Calls out have a good address, and it is registered where it registers at all."""
    takes_calls_out: bool = True
    calls: int = 0
    """Live legs, in both directions."""
    max_calls: int = 0
    """0: no limit of its own."""
    calls_per_second: int = 0
    """Begun within the last second; counted only where there is a limit."""
    max_calls_per_second: int = 0
    registrations: tuple[TrunkRegistrationView, ...] = ()
    addresses: tuple[TrunkAddressView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStepView:
    """One step of the way to a decision."""

    what: str
    """One slug: `dialled`, `route`, `rate`, `full`, ..."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAttemptView:
    """One address that a call would try, while those before it fail."""

    trunk: str
    address: str
    number: str
    """As it is written there."""
    caller: str
    """As it is shown there; empty: withheld."""
    cost: str = ""
    """Of a minute, by the trunk's rates; empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """Where a number leads now, and why."""

    number: str
    caller: str
    outcome: str
    """`trunk`, `phone`, `entry` or `refused`."""
    words: str
    steps: tuple[RouteStepView, ...] = ()
    attempts: tuple[RouteAttemptView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyView:
    """Somebody dialled an emergency number."""

    call_id: str
    number: str
    caller_number: str
    """The phone."""
    location: str
    """The number that tells where it stands; empty where none is configured."""
