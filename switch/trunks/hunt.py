"""One call's way out: the addresses of the trunks that may take it, tried one after the other.

    next -----> Departure: call there
      ^            |
      '-- failed --'  (a failure of the trunk, before anything rang; of emergency calls any)

Good addresses come first, in the order of the group and of the look-up; those that are down or were
avoided are a last resort. An address that asked to be left alone is not tried at all. Emergency calls
know no limit, and try those as well, last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from switch.sip.uri import Uri
from switch.trunks.failover import Failure, leads_on
from switch.trunks.health import Health
from switch.trunks.identity import CallerId
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings
from switch.trunks.steps import Trace, note
from switch.trunks.targets import Target

MOST_ATTEMPTS: Final = 8
"""Addresses that one call tries; a caller has no patience for more."""
USER_SAFE: Final = "+*#&=$,?/!~'()-_."
"""Characters that may stand unescaped in the user part of a SIP URI (RFC 3261 section 25.1)."""


class Departure(Struct, frozen=True, kw_only=True):
    """One attempt: everything that its INVITE depends on."""

    trunk: TrunkSettings
    group: str | None
    target: Target
    number: str
    """As the trunk wants it written."""
    e164: str | None
    """The same in the international form, if it has one."""
    request_uri: Uri
    caller: CallerId
    is_emergency: bool = False
    has_others: bool = False
    """When this attempt fails there is another one."""


class Nowhere(Struct, frozen=True):
    """No trunk is left."""

    status: int
    reason: str
    """One slug: `trunk-full`, `trunk-down`, `blocked`, `no-route`."""


class Candidate(Struct, eq=False):
    """One address of one trunk."""

    trunk: TrunkSettings
    target: Target
    health: Health
    number: str
    caller: CallerId


class Hunt:
    """The state of one call's search. `is_usable` says whether a trunk can take calls at all now."""

    __slots__ = (
        "_attempts",
        "_candidates",
        "_e164",
        "_group",
        "_is_usable",
        "_limits",
        "_nowhere",
        "current",
        "is_emergency",
    )

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        group: str | None,
        e164: str | None,
        limits: TrunkLimits,
        is_usable: Callable[[str], bool],
        nowhere: Nowhere,
        is_emergency: bool = False,
    ) -> None:
        self._candidates = list(candidates)
        self._group = group
        self._e164 = e164
        self._limits = limits
        self._is_usable = is_usable
        self._nowhere = nowhere
        self._attempts = 0
        self.is_emergency = is_emergency
        self.current: Candidate | None = None
        """The one that is being tried."""

    def next(self, now: float, trace: Trace = None) -> Departure | Nowhere:
        """Choose where the call is tried now; `Nowhere` when nothing is left."""
        # It has its room there, and keeps it at the next address.
        own = None if self.current is None else self.current.trunk.name
        self.current = None
        group = self._group
        if not self.is_emergency and group is not None and not self._attempts:
            full = self._limits.why_full(group, now)
            if full is not None:
                note(trace, "full", group, full)
                self._nowhere = Nowhere(503, "trunk-full")
                self._candidates.clear()
        while self._candidates and self._attempts < MOST_ATTEMPTS:
            candidate = self._pick(now)
            if candidate is None:
                break
            self._candidates.remove(candidate)
            name = candidate.trunk.name
            is_free = self.is_emergency or name == own
            full = None if is_free else self._limits.why_full(name, now)
            if full is not None:
                note(trace, "full", name, full)
                self._nowhere = Nowhere(503, "trunk-full")
                self._candidates = [each for each in self._candidates if each.trunk.name != name]
                continue
            if trace is not None and not candidate.health.is_good(now):
                note(trace, "not-good", name, candidate.target.host)
            self._attempts += 1
            self.current = candidate
            return self._departure(candidate)
        return self._nowhere

    def failed(self, failure: Failure, *, has_rung: bool) -> bool:
        """Tell whether `next` is to be asked, after the attempt it gave has failed."""
        current = self.current
        if current is None or not self._candidates:
            return False
        return leads_on(
            failure,
            has_rung=has_rung,
            further=current.trunk.failover_statuses,
            is_emergency=self.is_emergency,
        )

    def _pick(self, now: float) -> Candidate | None:
        """The first good one, else the first that may be asked at all."""
        second = third = None
        for candidate in self._candidates:
            health = candidate.health
            if health.is_held(now):
                third = third or candidate
            elif health.is_good(now) and self._is_usable(candidate.trunk.name):
                return candidate
            else:
                second = second or candidate
        if second is not None or self.is_emergency:
            return second or third
        if third is not None:
            self._nowhere = Nowhere(503, "trunk-down")
        return None

    def _departure(self, candidate: Candidate) -> Departure:
        trunk, number, target = candidate.trunk, candidate.number, candidate.target
        host, port = trunk.proxy_host, trunk.proxy_port
        if host is None or host == target.host:
            host, port = target.host, target.port
        host = f"[{host}]" if ":" in host else host
        return Departure(
            trunk=trunk,
            group=self._group,
            target=target,
            number=number,
            e164=self._e164,
            request_uri=Uri("sip", quote(number, USER_SAFE), host, port),
            caller=candidate.caller,
            is_emergency=self.is_emergency,
            has_others=bool(self._candidates),
        )
