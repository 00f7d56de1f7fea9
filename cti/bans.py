"""The guard as people see it: who is shut out and why, in the API, the events and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from cti.api.ports import Account
from cti.bus import Bus
from cti.errors import NotFound
from cti.schema import BanView, EventType
from cti.settings import Settings
from cti.site import Site
from switch.clock import Clock, TimerHandle
from switch.guard.bans import Ban
from switch.guard.guard import Guard
from switch.guard.offences import WORDS, Offence
from switch.guard.settings import GuardSettings
from switch.guard.source import DATAGRAMS
from switch.sip.deadlines import Deadlines
from switch.sip.uri import Uri
from switch.transport.streams import is_address

log = logging.getLogger(__name__)

_LOGGED_A_MINUTE: Final = 20
"""Bans; all are counted and listed."""


class Bans:
    """Tells of bans as they begin and end, and ends them by hand. Satisfies `cti.api.ports.Bans`."""

    def __init__(
        self, *, guard: Guard, clock: Clock, bus: Bus, cut: Callable[[str, str], None]
    ) -> None:
        """`cut` closes the connections of a source, for a reason in words."""
        self._guard = guard
        self._clock = clock
        self._bus = bus
        self._cut = cut
        self._ends: Deadlines[str] = Deadlines()
        self._told: dict[str, Ban] = {}
        self._timer: TimerHandle | None = None
        self._minute = -1
        self._logged = 0

    # --- what the guard tells -------------------------------------------------------------------

    def begun(self, ban: Ban) -> None:
        """A source was banned just now."""
        self._cut(ban.source, "banned")
        self._told[ban.source] = ban
        self._ends.set(ban.source, ban.until)
        self._arm()
        self._bus.publish(EventType.SOURCE_BANNED, self._view(ban))
        if self._may_log():
            length, words = ban.until - ban.since, WORDS[ban.reason]
            what = "%s is banned for %d s (ban %d): %s"
            if ban.source.endswith(DATAGRAMS):
                what += "; over TCP it may still come in"
            log.warning(what, _named(ban), length, ban.times, words)

    def restore(self, source: str, reason: Offence, since: float, until: float, times: int) -> bool:
        """A ban of an earlier process goes on; False when it is over, or its source exempt now."""
        ban = Ban(source=source, reason=reason, since=since, until=until, times=times, dropped=0)
        if not self._guard.restore(ban, self._clock.now()):
            return False
        self._told[source] = ban
        self._ends.set(source, until)
        self._arm()
        return True

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._ends.next_due()
        self._timer = None if due is None else self._clock.call_at(due, self._tell_ends)

    def _tell_ends(self) -> None:
        while (source := self._ends.pop_due(self._clock.now())) is not None:
            self._over(self._told.pop(source), "")
        self._arm()

    def _over(self, ban: Ban, lifted_by: str) -> None:
        self._bus.publish(EventType.SOURCE_UNBANNED, self._view(ban, lifted_by))
        if lifted_by or self._may_log():
            how = f"lifted by {lifted_by}" if lifted_by else "over"
            log.info("the ban of %s is %s", _named(ban), how)

    def _may_log(self) -> bool:
        """A flood from a thousand addresses must not fill the disk."""
        minute = int(self._clock.now() // 60)
        if minute != self._minute:
            self._minute, self._logged = minute, 0
        self._logged += 1
        return self._logged <= _LOGGED_A_MINUTE

    def _view(self, ban: Ban, lifted_by: str = "") -> BanView:
        to_wall = self._clock.wall() - self._clock.now()
        return BanView(
            source=ban.source.removesuffix(DATAGRAMS),
            datagrams_only=ban.source.endswith(DATAGRAMS),
            reason=ban.reason,
            words=WORDS[ban.reason],
            since=ban.since + to_wall,
            until=ban.until + to_wall,
            times=ban.times,
            dropped=ban.dropped,
            lifted_by=lifted_by,
        )

    # --- the API's port -------------------------------------------------------------------------

    def list(self) -> tuple[BanView, ...]:
        """Every ban that holds, the oldest first."""
        return tuple(self._view(ban) for ban in self._guard.bans(self._clock.now()))

    def lift(self, source: str, actor: Account) -> None:
        """End a ban. Raises `NotFound`."""
        if not self._lift(source, actor.login):
            raise NotFound("not-banned", f"{source[:100]} is not banned.")

    def _lift(self, source: str, login: str) -> bool:
        """End the ban of a source, and that of datagrams in its name."""
        found = False
        while (lifted := self._guard.lift(source, self._clock.now())) is not None:
            found = True
            self._told.pop(lifted.source, None)
            self._ends.cancel(lifted.source)
            self._arm()
            self._over(lifted, login)
        return found

    def shut_out_for(self, address: str) -> float:
        """Seconds for which nobody may sign on from this address.

        A ban for what others may have done in its name does not keep people of ours out.
        """
        return self._guard.banned_for(address, self._clock.now())

    def is_shared(self, address: str) -> bool:
        """True for who is known or exempt."""
        return not self._guard.is_stranger(address, self._clock.now())

    def right_password(self, address: str, login: str) -> None:
        """A sign-on succeeded: the address is known, as after the right password of a phone.

        That ends a ban for what others may have done.
        """
        self._guard.accept(address, self._clock.now())
        if not self.shut_out_for(address):
            self._lift(address, login)

    def wrong_password(self, address: str, *, is_slowed: bool) -> None:
        """A sign-on failed; the source counts it with the wrong passwords of phones."""
        now = self._clock.now()
        self._guard.offend(address, Offence.WRONG_PASSWORD, now, is_slowed=is_slowed)


def _named(ban: Ban) -> str:
    """The source as it stands in the log."""
    return ban.source.removesuffix(DATAGRAMS)


def guard_settings(settings: Settings, site: Site) -> GuardSettings:
    """The guard's settings: peers that the configuration names are exempt like the named addresses."""
    limits = settings.limits
    peers = [entry for trunk in site.trunks.values() for entry in trunk.match]
    # Those of servers that are written as names are told to the guard when they are looked up.
    hosts = [trunk.proxy_host for trunk in site.trunks.values() if trunk.proxy_host]
    peers += [host for host in hosts if is_address(host)]
    peers += [host for phone in settings.phones if (host := _host_of(phone.binding))]
    proxies = (*settings.api.proxies, *settings.sip.proxies)
    return GuardSettings(
        exempt=tuple(dict.fromkeys((*limits.exempt, *proxies, *peers))),
        exempt_rate=limits.exempt_rate,
        stranger_rate=limits.stranger_rate,
        known_rate=limits.known_rate,
        strangers_rate=limits.strangers_rate,
        ban_after=limits.ban_after,
        ban_s=limits.ban_s,
        ban_max_s=limits.ban_max_s,
    )


def _host_of(binding: str) -> str:
    """The address in a fixed binding; empty where there is none or it is a name."""
    try:
        return str(ip_address(Uri.parse(binding.replace("{number}", "0")).host.strip("[]")))
    except ValueError:
        return ""
