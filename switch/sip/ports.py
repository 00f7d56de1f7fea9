"""What the SIP layers ask and tell about the addresses that they hear from. All hosts are text.

`is_connected`: it came over a connection, so the host is really there.

The defaults know nobody and punish nobody; `switch.guard` is what a server plugs in.
"""

from __future__ import annotations

from typing import Protocol


class Doorkeeper(Protocol):
    """What the transaction layer asks and tells."""

    def is_stranger(self, host: str, now: float) -> bool:
        """True for who has proved nothing: such hosts share a part of the room."""

    def turns_away(
        self, host: str, user_agent: str, now: float, *, is_connected: bool = False
    ) -> bool:
        """True where a stranger's request is to be dropped without an answer."""

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """A message from there could not be read."""

    def half_open(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """A final response to an INVITE from there was never acknowledged."""


class Witness(Protocol):
    """What digest authentication asks and tells."""

    def origin(self, host: str) -> str:
        """What a nonce belongs to: hosts of one origin may use each other's."""

    def challenged(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """A request without usable credentials was challenged."""

    def pause(self, user: str, host: str, now: float) -> float:
        """Seconds for which no password of `user` from there is looked at; 0: look at it."""

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        """The credentials could not be read."""

    def wrong(self, user: str, host: str, now: float) -> None:
        """The credentials were wrong: the user, the password, or both."""

    def right(self, user: str, host: str, now: float) -> None:
        """The credentials were right, and fresh."""


class Unguarded:
    """Lets everybody in; satisfies both ports."""

    def is_stranger(self, host: str, now: float) -> bool:
        return False

    def turns_away(
        self, host: str, user_agent: str, now: float, *, is_connected: bool = False
    ) -> bool:
        return False

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        pass

    def half_open(self, host: str, now: float, *, is_connected: bool = False) -> None:
        pass

    def origin(self, host: str) -> str:
        return host

    def challenged(self, host: str, now: float, *, is_connected: bool = False) -> None:
        pass

    def pause(self, user: str, host: str, now: float) -> float:
        return 0.0

    def wrong(self, user: str, host: str, now: float) -> None:
        pass

    def right(self, user: str, host: str, now: float) -> None:
        pass
