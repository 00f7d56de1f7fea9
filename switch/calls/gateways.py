"""The media gateways that the calls have: which of them has which leg, and where a new one goes.

    a leg that joins a call      the gateway of that call, also while it is drained
    any other                    the one with the most room of those that take new calls

So a call stays together, and who joins whom costs nothing. Where that cannot be (no port is left, or two
calls become one by a transfer), `switch.calls.crossings` leads the sound from one gateway to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from switch.calls.gateway_port import Gateway
from switch.errors import MediaUnavailableError
from switch.gateway.protocol import Command, Welcome
from switch.ids import LegId

FIRST: Final = "local-1"
"""The gateway that every server had before there could be several."""
_NOT_CONNECTED: Final = "no media gateway is connected"


class Member:
    """One gateway as the calls see it."""

    __slots__ = (
        "address",
        "earlier",
        "fingerprint",
        "is_away",
        "is_draining",
        "is_remote",
        "lacks",
        "legs",
        "link",
        "name",
        "process",
        "weight",
    )

    def __init__(
        self, name: str, link: Gateway, *, weight: float = 1.0, is_remote: bool = False
    ) -> None:
        """`weight` is its share of the calls, compared with that of the others."""
        self.name = name
        self.link = link
        self.weight = weight
        self.is_remote = is_remote
        """On another host: what goes there passes a network."""
        self.address = ""
        """Goes into SDP, also while it is away; empty: it was not there yet, or is gone."""
        self.process = ""
        """The process that is or was connected last, by its own name."""
        self.earlier = ""
        """The process whose legs were taken up, or that went away with ours; empty: none."""
        self.fingerprint: str | None = None
        """Of its own DTLS certificate, empty: it has none; None: it has ours."""
        self.is_away = False
        """The connection broke; its legs may live on until it is back, or given up."""
        self.is_draining = False
        self.lacks: tuple[str, ...] = ()
        """Prompts that we have and it has not."""
        self.legs = 0
        """Legs that it has by our orders."""

    @property
    def is_connected(self) -> bool:
        """True while commands reach it."""
        return bool(self.address) and not self.is_away

    @property
    def takes_new(self) -> bool:
        """Whether new calls may go there."""
        return self.is_connected and not self.is_draining and not self.lacks

    @property
    def fullness(self) -> float:
        """Legs in proportion to its weight."""
        return self.legs / self.weight

    def came(self, welcome: Welcome) -> bool:
        """It is connected; True when it is the process that has, or should have, our legs."""
        is_same = welcome.gateway == self.earlier
        self.address, self.process = welcome.rtp_address, welcome.gateway
        self.earlier = ""
        self.is_away = False
        return is_same

    def went(self) -> None:
        """It is gone for good, and its legs with it."""
        self.address = ""
        self.is_away = False
        self.earlier = ""

    def went_away(self) -> None:
        """The connection broke; perhaps the same process is back soon."""
        self.is_away = True
        self.earlier = self.process


class Gateways:
    """All of them, by name, in the order of the configuration."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = {member.name: member for member in members}
        self._of: dict[LegId, Member] = {}
        self.sole = members[0] if len(members) == 1 else None
        """The only one there is; None: there are several."""

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __getitem__(self, name: str) -> Member:
        return self._members[name]

    def __contains__(self, name: str) -> bool:
        return name in self._members

    # --- placing --------------------------------------------------------------------------------

    @property
    def is_available(self) -> bool:
        """Whether any takes new calls."""
        return any(member.takes_new for member in self._members.values())

    @property
    def is_any_connected(self) -> bool:
        """Whether there is any sound at all."""
        return any(member.is_connected for member in self._members.values())

    def take_port(self, mate: Member | None) -> tuple[Member, int]:
        """A gateway for a leg, and one of its ports; `mate` has the rest of its call.

        Raises:
            MediaUnavailableError: that of the call is not there, or none has a free port.
        """
        sole = self.sole
        if mate is None and sole is not None and sole.takes_new:
            mate = sole
        if mate is not None:
            if not mate.is_connected:
                raise MediaUnavailableError(_NOT_CONNECTED)
            try:
                return mate, mate.link.take_port()
            except MediaUnavailableError:
                if mate is sole:
                    raise
        fault = MediaUnavailableError(_NOT_CONNECTED)
        for member in by_room(self._members.values()):
            if member is mate:
                continue
            try:
                return member, member.link.take_port()
            except MediaUnavailableError as error:
                fault = error
        raise fault

    # --- who has what ---------------------------------------------------------------------------

    def put(self, leg: LegId, member: Member) -> None:
        """This gateway has the leg, from now on."""
        self._of[leg] = member
        member.legs += 1

    def restore(self, leg: LegId, name: str) -> None:
        """An earlier process had this leg at a gateway of that name, which may not be configured now."""
        self.put(leg, self.know(name))

    def know(self, name: str) -> Member:
        """The gateway of that name; one that can do nothing where it is not configured."""
        member = self._members.get(name)
        if member is None:
            member = self._members[name] = Member(name, _Nowhere())
            self.sole = None
        return member

    def unknown(self) -> tuple[Member, ...]:
        """Those that are known by legs of an earlier process alone."""
        found = self._members.values()
        return tuple(member for member in found if isinstance(member.link, _Nowhere))

    def drop(self, leg: LegId) -> Member | None:
        """The leg is closed: return the gateway that had it."""
        member = self._of.pop(leg, None)
        if member is not None:
            member.legs -= 1
        return member

    def of(self, leg: LegId) -> Member | None:
        """The gateway that has a leg; None for one that has no port."""
        return self._of.get(leg)

    def legs_of(self, member: Member) -> tuple[LegId, ...]:
        """The legs of a gateway."""
        return tuple(leg for leg, where in self._of.items() if where is member)

    @property
    def legs(self) -> Mapping[LegId, Member]:
        """All legs that have a port; not to be changed."""
        return self._of

    def send(self, leg: LegId, command: Command) -> None:
        """Command the gateway of a leg; for a leg without a port nothing happens."""
        member = self.sole or self._of.get(leg)
        if member is not None:
            member.link.send(command)


def by_room(members: Iterable[Member]) -> list[Member]:
    """Those that take new calls, the one with the most room first; equal ones in their order."""
    return sorted((member for member in members if member.takes_new), key=_fullness)


def alone(gateway: Gateway) -> Gateways:
    """A single gateway."""
    return Gateways((Member(FIRST, gateway),))


def _fullness(member: Member) -> float:
    return member.fullness


class _Nowhere:
    """Stands for a gateway that is not configured any more: its legs can only be ended."""

    def send(self, command: Command) -> None:
        """Nobody hears it."""

    def take_port(self) -> int:
        """There is none."""
        raise MediaUnavailableError(_NOT_CONNECTED)

    def claim_port(self, port: int) -> None:
        """There is none."""
