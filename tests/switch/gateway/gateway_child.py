"""A gateway process for the tests, with a sink that counts: `gateway_child.py SOCKET FOLDER LINGER_S`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switch.gateway.server import run_gateway
from switch.gateway.settings import GatewaySettings
from switch.ids import RecordingId
from switch.media.ports import RecordingOutcome
from tests.switch.media.sinks import NothingWaits


@dataclass(frozen=True)
class Counted:
    """The end of a recording that went nowhere."""

    recording: RecordingId
    path: str
    duration_ms: int
    octets: int
    sha256: str = ""
    error: str | None = None


class CountingSink(NothingWaits):
    """Writes the number of frames beside where the file would be."""

    def __init__(self) -> None:
        super().__init__()
        self.samples: dict[RecordingId, int] = {}
        self.paths: dict[RecordingId, str] = {}
        self.outcomes: list[RecordingOutcome] = []

    def open(self, recording: RecordingId, path: str) -> None:
        self.samples[recording] = 0
        self.paths[recording] = path

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        for recording in recordings:
            self.samples[recording] += block.shape[1]

    def close(self, recording: RecordingId) -> None:
        samples = self.samples.pop(recording)
        path = self.paths.pop(recording)
        Path(path + ".count").write_text(str(samples))
        self.outcomes.append(
            Counted(recording=recording, path=path, duration_ms=samples // 8, octets=2 * samples)
        )

    def poll(self) -> list[RecordingOutcome]:
        outcomes, self.outcomes = self.outcomes, []
        return outcomes


def main() -> int:
    socket_path, folder, linger = sys.argv[1:4]
    return run_gateway(
        GatewaySettings(
            place=Path(socket_path),
            rtp_address="127.0.0.1",
            rtp_port_low=int(sys.argv[4]),
            rtp_port_high=int(sys.argv[5]),
            prompt_folders=(Path(folder),),
            linger_s=float(linger),
            dtls_certificate=Path(sys.argv[6]) if len(sys.argv) > 6 else None,
        ),
        CountingSink(),
    )


if __name__ == "__main__":
    raise SystemExit(main())
