"""The same set-up and tear-down with SIPp, where it is installed: an independent pair of callers and agents.

SIPp's built-in scenarios serve: `uac` dials, waits and hangs up; `uas` answers whatever rings.
"""

from __future__ import annotations

import asyncio
import csv
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.server import MeasuredServer, measured_server

_PATIENCE_S: Final = 60.0


class SippFailedError(Exception):
    """SIPp could not run; the message has what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SippFigures:
    """One run of SIPp against the server."""

    rate: float
    calls: int
    failures: int
    cpu_ms: float
    """Of call agent and gateway, a call."""


def is_installed() -> bool:
    """True where `sipp` can be run."""
    return shutil.which("sipp") is not None


async def measure_sipp(rate: float, calls: int, *, called: str = "4101") -> SippFigures:
    """Let SIPp dial `calls` calls of one second at `rate` a second.

    Raises:
        SippFailedError: SIPp did not start or left no statistics.
    """
    with tempfile.TemporaryDirectory(prefix="switchroom-sipp-") as folder:
        async with measured_server(Path(folder)) as server:
            return await _measure(server, Path(folder), rate, calls, called)


async def _measure(
    server: MeasuredServer, folder: Path, rate: float, calls: int, called: str
) -> SippFigures:
    agents = await _sipp(folder, "-sn", "uas", "-p", str(server.agent_port))
    try:
        before = server.usage()
        statistics = folder / "callers.csv"
        callers = await _sipp(
            folder,
            "-sn",
            "uac",
            "-s",
            called,
            "-r",
            str(rate),
            "-m",
            str(calls),
            "-d",
            "1000",
            "-trace_stat",
            "-stf",
            str(statistics),
            "-timeout",
            str(int(calls / rate + _PATIENCE_S)),
            f"127.0.0.1:{server.sip[1]}",
        )
        async with asyncio.timeout(calls / rate + 2 * _PATIENCE_S):
            await callers.wait()
        used = server.usage().since(before)
    finally:
        await _end(agents)
    succeeded, failed = _counts(statistics)
    if succeeded + failed == 0:
        raise SippFailedError(f"SIPp made no calls (exit code {callers.returncode})")
    return SippFigures(
        rate=rate,
        calls=succeeded + failed,
        failures=failed + max(0, calls - succeeded - failed),
        cpu_ms=1000 * used.cpu_s / (succeeded + failed),
    )


async def _sipp(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """SIPp without a terminal; it writes screens only where it is told to."""
    try:
        return await asyncio.create_subprocess_exec(
            "sipp",
            *arguments,
            "-i",
            "127.0.0.1",
            "-nostdin",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
        )
    except OSError as error:
        raise SippFailedError(f"sipp cannot be run: {error}") from error


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)  # our own child; it has nothing to finish
        await process.wait()


def _counts(statistics: Path) -> tuple[int, int]:
    """Calls that succeeded and failed, from the last line of SIPp's statistics."""
    if not statistics.exists():
        return 0, 0
    with statistics.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    if not rows:
        return 0, 0
    last = rows[-1]
    return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
