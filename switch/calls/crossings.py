"""Sound from one gateway to another, where legs that hear each other could not share one.

A crossing is two legs that nobody called: `near`, at the gateway of a source, hears the source alone and
sends to `far`, at the gateway of the listeners, who hear `far` in the source's place. It carries one
source in one direction, for all listeners and recordings there, and is closed with the last of them.
Between hosts it is encrypted, and goes where a NAT forwards it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, field

from switch.calls.gateways import Member
from switch.errors import MediaUnavailableError
from switch.gateway.protocol import (
    AddLeg,
    ConfigureLeg,
    Gain,
    RemoveLeg,
    SetGains,
    SrtpKeys,
)
from switch.ids import LegId, RecordingId

log = logging.getLogger(__name__)

_SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
_KEY_OCTETS: Final = 30
"""Master key and salt."""


class Crossing(Struct, eq=False, kw_only=True):
    """One source, heard at another gateway."""

    source: LegId
    here: Member
    """The source's gateway."""
    there: Member
    near: LegId
    far: LegId
    users: set[LegId | RecordingId] = field(default_factory=set)
    """Who hears it there."""


class Crossings:
    """All that are open. Each is opened for its first user and closed with its last."""

    def __init__(
        self,
        new_leg: Callable[[], LegId],
        random: Callable[[int], bytes],
        address_for: Callable[[str, str], str] | None = None,
    ) -> None:
        """`random` gives so many octets for keys; `address_for` is `CallSettings.media_address`."""
        self._address_for = address_for
        self._new_leg = new_leg
        self._random = random
        self._open: dict[tuple[LegId, str], Crossing] = {}
        """By source and the name of the gateway where it is heard."""
        self._legs: set[LegId] = set()

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, leg: LegId) -> bool:
        """Whether a leg is one end of a crossing."""
        return leg in self._legs

    def __iter__(self) -> Iterator[Crossing]:
        return iter(tuple(self._open.values()))

    def join(
        self, user: LegId | RecordingId, source: LegId, here: Member, there: Member
    ) -> LegId | None:
        """Let somebody at `there` hear a source that is `here`: the leg to hear in its place.

        None: there is no way now, because one of them is not connected or has no port.
        """
        crossing = self._open.get((source, there.name))
        if crossing is None:
            crossing = self._make(source, here, there)
            if crossing is None:
                return None
        crossing.users.add(user)
        return crossing.far

    def leave(self, user: LegId | RecordingId, source: LegId, there: Member) -> LegId | None:
        """It hears the source no longer: the leg that stood in its place; None: there was none."""
        crossing = self._open.get((source, there.name))
        if crossing is None or user not in crossing.users:
            return None
        crossing.users.discard(user)
        return crossing.far

    def close_unused(self) -> None:
        """Close those that nobody hears; after the gains have been told."""
        for crossing in tuple(self._open.values()):
            if not crossing.users:
                self._close(crossing)

    def forget(self, user: LegId | RecordingId) -> None:
        """It is gone, as a source and as a listener."""
        for crossing in tuple(self._open.values()):
            crossing.users.discard(user)
            if crossing.source == user or not crossing.users:
                self._close(crossing)

    def keep_only(self, user: RecordingId, sources: set[LegId], there: Member) -> None:
        """A recording is fed by these, and no others any more."""
        for (source, name), crossing in tuple(self._open.items()):
            if name == there.name and source not in sources:
                crossing.users.discard(user)

    def gateway_lost(self, member: Member) -> None:
        """A gateway is gone: what crosses to it or from it is closed at the other end."""
        for crossing in tuple(self._open.values()):
            if crossing.here is member or crossing.there is member:
                self._close(crossing)

    def _make(self, source: LegId, here: Member, there: Member) -> Crossing | None:
        if not (here.is_connected and there.is_connected):
            return None
        to_there, to_here = there.address, here.address
        if self._address_for is not None and _are_apart(here, there):
            to_there = self._address_for(here.address, there.address)
            to_here = self._address_for(there.address, here.address)
        try:
            port = here.link.take_port()
        except MediaUnavailableError as error:
            log.error("leg %s is not heard at gateway %s: %s", source, there.name, error)
            return None
        near = self._new_leg()
        here.link.send(AddLeg(leg=near, port=port))
        try:
            far_port = there.link.take_port()
        except MediaUnavailableError as error:
            here.link.send(RemoveLeg(leg=near))
            log.error("leg %s is not heard at gateway %s: %s", source, there.name, error)
            return None
        far = self._new_leg()
        there.link.send(AddLeg(leg=far, port=far_port))
        out, back = self._keys(here, there)
        here.link.send(
            ConfigureLeg(
                leg=near,
                remote_address=to_there,
                remote_port=far_port,
                codec="PCMU",
                payload_type=0,
                receive=False,
                srtp=out,
            )
        )
        there.link.send(
            ConfigureLeg(
                leg=far,
                remote_address=to_here,
                remote_port=port,
                codec="PCMU",
                payload_type=0,
                send=False,
                srtp=back,
            )
        )
        here.link.send(SetGains(gains=(Gain(listener=near, source=source),)))
        crossing = Crossing(source=source, here=here, there=there, near=near, far=far)
        self._open[source, there.name] = crossing
        self._legs |= {near, far}
        log.info("leg %s is led from gateway %s to %s", source, here.name, there.name)
        return crossing

    def _keys(self, here: Member, there: Member) -> tuple[SrtpKeys | None, SrtpKeys | None]:
        """For the near and the far end; between two on this host nobody listens."""
        if not _are_apart(here, there):
            return None, None
        send, receive = self._random(_KEY_OCTETS), self._random(_KEY_OCTETS)
        return (
            SrtpKeys(suite=_SUITE, send=send, receive=receive),
            SrtpKeys(suite=_SUITE, send=receive, receive=send),
        )

    def _close(self, crossing: Crossing) -> None:
        del self._open[crossing.source, crossing.there.name]
        self._legs -= {crossing.near, crossing.far}
        crossing.here.link.send(RemoveLeg(leg=crossing.near))
        crossing.there.link.send(RemoveLeg(leg=crossing.far))


def _are_apart(here: Member, there: Member) -> bool:
    """Whether what they send each other passes a network."""
    return here.is_remote or there.is_remote
