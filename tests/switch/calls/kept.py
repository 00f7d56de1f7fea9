"""What outlives a process of the call agent: its records."""

from __future__ import annotations

from typing import Any

import msgspec

from switch.calls.adoption import Adoption
from switch.calls.records import CaptureRecord, LegRecord
from switch.ids import LegId, PlayerId, RecordingId


class Kept:
    """The records of legs and recordings as octets, written for what changed and for nothing else."""

    def __init__(self) -> None:
        self._legs: dict[LegId, bytes] = {}
        self._invites: dict[LegId, bytes] = {}
        self._captures: dict[RecordingId, bytes] = {}
        self._music: PlayerId | None = None

    def write(self, adoption: Adoption) -> None:
        for leg in adoption.changes.invites:
            self._invites.pop(leg, None)
        adoption.changes.invites.clear()
        for leg in adoption.changes.legs:
            record = adoption.record(leg, lambda moment: moment)
            self._put(self._legs, leg, record)
            if record is None or not record.session.needs_invite:
                self._invites.pop(leg, None)
            elif leg not in self._invites:
                invite = adoption.invite(leg)
                assert invite is not None
                self._invites[leg] = invite
        for leg in adoption.changes.confirmed:
            self._invites.pop(leg, None)
        adoption.changes.confirmed.clear()
        for recording in adoption.changes.recordings:
            self._put(self._captures, recording, adoption.capture(recording, lambda moment: moment))
        adoption.changes.legs.clear()
        adoption.changes.recordings.clear()
        self._music = adoption.music_player

    def read(
        self,
    ) -> tuple[
        dict[LegId, LegRecord],
        dict[LegId, bytes],
        dict[RecordingId, CaptureRecord],
        PlayerId | None,
    ]:
        """Legs, INVITEs, recordings and the music, as `Adoption.restore` wants them."""
        legs = {
            key: msgspec.msgpack.decode(data, type=LegRecord) for key, data in self._legs.items()
        }
        captures = {
            key: msgspec.msgpack.decode(data, type=CaptureRecord)
            for key, data in self._captures.items()
        }
        return legs, dict(self._invites), captures, self._music

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept of any call."""
        return not (self._legs or self._invites or self._captures)

    @staticmethod
    def _put(records: dict[Any, bytes], key: str, value: object | None) -> None:
        if value is None:
            records.pop(key, None)
        else:
            records[key] = msgspec.msgpack.encode(value)
