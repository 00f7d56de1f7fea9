"""What a source can do wrong, and how much of it is too much."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Offence(StrEnum):
    """One slug each; it is the reason of the ban that it led to."""

    WRONG_PASSWORD = "wrong-password"
    """Wrong credentials, whether the user exists or not."""
    GUESSING_ON = "guessing-on"
    """Credentials sent during the pause after too many wrong ones."""
    UNANSWERED = "unanswered-challenge"
    """Asked for a password; taken back when it comes. Scanners for names never send one."""
    MALFORMED = "malformed"
    """A message that cannot be read."""
    HALF_OPEN = "half-open"
    """An INVITE whose final answer was never acknowledged."""
    SLOW = "slow-connection"
    """A TCP connection that brings no whole message in time, or does not read."""
    NO_SIP = "no-sip"
    """Octets on a TCP connection that no message can be cut out of."""
    FLOOD = "flood"
    """A message above the source's rate."""
    SCANNER = "scanner"
    """A tool for attacks that gives its own name; it gets no answer."""

    @property
    def counts_against_known(self) -> bool:
        """True where it may get an address banned behind which phones are registered.

        The offender must have been reachable at that address. Most others come in datagrams, whose
        sender anybody can forge; credentials during a pause are not looked at, so they do no harm.
        """
        return self in _AGAINST_KNOWN

    @property
    def can_be_forged(self) -> bool:
        """True where somebody else may have done it in the name of the source."""
        return self not in _AGAINST_KNOWN and self is not Offence.GUESSING_ON


_AGAINST_KNOWN: Final = frozenset({Offence.WRONG_PASSWORD, Offence.SLOW, Offence.NO_SIP})
"""Passwords are looked at only with a nonce that was sent to the same address; TCP shakes hands."""


WORDS: Final[Mapping[str, str]] = {
    Offence.WRONG_PASSWORD: "too many wrong passwords",
    Offence.GUESSING_ON: "goes on guessing passwords while it is told to wait",
    Offence.UNANSWERED: "many requests, and never the password that it is asked for",
    Offence.MALFORMED: "many messages that cannot be read as SIP",
    Offence.HALF_OPEN: "many calls whose answer it never acknowledges (no ACK)",
    Offence.SLOW: "connections that bring no whole message in time",
    Offence.NO_SIP: "connections that do not speak SIP",
    Offence.FLOOD: "many more messages a second than it may send",
    Offence.SCANNER: "says itself that it is a scanner (User-Agent)",
}

FULL: Final = 100.0
"""Points at which a stranger is banned."""

WEIGHTS: Final[Mapping[Offence, float]] = {
    Offence.WRONG_PASSWORD: FULL,  # divided by `ban_after`
    Offence.GUESSING_ON: 2.0,
    Offence.UNANSWERED: 0.5,
    Offence.MALFORMED: 2.0,
    Offence.HALF_OPEN: 2.0,
    Offence.SLOW: 10.0,
    Offence.NO_SIP: 10.0,
    Offence.FLOOD: 0.0625,
    Offence.SCANNER: 10.0,
}
"""Points of one offence: FULL divided by how many are too many."""
