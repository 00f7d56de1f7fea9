"""Carries commands of the control protocol to the engine, and what the engine reports back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import assert_never

from switch.gateway import protocol as wire
from switch.gateway.handshakes import DtlsTerms, Handshakes, IceTerms
from switch.ids import LegId
from switch.media import events as media
from switch.media.engine import MediaEngine
from switch.media.errors import MediaCommandError
from switch.media.model import PlayerItem, PromptItem, SilenceItem, SrtpKeys, ToneItem

_log = logging.getLogger(__name__)


class CommandRunner:
    """Runs commands one by one; failures become events, never exceptions."""

    def __init__(self, engine: MediaEngine, handshakes: Handshakes | None = None) -> None:
        self._engine = engine
        self._handshakes = handshakes
        self.on_fault: Callable[[str], None] = lambda what: None
        """Told of a command that failed in a way nobody foresaw."""

    def run(self, command: wire.Command, now: float) -> list[wire.Event]:
        """Run one command that concerns sound; return the answers there are at once."""
        try:
            return self._run(command, now)
        except MediaCommandError as error:
            return _failure(command, str(error))
        except Exception as error:  # noqa: BLE001
            # The boundary: a value that nobody thought of spoils its own command alone.
            _log.exception("command %s failed", type(command).__name__)
            self.on_fault(f"{command!r}: {error!r}")
            return _failure(command, f"{type(error).__name__}: {error}")

    def _run(self, command: wire.Command, now: float) -> list[wire.Event]:
        engine = self._engine
        match command:
            case wire.AddLeg():
                engine.add_leg(command.leg, command.port, now)
            case wire.ConfigureLeg():
                # First of all: nothing may pass in clear that should not.
                self._secure(command)
                engine.configure_leg(
                    command.leg,
                    remote=None if command.ice else (command.remote_address, command.remote_port),
                    codec=command.codec,
                    payload_type=command.payload_type,
                    event_type=command.telephone_event_payload_type,
                    heard_type=command.received_payload_type,
                    heard_event_type=command.received_event_payload_type,
                    event_rate=command.telephone_event_clock_rate,
                    bitrate=command.max_bitrate,
                    use_fec=command.use_fec,
                    digits_elsewhere=command.digits_elsewhere,
                    send=command.send,
                    receive=command.receive,
                    now=now,
                )
                if command.rtcp:
                    engine.exchange_reports(command.leg, _report_address(command), now)
            case wire.RemoveLeg():
                if self._handshakes is not None:
                    self._handshakes.remove(engine.expect_handshakes(command.leg, on=False))
                return [_leg_removed(command.leg, engine.remove_leg(command.leg))]
            case wire.SetGains():
                return self._set_gains(command)
            case wire.Play():
                unknown = engine.play(
                    command.player,
                    [_item(item) for item in command.items],
                    command.listeners,
                    loop=command.loop,
                )
                return [
                    wire.LegFailed(leg=leg, reason="no leg of this id exists") for leg in unknown
                ]
            case wire.StopPlayer():
                engine.stop_player(command.player)
            case wire.SendDigits():
                engine.send_digits(command.leg, command.digits, command.duration_ms, command.gap_ms)
            case wire.WatchSound():
                engine.watch_sound(command.leg, on=command.on)
            case wire.StartRecording():
                if not command.path.startswith("/"):
                    raise MediaCommandError(f"recording path {command.path!r} is not absolute")
                engine.start_recording(command.recording, command.path, command.left, command.right)
            case wire.SetRecordingLegs():
                engine.set_recording_legs(command.recording, command.left, command.right)
            case wire.StopRecording():
                engine.stop_recording(command.recording)
            case (
                wire.Hello()
                | wire.ReservePorts()
                | wire.LookForPrompts()
                | wire.GetStats()
                | wire.Shutdown()
            ):
                raise AssertionError("the server's own commands do not come here")
            case _:
                assert_never(command)
        return []

    def _secure(self, command: wire.ConfigureLeg) -> None:
        """Keys, or the handshakes that will lead to some."""
        ice, dtls = command.ice, command.dtls
        row = self._engine.expect_handshakes(command.leg, on=bool(ice or dtls))
        if dtls is None:
            self._engine.secure_leg(command.leg, _keys(command.srtp))
        if self._handshakes is None:
            if ice or dtls:
                raise MediaCommandError("this gateway knows neither ICE nor DTLS")
            return
        self._handshakes.configure(
            row,
            None if ice is None else IceTerms(ice.ufrag, ice.password, ice.remote_ufrag),
            None if dtls is None else DtlsTerms(dtls.is_client, dtls.fingerprint, dtls.association),
        )

    def _set_gains(self, command: wire.SetGains) -> list[wire.Event]:
        failures: list[wire.Event] = []
        for entry in command.gains:
            try:
                self._engine.set_gain(entry.listener, entry.source, entry.gain)
            except MediaCommandError as error:
                # Removing what is gone already is no failure.
                if entry.gain != 0.0:
                    failures.append(wire.LegFailed(leg=entry.listener, reason=str(error)))
        return failures


def event_of(event: media.MediaEvent) -> wire.Event:
    """An event of the engine in the protocol's words."""
    match event:
        case media.DigitEnded():
            return wire.DigitReceived(
                leg=event.leg, digit=event.digit, duration_ms=event.duration_ms
            )
        case media.SoundHeard():
            return wire.SoundFeatures(
                leg=event.leg,
                at_ms=event.change.at_ms,
                level_dbov=event.change.level_dbov,
                speaking=event.change.speaking,
                since_ms=event.change.since_ms,
                bursts=event.change.bursts,
                tone=event.change.tone,
                tone_hz=event.change.tone_hz,
                tone_ms=event.change.tone_ms,
                floor_dbov=event.change.floor_dbov,
                mean_dbov=event.change.mean_dbov,
                spread_db=event.change.spread_db,
                voiced=event.change.voiced,
                voice_hz=event.change.voice_hz,
                crossings=event.change.crossings,
                levels=event.change.levels,
            )
        case media.RtpSilent():
            return wire.RtpTimeout(leg=event.leg, silent_ms=event.silent_ms)
        case media.LegJudged():
            return wire.LegQuality(leg=event.leg, mos=event.mos, rtt_ms=event.quality.rtt_ms)
        case media.PlayerEnded():
            return wire.PlayerFinished(
                player=event.player,
                played_ms=event.played_ms,
                stopped=event.stopped,
                missing=event.missing,
            )
        case _:
            assert_never(event)


