"""A media gateway that makes no sound: it keeps what it was told and objects to nonsense."""

from __future__ import annotations

from collections import deque

from switch.errors import MediaUnavailableError
from switch.gateway.protocol import (
    NO_SUCH_RECORDING,
    AddLeg,
    Command,
    ConfigureLeg,
    Event,
    LegRemoved,
    LegStats,
    Play,
    PlayerFinished,
    RecordingFailed,
    RecordingFinished,
    RemoveLeg,
    SendDigits,
    SetGains,
    SetRecordingLegs,
    StartRecording,
    StopPlayer,
    StopRecording,
    WatchSound,
    Welcome,
)
from switch.ids import LegId, PlayerId, RecordingId


class RecordingGateway:
    """Stands for the gateway's client. Objections are collected, because the calls guard theirs."""

    def __init__(self, ports: int = 40, number: int = 0) -> None:
        """`number` tells several apart: by name, address and ports."""
        first = 16000 + 2 * ports * number
        self.all_ports = frozenset(range(first, first + 2 * ports, 2))
        self.name = f"local-{number + 1}"
        self.address = f"127.0.0.{9 + number}"
        self.serial = 0
        self.sent: list[Command] = []
        self.objections: list[str] = []
        self.is_deaf = False
        """What it is told is lost: the call agent died before it was written."""
        self.is_told_again = False
        """A call agent that follows another says everything again; what is so already is no fault."""
        self.told: dict[RecordingId, Event] = {}
        """Ends of recordings that were told to nobody: the line was cut already."""
        self.events: deque[Event] = deque()
        self.stop()

    def start(self) -> Welcome:
        """Come up as a new process."""
        self.serial += 1
        self.is_up = True
        return Welcome(version=1, gateway=self.process, pid=1, rtp_address=self.address)

    @property
    def process(self) -> str:
        """The name that the process gives itself."""
        return f"{self.name}.{self.serial}"

    def still_there(self) -> Welcome:
        """Greet another call agent: everything goes on."""
        self.is_told_again = True
        return Welcome(
            version=1,
            gateway=self.process,
            pid=1,
            rtp_address=self.address,
            legs=tuple(self.legs),
            players=tuple(self.players),
            recordings=tuple(self.recordings),
        )

    def stop(self) -> None:
        """Die: everything is forgotten."""
        self.is_up = False
        self.events.clear()
        self.free = set(self.all_ports)
        self.taken: set[int] = set()
        self.legs: dict[LegId, int] = {}
        self.configured: dict[LegId, ConfigureLeg] = {}
        self.heard: dict[LegId, set[str]] = {}
        self.players: dict[PlayerId, Play] = {}
        self.recordings: dict[RecordingId, tuple[tuple[LegId, ...], tuple[LegId, ...]]] = {}

    # --- the client's two verbs -----------------------------------------------------------------

    def take_port(self) -> int:
        if not self.is_up or not self.free:
            raise MediaUnavailableError("no port")
        port = min(self.free)
        self.free.remove(port)
        self.taken.add(port)
        return port

    def claim_port(self, port: int) -> None:
        assert port not in self.free, "somebody else could get it"

    def send(self, command: Command) -> None:
        if not self.is_up or self.is_deaf:
            return
        self.sent.append(command)
        match command:
            case AddLeg(leg=leg, port=port):
                self._check(port in self.taken and leg not in self.legs, command)
                self.taken.discard(port)
                self.legs[leg] = port
                self.heard[leg] = set()
            case ConfigureLeg(leg=leg):
                self._check(leg in self.legs, command)
                self.configured[leg] = command
            case RemoveLeg(leg=leg):
                self._remove(leg, command)
            case SetGains():
                self._set_gains(command)
            case Play(player=player, listeners=listeners):
                self._check(player not in self.players, command)
                self._check(all(leg in self.legs for leg in listeners), command)
                self.players[player] = command
            case StopPlayer(player=player):
                if self.players.pop(player, None) is not None:
                    self._drop_source(player)
                    self.events.append(PlayerFinished(player=player, played_ms=10, stopped=True))
            case SendDigits(leg=leg) | WatchSound(leg=leg):
                self._check(leg in self.legs, command)
            case StartRecording(recording=recording, left=left, right=right):
                self._check(recording not in self.recordings, command)
                self._set_recording(recording, left, right, command)
            case SetRecordingLegs(recording=recording, left=left, right=right):
                self._check(recording in self.recordings, command)
                self._set_recording(recording, left, right, command)
            case StopRecording(recording=recording) if self.is_told_again and (
                recording not in self.recordings
            ):
                lost = RecordingFailed(recording=recording, reason=NO_SUCH_RECORDING)
                self.events.append(self.told.pop(recording, lost))
            case StopRecording(recording=recording):
                self._check(self.recordings.pop(recording, None) is not None, command)
                self.events.append(
                    RecordingFinished(
                        recording=recording,
                        path=f"/rec/{recording}.wav",
                        duration_ms=10,
                        octets=20,
                        sha256="00",
                    )
                )
            case _:
                self._check(False, command)

    # --- what a test makes it do ----------------------------------------------------------------

    def finish(self, player: PlayerId) -> None:
        """Play a player to its end."""
        del self.players[player]
        self._drop_source(player)
        self.events.append(PlayerFinished(player=player, played_ms=1000))

    # --- inside ---------------------------------------------------------------------------------

    def _check(self, is_right: bool, command: Command) -> None:
        if not is_right:
            self.objections.append(f"cannot obey {command}")

    def _remove(self, leg: LegId, command: Command) -> None:
        self._check(leg in self.legs, command)
        port = self.legs.pop(leg, None)
        if port is not None:
            self.free.add(port)
        self.configured.pop(leg, None)
        self.heard.pop(leg, None)
        self._drop_source(leg)
        for left, right in self.recordings.values():
            self._check(leg not in left + right or self.is_told_again, command)
        self.events.append(LegRemoved(leg=leg, stats=LegStats(packets_received=5)))

    def _drop_source(self, source: str) -> None:
        for row in self.heard.values():
            row.discard(source)

    def _set_gains(self, command: SetGains) -> None:
        for gain in command.gains:
            known = gain.source in self.legs or gain.source in self.players
            if gain.listener not in self.legs or not known:
                self._check(False, command)
            elif gain.gain:
                self.heard[gain.listener].add(gain.source)
            else:
                heard = gain.source in self.heard[gain.listener]
                self._check(heard or self.is_told_again, command)
                self.heard[gain.listener].discard(gain.source)

    def _set_recording(
        self,
        recording: RecordingId,
        left: tuple[LegId, ...],
        right: tuple[LegId, ...],
        command: Command,
    ) -> None:
        self._check(all(leg in self.legs for leg in left + right), command)
        self.recordings[recording] = (left, right)
