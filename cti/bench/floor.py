"""What the kernel needs for the packets of calls: a bare loop in the gateway's place.

It receives each packet and sends it on, or only sends, with a system call each, for the same parties at the
same pace, and does nothing else (`cti.bench.bare_gateway`). Taken in the same run as a measurement, it tells
how much of a gateway's CPU time no program could save that has a system call for each packet.

    python -m cti.bench.floor [--legs 2000] [--seconds 3]
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

from cti.bench.bare_gateway import SENDING, WAKE_S, WARM_UP_S, BareGateway, Work
from cti.bench.rtp_listeners import RtpListeners
from cti.bench.rtp_load import RtpLoad
from cti.bench.speakers import ADDRESS
from cti.serving_limits import raise_open_files
from switch.gateway.server import BUSY_PACKETS, BUSY_WAKE_S

FLOOR_S: Final = 3.0


def relay_floor(legs: int, seconds: float = FLOOR_S) -> float:
    """CPU time of one packet received and sent on, microseconds. Raises OSError, TimeoutError."""
    load = RtpLoad(ADDRESS, legs)
    try:
        loop = BareGateway(load.ports, BUSY_WAKE_S if legs >= BUSY_PACKETS else WAKE_S)
        try:
            load.start(loop.ports, WARM_UP_S + seconds)
            time.sleep(WARM_UP_S)
            return loop.window(seconds).packet_us
        finally:
            loop.close()
    finally:
        load.close()


def prompt_floor(legs: int, seconds: float = FLOOR_S) -> float:
    """CPU time of one packet sent to those who only listen, microseconds. Raises OSError, TimeoutError."""
    audience = RtpListeners(ADDRESS, legs)
    try:
        loop = BareGateway(audience.ports, WAKE_S, Work(kind=SENDING))
        try:
            time.sleep(WARM_UP_S)
            return loop.window(seconds).packet_us
        finally:
            loop.close()
    finally:
        audience.close()


def main() -> int:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m cti.bench.floor", description=__doc__)
    parser.add_argument("--legs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=FLOOR_S)
    args = parser.parse_args()
    raise_open_files()
    relayed, sent = (floor(args.legs, args.seconds) for floor in (relay_floor, prompt_floor))
    sys.stdout.write(f"received and sent on {relayed:.2f} us a packet, only sent {sent:.2f} us\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
