"""What the media gateway reports, turned into inputs of legs and events of calls."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.calls.causes import EndCause, Result
from switch.calls.events import (
    DigitPressed,
    GatewayChanged,
    LegMeasured,
    LegQualityChanged,
    SoundHeard,
)
from switch.calls.gateways import Gateways, Member
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
    SoundFeatures,
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
        gateways: Gateways,
        legs: Legs,
        media: LegMedia,
        sound: Sound,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
    ) -> None:
        self._gateways = gateways
        self._legs = legs
        self._media = media
        self._sound = sound
        self._clock = clock
        self._turn = turn
        self._new_id = new_id
        self.qualities = Qualities()

    def ready(self, member: Member, welcome: Welcome) -> None:
        """A gateway is connected: clear out what is not ours, start the music, take calls.

        Legs and recordings that live here, but not there, came from an earlier process and ended
        with an earlier gateway; with the same gateway, that process died, or the connection broke,
        before it could command them. Players may have come to their end while nobody was told.
        """
        self._clear_out(member, welcome)
        is_the_same = member.came(welcome)
        self._sound.play_music(member, welcome.players, PlayerId(self._new_id("player")))
        log.info(
            "media gateway %s (%s) is ready at %s",
            member.name,
            welcome.gateway,
            welcome.rtp_address,
        )
        self._turn.emit(
            GatewayChanged(
                at=self._clock.now(),
                available=True,
                detail=welcome.gateway,
                gateway=member.name,
                is_up=True,
            )
        )
        there = frozenset(welcome.legs)
        for leg_id in self._gateways.legs_of(member):
            adopted = self._legs.get(leg_id)
            if adopted is None:
                continue
            if is_the_same:
                self._tell_again(adopted, is_there=leg_id in there)
            elif leg_id not in there:
                self._legs.abandon(adopted, _GATEWAY_LOST)
        captures = self._sound.captures
        captures.only(member.name, welcome.recordings, is_same_gateway=is_the_same)
        self._sound.only(member, welcome.players)
        self._sound.say_again(member)
        captures.tell_again(member.name, lambda leg: self._gateways.of(leg) is member)

    def _clear_out(self, member: Member, welcome: Welcome) -> None:
        """Remove there what we do not know, or no more, or told to end when nobody heard it."""
        crossings = self._sound.wiring.crossings
        for leg in welcome.legs:
            if self._gateways.of(leg) is not member and leg not in crossings:
                member.link.send(RemoveLeg(leg=leg))
        crossings.gateway_lost(member)  # what was said of them may be lost; they are made anew
        for player in welcome.players:
            if not self._sound.plays(player):
                member.link.send(StopPlayer(player=player))
        for recording in welcome.recordings:
            capture = self._sound.captures.get(recording)
            if capture is None or capture.is_stopping or capture.gateway != member.name:
                member.link.send(StopRecording(recording=recording))

    def _tell_again(self, leg: Leg, *, is_there: bool) -> None:
        """The process before may have died between what it sent to peers and its commands."""
        if not is_there:
            log.info("leg %s: the gateway was not told of it, and is now", leg.id)
            self._media.reopen(leg)
        if leg.id in self._sound.matrix and leg.negotiation and leg.negotiation.current:
            self._media.configure(leg)

    def lost(self, member: Member, detail: str) -> None:
        """A gateway is gone: end every leg that had a port there.

        It may have some though it never was there: those of an earlier call agent.
        """
        if not (member.is_connected or member.is_away or member.legs):
            return
        self._give_up(member, detail)

    def give_up_unknown(self) -> None:
        """End the legs of gateways that are not configured any more."""
        for member in self._gateways.unknown():
            self._give_up(member, "it is not configured any more")

    def _give_up(self, member: Member, detail: str) -> None:
        """End the legs of a gateway that will not be back."""
        silenced = [
            leg
            for leg_id in self._gateways.legs_of(member)
            if (leg := self._legs.get(leg_id)) is not None
        ]
        log.error("media gateway %s lost: %s; %d legs end", member.name, detail, len(silenced))
        self._media.gateway_lost(member)
        self._turn.emit(
            GatewayChanged(
                at=self._clock.now(),
                available=self._gateways.is_any_connected,
                detail=detail,
                lost_legs=len(silenced),
                gateway=member.name,
            )
        )
        self._sound.gateway_lost(member)
        for leg in silenced:
            self._legs.abandon(leg, _GATEWAY_LOST)

    def away(self, member: Member, detail: str) -> None:
        """The connection to a gateway broke: its legs sound on, and may be commanded again soon."""
        if member.is_connected:
            log.warning(
                "media gateway %s is out of reach: %s; %d legs go on without commands",
                member.name,
                detail,
                member.legs,
            )
            member.went_away()

    def handle(self, event: Event) -> None:
        """Take one event; those that concern the connection alone are the client's business."""
        match event:
            case DigitReceived():
                self._digit(event)
            case SoundFeatures():
                self._heard(event)
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
            case RecordingFailed(recording=recording):
                self._sound.captures.failed(event)
                self._sound.wiring.crossings.forget(recording)
            case _:
                pass

    def _digit(self, event: DigitReceived) -> None:
        leg = self._legs.get(event.leg)
        at = self._clock.now()
        digit, duration_ms = event.digit, event.duration_ms
        if leg is not None and leg.keyed.counts(digit, duration_ms, at, by_info=False):
            pressed = DigitPressed(leg=leg.id, at=at, digit=digit, duration_ms=duration_ms)
            self._turn.emit(pressed)

    def _heard(self, event: SoundFeatures) -> None:
        if self._legs.get(event.leg) is not None:
            self._turn.emit(SoundHeard(leg=event.leg, at=self._clock.now(), sound=event))

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
        if leg_id in self._sound.wiring.crossings:
            log.error("a leg between two gateways: one could not obey: %s", reason)
        if leg is not None:
            log.warning("leg %s: the gateway could not obey: %s", leg_id, reason)
            self._legs.hang_up(leg, _MEDIA_FAILED)
