"""The store is locked or gone: calls are answered all the same, and history is whole afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crm_store.database import BUSY_TIMEOUT_S
from cti.client import ApiError
from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import AGENT_HZ, until_heard
from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"seeded": True}
AMELIA = "+12025550103"


@asynccontextmanager
async def locked(lab: Lab) -> AsyncIterator[None]:
    """Nobody else can write; in WAL mode they still read."""
    connection = sqlite3.connect(lab.data / "switchroom.db", isolation_level=None)
    connection.execute("begin exclusive")
    try:
        yield
    finally:
        connection.execute("rollback")
        connection.close()


@asynccontextmanager
async def gone(lab: Lab) -> AsyncIterator[None]:
    """The file and its companions are elsewhere."""
    files = [lab.data / f"switchroom.db{end}" for end in ("", "-wal", "-shm")]
    moved = [file for file in files if file.exists()]
    for file in moved:
        file.rename(file.with_suffix(file.suffix + ".away"))
    try:
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)
        for file in moved:
            file.with_suffix(file.suffix + ".away").rename(file)


@pytest.mark.parametrize("trouble", [locked, gone])
async def test_calls_go_on_without_the_store(lab: Lab, trouble: object) -> None:
    async with (
        Desk(lab, "1001") as desk,
        Phone("pjsua2", number=AMELIA) as caller,
    ):
        await desk.ready()
        desk.phone.hum(AGENT_HZ)
        async with trouble(lab):  # type: ignore[operator]
            began = time.monotonic()
            call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
            ring = await desk.phone.answer_next()
            await caller.established(call)
            assert time.monotonic() - began < BUSY_TIMEOUT_S, "a store that is away holds no call"
            pop = await desk.pop()
            assert pop.caller_number == AMELIA
            if trouble is locked:
                assert pop.customer is not None
                assert pop.customer.name == "Amelia Okafor"
            await until_heard(caller, call, AGENT_HZ)
            await desk.api.note(pop.interaction_id, f"written while {trouble.__name__}")  # type: ignore[attr-defined]
            await asyncio.sleep(3.0 - (time.monotonic() - began))
            await caller.hang_up(call)
            await desk.phone.closed(ring.call)
            await desk.event(EventType.CONNECTION_CLEARED)
            await desk.api.set_disposition(pop.interaction_id, "resolved")
            history = (await lab.status())["history"]
            assert history["failed"] + history["pending"] > 0
            if trouble is gone:
                with pytest.raises(ApiError) as refused:
                    await desk.api.customers(name="Okafor")
                assert refused.value.status == 503

        async def whole() -> bool:
            rows = lab.query(
                "select result, disposition, ended_at is not null from interaction where id = ?",
                pop.interaction_id,
            )
            return rows == [("answered", "resolved", 1)]

        await lab.until(whole, message="history never came")
        row = (await lab.recordings(1))[-1]
        assert (row["interaction_id"], row["error"]) == (pop.interaction_id, None)

        async def all_written() -> bool:
            return bool((await lab.status())["history"]["pending"] == 0)

        await lab.until(all_written)
        counters = (await lab.status())["history"]
        assert (counters["dropped"], counters["refused"]) == (0, 0)
        kinds = [
            kind
            for (kind,) in lab.query(
                "select type from timeline where interaction_id = ? order by seq",
                pop.interaction_id,
            )
        ]
        for kind in ("InteractionStarted", "Offered", "Established", "NoteAdded"):
            assert kinds.count(kind) == 1, kinds
        for kind in ("RecordingFinished", "InteractionEnded", "DispositionSet"):
            assert kinds.count(kind) == 1, kinds
        assert (await desk.api.customers(name="Okafor"))[0].name == "Amelia Okafor"
