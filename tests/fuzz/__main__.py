"""Fuzz for long: `python -m tests.fuzz --minutes 10 --seed 7`, from the top of the checkout.

Ends with 1 and says what broke, with the octets and how to repeat it, as soon as a promise is
broken. `--server` sends the damage to a server and gateway of their own, over sockets.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from itertools import islice
from pathlib import Path

from tests.fuzz.campaign import Finding, Target, cases, minimise, run
from tests.fuzz.gateway_targets import CodedSound, Control, RtpHeaders, Sound
from tests.fuzz.header_targets import CallHeaders
from tests.fuzz.presence_targets import PresenceWalk
from tests.fuzz.security_targets import Checks, DtlsRecords, SealedPackets, SecureSdp
from tests.fuzz.server import Assault
from tests.fuzz.session_targets import SessionHeaders, SessionWalk
from tests.fuzz.sip_targets import Sdp, SipParser, SipStream, SipTransactions
from tests.fuzz.sip_walk import SipWalk
from tests.fuzz.tls_targets import TlsRecords
from tests.fuzz.web_targets import WebSocketFrames
from tests.kit.lab import Lab

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *(
            SipParser(),
            SipTransactions(),
            SipStream(),
            SipWalk(),
            Sdp(),
            RtpHeaders(),
            Sound(),
            CodedSound(),
        ),
        *(Control(), WebSocketFrames(), TlsRecords(), CallHeaders()),
        *(SessionHeaders(), SessionWalk()),
        *(SecureSdp(), Checks(), DtlsRecords(), SealedPackets(), PresenceWalk()),
    )
}
TURN_S = 15.0
"""So long one target runs before the next gets its turn."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), metavar="NAME")
    parser.add_argument("--server", action="store_true", help="a running server, over sockets")
    parser.add_argument("--again", nargs=3, metavar=("TARGET", "SEED", "CASE"))
    given = parser.parse_args()
    if given.again:
        return _again(given.again[0], int(given.again[1]), int(given.again[2]))
    if given.server:
        return asyncio.run(_server(given.seed, given.minutes * 60))
    return _cores(given.target or list(TARGETS), given.seed, given.minutes * 60)


def _cores(names: list[str], seed: int, seconds: float) -> int:
    played = dict.fromkeys(names, 0)
    share = seconds / len(names)
    turns = max(1, round(share / TURN_S))
    for turn in range(turns):
        for name in names:
            number, finding = run(TARGETS[name], seed=seed + turn, seconds=share / turns)
            played[name] += number
            if finding is not None:
                say(finding.report())
                return 1
    for name, number in played.items():
        say(f"{name}: {number} cases, every promise kept")
    return 0


def _again(name: str, seed: int, number: int) -> int:
    target = TARGETS[name]
    _, case = next(islice(cases(target, seed), number, None))
    try:
        target.play(case)
    except Exception:  # noqa: BLE001  # to be shown smaller
        small = minimise(case, lambda items: _fails(target, items))
        say(Finding(name, seed, number, tuple(small), "").report())
        target.play(small)
    say("every promise kept")
    return 0


def _fails(target: Target, items: object) -> bool:
    try:
        target.play(items)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001  # any failure is the failure
        return True
    return False


async def _server(seed: int, seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with Lab(Path(folder)) as lab:
            assault = Assault(lab, seed)
            loop = asyncio.get_running_loop()
            end = loop.time() + seconds
            while loop.time() < end:
                await assault.round()
            await assault.verify()
            say(f"{assault.rounds} rounds: {assault.told()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
