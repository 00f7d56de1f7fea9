"""The media gateway process: one thread, one loop, everything in turn.

    control socket -> commands        (accept, read, apply; bounded work a turn)
    RTP sockets    -> engine.wake     (every wake_ms)
    schedule       -> engine.tick     (every 20 ms, absolute)
    events         -> control socket

Nothing in the turn blocks: the recording sink writes in its own threads, and the control socket is
written as far as the call agent reads. With nothing to sound the loop sleeps on the control socket.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import resource
import secrets
import signal
import time
from types import FrameType
from typing import Final

from msgspec.structs import replace

from switch.gateway.commands import CommandRunner, event_of
from switch.gateway.control import ControlServer
from switch.gateway.folders import RecordingFolder
from switch.gateway.handshakes import MAX_WAITING, Handshakes
from switch.gateway.protocol import (
    VERSION,
    Command,
    Event,
    GatewayStats,
    GetStats,
    Hello,
    LegFailed,
    LookForPrompts,
    PortsReserved,
    PromptsMissing,
    RecordingFailed,
    RecordingFinished,
    RemoveLeg,
    ReservePorts,
    Shutdown,
    StartRecording,
    StopPlayer,
    StopRecording,
    Welcome,
)
from switch.gateway.rtp_sockets import RtpSockets
from switch.gateway.settings import GatewaySettings
from switch.gateway.told_ends import ToldEnds
from switch.ids import RecordingId
from switch.media.engine import MediaEngine
from switch.media.errors import MediaCommandError
from switch.media.ports import RecordingSink
from switch.media.prompts import PromptStore
from switch.media.receipt import Pause
from switch.media.schedule import TickSchedule

STATS_EVERY_S: Final = 1.0
POLL_SINK_EVERY_S: Final = 0.1
CLOSE_WITHIN_S: Final = 5.0
"""Time for the sink to finish its files at the end."""
MAX_FAILED_TURNS: Final = 100
"""Turns that failed one after the other: then the process is of no use and ends."""
BUSY_PACKETS: Final = 1200
"""Packets in a frame from which on the gateway wakes less often: at many legs the waking itself
costs more than the shorter way is worth (1200 are 600 calls)."""
BUSY_WAKE_S: Final = 0.005
UNRELAYED_WAKE_S: Final = 0.01
"""The same when nothing is relayed: mixes are made at the tick, only digits wait for a wake."""
_PRIORITY: Final = -10
_IDLE_S: Final = 0.1
_RESERVED_A_TURN: Final = 8
"""Opening sockets takes time that running calls need."""

_log = logging.getLogger(__name__)


def run_gateway(settings: GatewaySettings, sink: RecordingSink) -> int:
    """Run a gateway until `Shutdown`, SIGTERM, or no call agent for `linger_s`; return the exit status.

    Raises OSError when the control socket cannot be made.
    """
    server = GatewayServer(settings, sink)

    def stop(number: int, frame: FrameType | None) -> None:
        server.stop()

    with contextlib.suppress(OSError):
        # Sound has no time to wait for; where this is not allowed it has to share.
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    signal.signal(signal.SIGTERM, stop)
    # Ctrl-C reaches the whole group of the terminal; the call agent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return server.run()


class GatewayServer:
    """The loop and what it turns."""

    def __init__(self, settings: GatewaySettings, sink: RecordingSink) -> None:
        self._settings = settings
        self._sink = sink
        self._sockets = RtpSockets(
            settings.rtp_address, settings.rtp_port_low, settings.rtp_port_high
        )
        prompts = self._prompts = PromptStore(settings.prompt_folders)
        self._folder = RecordingFolder(settings.recordings)
        _log.info("%d prompts read", prompts.preload())
        self._engine = MediaEngine(
            self._sockets,
            sink,
            prompts,
            random_u32=lambda: secrets.randbits(32),
            wall=time.time,
            rtp_timeout_s=settings.rtp_timeout_s,
        )
        self._handshakes = Handshakes(
            self._sockets, settings.dtls_certificate, on_failed=self._handshake_failed
        )
        self._commands = CommandRunner(self._engine, self._handshakes)
        self._schedule = TickSchedule()
        self._control = ControlServer(settings.place, on_hello=self._welcome, on_command=self._take)
        self._sockets.watch(self._control.fileno())
        self._started = self._agent_seen = time.monotonic()
        self._now = self._started
        self._to_reserve = 0
        self._reserved: list[int] = []
        """Ports opened for the request that is being carried out."""
        self._closing: set[RecordingId] = set()
        """Recordings closed of which the sink has not yet said how they ended."""
        self._told = ToldEnds()
        self._next_stats = self._started + STATS_EVERY_S
        self._next_sink_poll = self._started
        self._stopping = False
        self._received_before = 0
        self._wake_s = settings.wake_ms / 1000

    def stop(self) -> None:
        """End the loop after this turn. May be called from a signal handler."""
        self._stopping = True

    def run(self) -> int:
        """Turn until told to stop; return the exit status."""
        gc.collect()
        gc.freeze()  # what is here stays; no need to look at it again and again
        failed = 0
        try:
            while not self._stopping:
                try:
                    self._turn()
                    failed = 0
                except Exception:  # noqa: BLE001
                    # One turn may fail; a gateway that only fails makes room for another.
                    _log.exception("a turn of the gateway failed")
                    failed += 1
                    if failed > MAX_FAILED_TURNS:
                        return 1
            self._close_recordings()
            return 0
        finally:
            self._control.close()
            self._sockets.close()

    # --- one turn -------------------------------------------------------------------------------

    def _turn(self) -> None:
        now = self._now = time.monotonic()
        engine, schedule = self._engine, self._schedule
        if engine.is_idle:
            schedule.stop()
            self._control.poll(0.0 if self._to_reserve else _IDLE_S)
            now = self._now = time.monotonic()
        else:
            self._control.poll()
            if not schedule.running:
                schedule.start(now)
            engine.wake(now)
            if schedule.is_due(now):
                engine.tick(now, schedule.take(now))
                self._set_pace()
        # Every turn, so that nothing is left for a leg that gets the row of one that is gone.
        if len(self._handshakes) or engine.has_handshakes:
            self._handshakes.receive(*engine.next_handshakes())
            self._handshakes.turn(now)
        self._reserve()
        for event in engine.next_events():
            self._control.send(event_of(event))
        self._look_around(now)
        self._control.flush()
        if not engine.is_idle:
            self._sleep(now)

    def _handshake_failed(self, row: int, why: str) -> None:
        leg = self._engine.leg_of(row)
        if leg is not None:
            self._engine.expect_handshakes(leg, on=False)
            self._control.send(LegFailed(leg=leg, reason=why))

    def _set_pace(self) -> None:
        """Choose how often to wake, by the packets of the last frame."""
        received = self._engine.packets_received
        busy = received - self._received_before >= BUSY_PACKETS
        self._received_before = received
        settled = self._settings.wake_ms / 1000
        longer = BUSY_WAKE_S if self._engine.is_relaying else UNRELAYED_WAKE_S
        self._wake_s = max(settled, longer) if busy else settled

    def _sleep(self, began: float) -> None:
        """Wait for the next wake, or let the sockets do the wakes alone until the next tick."""
        schedule = self._schedule
        if self._handshakes.is_busy:
            return
        if schedule.running:
            pause = Pause(self._wake_s, schedule.next_at)
            # Ports that are asked for come at every wake: by the tick, hundreds would take a second.
            stays = not self._stopping and not self._to_reserve
            if stays and self._engine.relay(self._sockets, pause):
                began = time.monotonic()
                if began + self._wake_s < schedule.next_at:
                    return  # something came up
        until = began + self._wake_s
        if schedule.running:
            until = min(until, schedule.next_at)
        left = until - time.monotonic()
        if left > 0:
            time.sleep(left)

    def _look_around(self, now: float) -> None:
        """What is done now and then."""
        if now >= self._next_sink_poll:
            self._next_sink_poll = now + POLL_SINK_EVERY_S
            self._poll_sink()
            self._sockets.ports.handle_rested(now)
        self._control.expire(now)
        if self._control.has_agent:
            self._agent_seen = now
        elif now - self._agent_seen >= self._settings.linger_s:
            self._without_agent(now)
        if now >= self._next_stats:
            self._next_stats = now + STATS_EVERY_S
            self._control.send(self._stats(now))

    def _without_agent(self, now: float) -> None:
        """Nobody has come back: end, or forget what the last one left and wait for another."""
        if not self._settings.stays:
            _log.error("no call agent for %.0f s: the gateway ends", now - self._agent_seen)
            self._stopping = True
            return
        self._agent_seen = now
        engine = self._engine
        if engine.legs or engine.players or engine.recordings:
            _log.error("no call agent: %d legs are given up", len(engine.legs))
        for recording in engine.recordings:
            self._take(StopRecording(recording=recording))
        for leg in engine.legs:
            self._take(RemoveLeg(leg=leg))
        for player in engine.players:
            self._take(StopPlayer(player=player))

    def _reserve(self) -> None:
        if not self._to_reserve:
            return
        count = min(self._to_reserve, _RESERVED_A_TURN)
        ports = self._sockets.ports.reserve(count)
        self._reserved += ports
        self._to_reserve = self._to_reserve - count if len(ports) == count else 0
        if not self._to_reserve:
            self._control.send(PortsReserved(ports=tuple(self._reserved)))
            self._reserved.clear()

    def _poll_sink(self) -> None:
        for outcome in self._sink.poll():
            self._closing.discard(outcome.recording)
            event: Event
            if outcome.error is None:
                event = RecordingFinished(
                    recording=outcome.recording,
                    path=self._folder.there(outcome.path),
                    duration_ms=outcome.duration_ms,
                    octets=outcome.octets,
                    sha256=outcome.sha256,
                )
            else:
                event = RecordingFailed(recording=outcome.recording, reason=outcome.error)
                self._engine.stop_recording(outcome.recording)
            if self._control.has_agent:  # what is kept for the next one is not lost
                self._told.add(event)
            self._control.send(event)

    # --- commands -------------------------------------------------------------------------------

    def _take(self, command: Command) -> None:
        match command:
            case ReservePorts(count=count):
                self._to_reserve = max(self._to_reserve, min(max(count, 0), 65536))
            case GetStats():
                self._control.send(self._stats(self._now))
            case LookForPrompts(names=names):
                missing = tuple(name for name in names if self._prompts.prompt(name) is None)
                self._control.send(PromptsMissing(names=missing))
            case StartRecording() if self._settings.recordings is not None:
                self._record(command)
            case Shutdown():
                self._stopping = True
            case Hello():
                pass  # answered by the control server
            case StopRecording() if command.recording in self._engine.recordings:
                self._closing.add(command.recording)
                self._engine.stop_recording(command.recording)
            case StopRecording():
                if command.recording not in self._closing:
                    self._control.send(self._told.again(command.recording))
            case _:
                for event in self._commands.run(command, self._now):
                    self._control.send(event)

    def _record(self, command: StartRecording) -> None:
        try:
            command = replace(command, path=self._folder.here(command.path))
        except MediaCommandError as error:
            self._control.send(RecordingFailed(recording=command.recording, reason=str(error)))
            return
        for event in self._commands.run(command, self._now):
            self._control.send(event)

    def _welcome(self, hello: Hello) -> Welcome:
        self._folder.agent_says(hello.recordings)
        self._sockets.ports.forget_offers()
        self._to_reserve = 0
        self._reserved.clear()
        return Welcome(
            version=VERSION,
            gateway=self._settings.gateway,
            pid=os.getpid(),
            rtp_address=self._settings.rtp_address,
            advertise=self._settings.advertise,
            dtls_fingerprint=self._settings.dtls_fingerprint,
            legs=self._engine.legs,
            players=self._engine.players,
            recordings=self._engine.recordings,
        )

    def _stats(self, now: float) -> GatewayStats:
        engine, schedule = self._engine, self._schedule
        lateness = schedule.lateness()
        times = os.times()
        return GatewayStats(
            uptime_s=round(now - self._started, 3),
            legs=len(engine.legs),
            players=len(engine.players),
            recordings=len(engine.recordings),
            ports_free=self._sockets.ports.free,
            packets_received=engine.packets_received,
            packets_sent=engine.packets_sent,
            packets_dropped=engine.packets_dropped,
            packets_stray=engine.packets_stray,
            ticks=schedule.ticks,
            ticks_late=schedule.late + schedule.caught_up,
            ticks_dropped=schedule.dropped,
            lateness_p50_ms=round(lateness.p50_ms, 3),
            lateness_p99_ms=round(lateness.p99_ms, 3),
            lateness_max_ms=round(lateness.max_ms, 3),
            cpu_user_s=times.user,
            cpu_system_s=times.system,
            crypt_s=round(self._sockets.crypt_s, 6),
            ports=self._sockets.ports.count,
            open_files=_open_files(),
            open_files_most=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            handshakes_waiting=self._handshakes.waiting,
            handshakes_most=MAX_WAITING,
            recorded_waiting=self._sink.backlog_octets,
            recorded_most=self._sink.max_backlog_octets,
            handshakes_dropped=self._handshakes.dropped,
            handshakes_refused=self._handshakes.refused,
            digits_dropped=engine.digits_dropped,
            events_lost=self._control.lost,
        )

    def _close_recordings(self) -> None:
        """Close what is being recorded and wait, within bounds, until it is on disk."""
        for recording in self._engine.recordings:
            self._engine.stop_recording(recording)
            self._closing.add(recording)
        end = time.monotonic() + CLOSE_WITHIN_S
        while True:
            self._poll_sink()
            self._control.flush()
            if not self._closing or time.monotonic() >= end:
                return
            self._control.poll(0.01)


def _open_files() -> int:
    """In one system call, as a list of thousands would take a tick's time; 0: the kernel is too old."""
    try:
        return os.stat("/proc/self/fd").st_size
    except OSError:
        return 0
