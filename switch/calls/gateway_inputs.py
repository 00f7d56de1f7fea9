"""What the media gateway reports, turned into inputs of legs and events of calls."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.calls.causes import EndCause, Result
from switch.calls.events import DigitPressed, GatewayChanged, LegMeasured, LegQualityChanged
from switch.calls.gateway_port import Gateway
from switch.calls.leg import Leg
from switch.calls.leg_media import LegMedia, is_expected_to_send
from switch.calls.legs import Legs
from switch.calls.qualities import Qualities
from switch.calls.sound import Sound
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.gateway.protocol import (
    DigitReceived,
    Event,
    LegFailed,
    LegQuality,
    LegRemoved,
    PlayerFinished,
    RecordingFailed,
    RecordingFinished,
    RemoveLeg,
    RtpTimeout,
    StopPlayer,
    StopRecording,
    Welcome,
)
from switch.ids import LegId, PlayerId

log = logging.getLogger(__name__)

_GATEWAY_LOST = EndCause(Result.FAILED, "gateway-lost", 503)
_RTP_TIMEOUT = EndCause(Result.FAILED, "rtp-timeout")
_MEDIA_FAILED = EndCause(Result.FAILED, "media-failed")


class GatewayInputs:
    """Takes the gateway's events and its coming and going."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        legs: Legs,
        media: LegMedia,
        sound: Sound,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
    ) -> None:
        self._gateway = gateway
        self._legs = legs
        self._media = media
        self._sound = sound
        self._clock = clock
        self._turn = turn
        self._new_id = new_id
        self.qualities = Qualities()

    def ready(self, welcome: Welcome) -> None:
        """A gateway is connected: clear out what is not ours, start the music, take calls.

        Legs and recordings that live here, but not there, came from an earlier process and ended
        with an earlier gateway; with the same gateway, that process died before it could command
        them. Players may have come to their end while nobody was told.
        """
        for leg in welcome.legs:
            if self._legs.get(leg) is None:
                self._gateway.send(RemoveLeg(leg=leg))
        for player in welcome.players:
            if not self._sound.plays(player):
                self._gateway.send(StopPlayer(player=player))
        for recording in welcome.recordings:
            if recording not in self._sound.captures:
                self._gateway.send(StopRecording(recording=recording))
        self._media.gateway_ready(welcome.rtp_address)
        if self._sound.matrix.music_player not in welcome.players:
            self._sound.gateway_ready(PlayerId(self._new_id("player")))
        self._sound.play_tunes(welcome.players)
        log.info("media gateway %s is ready at %s", welcome.gateway, welcome.rtp_address)
        at = self._clock.now()
        self._turn.emit(GatewayChanged(at=at, available=True, detail=welcome.gateway))
        there = frozenset(welcome.legs)
        is_the_same = welcome.gateway == self._media.earlier_gateway
        self._media.earlier_gateway = ""
        for adopted in tuple(self._legs):
            if is_the_same:
                self._tell_again(adopted, is_there=adopted.id in there)
            elif adopted.id not in there:
                self._legs.abandon(adopted, _GATEWAY_LOST)
        self._sound.captures.only(welcome.recordings, is_same_gateway=is_the_same)
        self._sound.only(welcome.players)
        self._sound.say_again()

    def _tell_again(self, leg: Leg, *, is_there: bool) -> None:
        """The process before may have died between what it sent to peers and its commands."""
        if not is_there:
            log.info("leg %s: the gateway was not told of it, and is now", leg.id)
            self._media.reopen(leg)
        if leg.id in self._sound.matrix and leg.negotiation and leg.negotiation.current:
            self._media.configure(leg)

    def lost(self, detail: str) -> None:
        """The gateway is gone: end every leg that had a port there."""
        if not self._media.is_available:
            return
        silenced = [leg for leg in self._legs if leg.id in self._media.open_legs]
        log.error("media gateway lost: %s; %d legs end", detail, len(silenced))
        self._media.gateway_lost()
        at = self._clock.now()
        lost = GatewayChanged(at=at, available=False, detail=detail, lost_legs=len(silenced))
        self._turn.emit(lost)
        self._sound.gateway_lost()
        for leg in silenced:
            self._legs.abandon(leg, _GATEWAY_LOST)

    def handle(self, event: Event) -> None:
        """Take one event; those that concern the connection alone are the client's business."""
        match event:
            case DigitReceived():
                self._digit(event)
            case RtpTimeout(leg=leg):
                self._rtp_timeout(leg)
            case LegRemoved():
                self._removed(event)
            case LegQuality():
                self._quality(event)
            case LegFailed(leg=leg, reason=reason):
                self._failed(leg, reason)
            case PlayerFinished():
                self._sound.player_finished(event)
            case RecordingFinished():
                self._sound.captures.finished(event)
            case RecordingFailed():
                self._sound.captures.failed(event)
            case _:
                pass

    def _digit(self, event: DigitReceived) -> None:
        if self._legs.get(event.leg) is not None:
            self._turn.emit(
                DigitPressed(
                    leg=event.leg,
                    at=self._clock.now(),
                    digit=event.digit,
                    duration_ms=event.duration_ms,
                )
            )

    def _rtp_timeout(self, leg_id: LegId) -> None:
        """A peer is gone without a BYE, unless it holds: then it may be silent as long as it likes.

        What that means for those it talked to is decided by whom the call belongs to.
        """
        leg = self._legs.get(leg_id)
        facts = self._sound.matrix.facts(leg_id)
        if leg is None or facts is None or not is_expected_to_send(leg):
            return
        if facts.holds:
            leg.went_silent = True
            return
        self._legs.hang_up(leg, _RTP_TIMEOUT)

    def _removed(self, event: LegRemoved) -> None:
        call = self._media.removed(event.leg)
        if call is not None:
            if event.stats.mos is not None:
                self.qualities.count(event.stats.mos)
            self._turn.emit(LegMeasured(leg=event.leg, call=call, stats=event.stats))

    def _quality(self, event: LegQuality) -> None:
        leg = self._legs.get(event.leg)
        if leg is not None:
            self._turn.emit(
                LegQualityChanged(
                    leg=leg.id,
                    call=leg.call,
                    at=self._clock.now(),
                    mos=event.mos,
                    rtt_ms=event.rtt_ms,
                )
            )

    def _failed(self, leg_id: LegId, reason: str) -> None:
        leg = self._legs.get(leg_id)
        if leg is not None:
            log.warning("leg %s: the gateway could not obey: %s", leg_id, reason)
            self._legs.hang_up(leg, _MEDIA_FAILED)
