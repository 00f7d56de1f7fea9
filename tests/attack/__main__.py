"""Every kind of flood in turn while people call: `python -m tests.attack --seconds 20`.

From the top of the checkout. Ends with 1 when a call was lost, an attacker was not banned, or memory
did not come back.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from cti.bench.call_sound import CallSound
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool
from tests.attack.floods import CONNECTIONS, DATAGRAMS, Findings, attack
from tests.kit.lab import Lab

RATE = 5.0
"""Calls a second of people who are let in."""
KEPT_MB = 40.0
"""Tables and allocators may keep so much of a flood."""


async def run(seconds: float) -> int:
    with tempfile.TemporaryDirectory(prefix="switchroom-attack-") as folder:
        async with Lab(Path(folder)) as lab:
            sound = CallSound(lab.host)
            agents = AgentPool(lab.host, lab.agent_port, sound.port, sound=sound)
            callers = CallerPool(
                host=lab.host,
                server=(lab.host, lab.sip_port),
                rtp_port=sound.port,
                called="4101",
                talk_s=1.0,
                sound=sound,
            )
            await agents.open()
            await callers.open()
            sound.open()
            try:
                await callers.run(RATE, 50)  # so that what a first call loads is not counted
                await lab.token("admin")  # a sign-on is dear, and not what is asked here
                length = (len(DATAGRAMS) + 2) * seconds
                callers.finished.clear()
                calling = asyncio.create_task(callers.run(RATE, int(RATE * length)))
                found = await attack(lab, seconds=seconds)
                await calling
            finally:
                callers.close()
                agents.close()
                await sound.close()
    return _told(found, dict(callers.finished), callers.lost)


def _told(found: Findings, calls: dict[int, int], lost: int) -> int:
    complaints = [f"nobody was banned for {kind}" for kind in DATAGRAMS if kind not in found.banned]
    for kind, closed in found.closed.items():
        if closed < CONNECTIONS:
            complaints.append(f"{CONNECTIONS - closed} {kind} connections were not closed")
    if failed := sum(count for status, count in calls.items() if status != 200) + lost:
        complaints.append(f"{failed} calls of people who are let in failed: {calls}")
    if found.after_mb - found.before_mb > KEPT_MB:
        complaints.append("memory did not come back")
    lines = [
        f"{found.sent} messages of attackers; meanwhile {calls.get(200, 0)} calls went through",
        f"memory: {found.before_mb:.0f} MB before, {found.worst_mb:.0f} at most, "
        f"{found.after_mb:.0f} afterwards",
        f"banned: {found.banned}",
        f"guard: {found.guard}",
        *(complaints or ["held"]),
    ]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if complaints else 0


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind of flood")
    return asyncio.run(run(parser.parse_args().seconds))


if __name__ == "__main__":
    raise SystemExit(main())
