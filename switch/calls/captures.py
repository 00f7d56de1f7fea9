"""Recordings that run: which legs feed them, and what is left of them when a leg goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from switch.calls.changes import Changes
from switch.calls.events import CallEvent, RecordingClosed
from switch.clock import Clock
from switch.gateway.protocol import (
    NO_SUCH_RECORDING,
    RecordingFailed,
    RecordingFinished,
    SetRecordingLegs,
    StartRecording,
    StopRecording,
)
from switch.ids import CallId, LegId, RecordingId

log = logging.getLogger(__name__)

GATEWAY_LOST: Final = "gateway-lost"
"""The error of a recording of which nobody can say how it ended; its file may be whole."""


@dataclass(slots=True)
class Capture:
    """One running recording."""

    id: RecordingId
    call: CallId
    path: str
    began: float
    customer: LegId | None
    others: tuple[LegId, ...]
    """Everybody else, mixed in the right channel."""
    is_stopping: bool = False
    gateway: str = ""
    """The name of the gateway that makes it."""


class Captures:
    """All recordings that a gateway was told to make and has not closed yet."""

    def __init__(
        self,
        *,
        clock: Clock,
        send: Callable[[str, StartRecording | SetRecordingLegs | StopRecording], None],
        emit: Callable[[CallEvent], None],
        is_muted: Callable[[LegId], bool],
        changes: Changes | None = None,
        gateway_of: Callable[[LegId], str] = lambda leg: "",
    ) -> None:
        """`send` commands a gateway, by name; `gateway_of` gives that of a leg."""
        self._changed = (changes or Changes()).recordings.add
        self._clock = clock
        self._send = send
        self._gateway_of = gateway_of
        self._emit = emit
        self._is_muted = is_muted
        self._captures: dict[RecordingId, Capture] = {}

    def start(
        self, recording: RecordingId, call: CallId, path: str, customer: LegId, agent: LegId | None
    ) -> None:
        """Begin a recording."""
        others = () if agent is None else (agent,)
        capture = Capture(recording, call, path, self._clock.now(), customer, others)
        capture.gateway = self._gateway_of(customer)
        self._captures[recording] = capture
        self._changed(recording)
        self._begin(capture)

    def set_legs(
        self, recording: RecordingId, customer: LegId | None, others: Collection[LegId]
    ) -> None:
        """Say who feeds the left and the right channel; an unknown recording is ignored."""
        capture = self._captures.get(recording)
        if capture is None or capture.is_stopping:
            return
        right = tuple(dict.fromkeys(others))
        if (capture.customer, capture.others) != (customer, right):
            capture.customer, capture.others = customer, right
            self._changed(recording)
            self._send_legs(capture)

    def stop(self, recording: RecordingId) -> None:
        """End a recording; its file is reported when the gateway has closed it."""
        capture = self._captures.get(recording)
        if capture is not None and not capture.is_stopping:
            capture.is_stopping = True
            self._changed(recording)
            self._send(capture.gateway, StopRecording(recording=recording))

    def stop_call(self, call: CallId) -> None:
        """The call's last leg is gone: nothing can feed its recordings any more."""
        for capture in tuple(self._captures.values()):
            if capture.call == call:
                self.stop(capture.id)

    def mute_changed(self, leg: LegId) -> None:
        """A leg was muted or no longer is."""
        for capture in self._of_leg(leg):
            self._send_legs(capture)

    def leg_ended(self, leg: LegId) -> None:
        """A leg is gone; the recording goes on with the other channel."""
        for capture in self._of_leg(leg):
            if capture.customer == leg:
                capture.customer = None
            capture.others = tuple(other for other in capture.others if other != leg)
            self._changed(capture.id)
            self._send_legs(capture)

    def finished(self, event: RecordingFinished) -> None:
        """The gateway closed a recording: the file is whole."""
        capture = self._captures.pop(event.recording, None)
        if capture is None:
            return
        self._changed(event.recording)
        self._emit(
            RecordingClosed(
                recording=event.recording,
                call=capture.call,
                at=self._clock.now(),
                path=event.path,
                duration_ms=event.duration_ms,
                octets=event.octets,
                sha256=event.sha256,
            )
        )

    def failed(self, event: RecordingFailed) -> None:
        """The gateway could not write on; what was written is kept."""
        capture = self._captures.pop(event.recording, None)
        if capture is not None:
            self._changed(event.recording)
            is_lost = event.reason == NO_SUCH_RECORDING
            if not is_lost:  # else it may be found, and who looks for it says what became of it
                log.error(
                    "recording %s of call %s failed: %s (%s)",
                    capture.id,
                    capture.call,
                    event.reason,
                    capture.path,
                )
            self._emit(self._broken(capture, GATEWAY_LOST if is_lost else event.reason))

    def gateway_lost(self, gateway: str) -> None:
        """No end will be told any more: report every recording there as broken."""
        self.only(gateway, ())

    def only(
        self, gateway: str, recordings: Collection[RecordingId], *, is_same_gateway: bool = False
    ) -> None:
        """A gateway has these and no others: report the rest of its recordings as broken.

        `is_same_gateway`: it is the one that should have them. What is to run there it was never told
        of; what was to end has ended, and it is asked how, since nobody may have been there to hear it.
        """
        for capture in tuple(self._captures.values()):
            if capture.id in recordings or capture.gateway != gateway:
                continue
            if is_same_gateway and capture.is_stopping:
                self._send(gateway, StopRecording(recording=capture.id))
            elif is_same_gateway:
                self._begin(capture)
            else:
                del self._captures[capture.id]
                self._changed(capture.id)
                self._emit(self._broken(capture, GATEWAY_LOST))

    def tell_again(self, gateway: str, has: Callable[[LegId], bool]) -> None:
        """A gateway is there, that `has` some legs: repeat who feeds the recordings it has to do with."""
        for capture in self._captures.values():
            legs = (
                capture.others if capture.customer is None else (capture.customer, *capture.others)
            )
            if not capture.is_stopping and (capture.gateway == gateway or any(map(has, legs))):
                self._send_legs(capture)

    def restore(self, capture: Capture) -> None:
        """Take up a recording that an earlier process began."""
        self._captures[capture.id] = capture

    def get(self, recording: RecordingId) -> Capture | None:
        """A recording that is not closed; not to be changed."""
        return self._captures.get(recording)

    def running(self) -> Iterator[Capture]:
        """Copies of the recordings that are not closed, for snapshots and checks."""
        return (replace(capture) for capture in self._captures.values())

    def __len__(self) -> int:
        return len(self._captures)

    def __contains__(self, recording: RecordingId) -> bool:
        return recording in self._captures

    def _of_leg(self, leg: LegId) -> list[Capture]:
        return [
            capture
            for capture in self._captures.values()
            if not capture.is_stopping and leg in (capture.customer, *capture.others)
        ]

    def _channels(self, capture: Capture) -> tuple[tuple[LegId, ...], tuple[LegId, ...]]:
        left, right = (
            tuple(leg for leg in legs if not self._is_muted(leg))
            for legs in (
                () if capture.customer is None else (capture.customer,),
                capture.others,
            )
        )
        return left, right

    def _begin(self, capture: Capture) -> None:
        left, right = self._channels(capture)
        command = StartRecording(recording=capture.id, path=capture.path, left=left, right=right)
        self._send(capture.gateway, command)

    def _send_legs(self, capture: Capture) -> None:
        left, right = self._channels(capture)
        command = SetRecordingLegs(recording=capture.id, left=left, right=right)
        self._send(capture.gateway, command)

    def _broken(self, capture: Capture, error: str) -> RecordingClosed:
        now = self._clock.now()
        return RecordingClosed(
            recording=capture.id,
            call=capture.call,
            at=now,
            path=capture.path,
            duration_ms=round((now - capture.began) * 1000),
            octets=0,
            sha256="",
            error=error,
        )