def _leg_removed(leg: LegId, totals: media.LegTotals) -> wire.LegRemoved:
    return wire.LegRemoved(
        leg=leg,
        stats=wire.LegStats(
            packets_received=totals.packets_received,
            packets_sent=totals.packets_sent,
            packets_lost=totals.packets_lost,
            packets_late=totals.packets_late,
            frames_concealed=totals.frames_concealed,
            packets_stray=totals.packets_stray,
            jitter_ms=totals.jitter_ms,
            rtt_ms=totals.quality.rtt_ms,
            remote_lost=totals.quality.remote_lost,
            remote_jitter_ms=totals.quality.remote_jitter_ms,
            mos=totals.quality.mos,
        ),
    )


def _keys(keys: wire.SrtpKeys | None) -> SrtpKeys | None:
    return None if keys is None else SrtpKeys(keys.suite, keys.send, keys.receive)


def _report_address(command: wire.ConfigureLeg) -> tuple[str, int] | None:
    """Where RTCP goes; None: where RTP goes."""
    if command.rtcp_mux:
        return None
    port = command.rtcp_port or command.remote_port + 1
    return (command.rtcp_address or command.remote_address, port)


def _item(item: wire.PlayItem) -> PlayerItem:
    match item:
        case wire.Prompt():
            return PromptItem(item.name)
        case wire.Tone():
            return ToneItem(item.frequencies_hz, item.duration_ms, item.level_dbov)
        case wire.Silence():
            return SilenceItem(item.duration_ms)
        case _:
            assert_never(item)


def _failure(command: wire.Command, reason: str) -> list[wire.Event]:
    """The event that says so; commands for players have none and are logged."""
    match command:
        case (
            wire.AddLeg()
            | wire.ConfigureLeg()
            | wire.RemoveLeg()
            | wire.SendDigits()
            | wire.WatchSound()
        ):
            return [wire.LegFailed(leg=command.leg, reason=reason)]
        case wire.StartRecording() | wire.SetRecordingLegs() | wire.StopRecording():
            return [wire.RecordingFailed(recording=command.recording, reason=reason)]
        case _:
            _log.warning("%s: %s", type(command).__name__, reason)
            return []
