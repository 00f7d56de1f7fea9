"""What the SIP layers tell the guard, in its own terms; satisfies the ports of `switch.sip.ports`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from switch.guard.bans import GuardCounters
from switch.guard.guard import Guard
from switch.guard.guesses import Guesses, GuessSettings
from switch.guard.offences import Offence

_SCANNERS: Final = (
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sipcli",
    "sundayddr",
    "sip-scan",
    "sipscan",
    "smap",
    "iwar",
    "pplsip",
    "vaxsipuseragent",
    "warvox",
)
"""How tools for attacks begin their User-Agent unless they are told to lie."""


class SipWatch:
    """Turns what happened in SIP into offences; keeps the pauses of those who guess passwords."""

    def __init__(self, guard: Guard, guesses: GuessSettings | None = None) -> None:
        self._guard = guard
        self._guesses = Guesses(guesses or GuessSettings())
        self.paused = 0
        """Passwords that were not looked at because of a pause."""

    def counters(self, now: float) -> GuardCounters:
        """What the guard holds and counted, with what was counted here."""
        return replace(self._guard.counters(now), passwords_put_off=self.paused)

    # --- the transaction layer ------------------------------------------------------------------

    def is_stranger(self, host: str, now: float) -> bool:
        """Tell whether requests from there count against the share of strangers."""
        return self._guard.is_stranger(host, now)

    def turns_away(
        self, host: str, user_agent: str, now: float, *, is_connected: bool = False
    ) -> bool:
        """Tell whether a stranger's request is to be dropped unanswered: it comes from a scanner."""
        if not user_agent.lower().startswith(_SCANNERS):
            return False
        self._guard.offend(host, Offence.SCANNER, now, is_connected=is_connected)
        return True

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """Note a message that could not be read."""
        self._guard.offend(host, Offence.MALFORMED, now, is_connected=is_connected)

    def half_open(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """Note an INVITE whose final response was never acknowledged."""
        self._guard.offend(host, Offence.HALF_OPEN, now, is_connected=is_connected)

    # --- digest ---------------------------------------------------------------------------------

    def origin(self, host: str) -> str:
        """The source; exempt hosts are one origin: requests may come through several proxies."""
        return self._guard.origin(host)

    def challenged(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """Note a challenge; who is known may be challenged as often as it likes."""
        if self._guard.is_stranger(host, now):
            self._guard.offend(host, Offence.UNANSWERED, now, is_connected=is_connected)

    def pause(self, user: str, host: str, now: float) -> float:
        """Seconds for which no password of `user` from there is looked at; 0: look."""
        is_shared = not self._guard.is_stranger(host, now)
        wait = self._guesses.wait(user, host, now, is_shared=is_shared)
        if wait > 0:
            self.paused += 1
            self._guard.offend(host, Offence.GUESSING_ON, now)
        return wait

    def wrong(self, user: str, host: str, now: float) -> None:
        """Note wrong credentials; whether there is such a user makes no difference."""
        is_slowed = self._guesses.is_slowed(user, host)
        self._guesses.count(user, host, now)
        self._guard.offend(host, Offence.WRONG_PASSWORD, now, is_slowed=is_slowed)

    def right(self, user: str, host: str, now: float) -> None:
        """Note right credentials: the address is known from now on."""
        if self._guesses:
            self._guesses.forgive(user, host, counted=False)
        self._guard.accept(host, now)
