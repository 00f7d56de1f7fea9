"""What the kernel alone needs for the packets of calls: a bare loop that sends and receives them.

As many connected UDP sockets as the measured calls have legs, frames of G.711, nothing else done.
Taken in the same run as a measurement, it tells how much of a gateway's CPU time no program could
save that sends and receives each packet by a system call of its own.

    python -m cti.bench.floor [--legs 2000] [--seconds 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

from cti.serving_limits import raise_open_files

ADDRESS: Final = "127.0.0.1"
_PACKET: Final = bytes(172)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """CPU time of one packet sent and one received, microseconds."""

    total_us: float
    """User and system together: what such a loop in Python takes."""
    kernel_us: float
    """System time only."""


def measure_floor(legs: int, seconds: float) -> Floor:
    """Send and receive in this process for about `seconds`. Raises OSError when sockets run out."""
    pairs = [_pair() for _ in range(legs)]
    sends = [here.send for here, _ in pairs]
    receives = {there.fileno(): there.recv_into for _, there in pairs}
    epoll = select.epoll()
    for fd in receives:
        epoll.register(fd, select.EPOLLIN)
    buffer = bytearray(2048)
    packets = 0
    end = time.monotonic() + seconds
    before = resource.getrusage(resource.RUSAGE_SELF)
    while time.monotonic() < end:
        # A fifth of the legs at once: about what a wake of the gateway finds at this load.
        for first in range(0, legs, max(legs // 5, 1)):
            for send in sends[first : first + max(legs // 5, 1)]:
                send(_PACKET)
            for fd, _ in epoll.poll(0, legs):
                receives[fd](buffer)
                packets += 1
    after = resource.getrusage(resource.RUSAGE_SELF)
    epoll.close()
    for pair in pairs:
        for sock in pair:
            sock.close()
    system = after.ru_stime - before.ru_stime
    user = after.ru_utime - before.ru_utime
    return Floor(total_us=1e6 * (user + system) / packets, kernel_us=1e6 * system / packets)


async def floor_of_a_process(legs: int, seconds: float) -> Floor:
    """Measure in a process of its own, so that nothing else is counted."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cti.bench.floor", "--legs", str(legs), "--seconds", str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return Floor(**json.loads(out))


def _pair() -> tuple[socket.socket, socket.socket]:
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for sock in (here, there):
        sock.bind((ADDRESS, 0))
        sock.setblocking(False)
    here.connect(there.getsockname())
    there.connect(here.getsockname())
    return here, there


def main() -> int:
    """Measure once and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m cti.bench.floor")
    parser.add_argument("--legs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()
    raise_open_files()
    sys.stdout.write(json.dumps(asdict(measure_floor(args.legs, args.seconds))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
