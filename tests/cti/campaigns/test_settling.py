"""What became of dials reaches the store, whatever ails it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.dialer.model import (
    Attempt,
    AttemptId,
    CampaignName,
    CampaignState,
    Held,
    Mode,
    Outcome,
    RecordId,
)
from crm_store.errors import StoreUnavailable
from cti.campaigns import settling as settling_module
from cti.campaigns.outbox import Dialled, GivenBack, Item, Moved, Outbox, Refused
from cti.campaigns.settling import Settling
from tests.kit.patience import PATIENCE_S

SPRING = CampaignName("spring")


def attempt(number: int, outcome: Outcome = Outcome.BUSY) -> Attempt:
    return Attempt(
        id=AttemptId(f"i-{number}"),
        campaign=SPRING,
        record=RecordId(f"{number}"),
        number="+12025550100",
        caller_id="+12025550101",
        mode=Mode.PROGRESSIVE,
        dialled_at=100.0 + number,
        why="rules 1",
        outcome=outcome,
        ended_at=101.0 + number,
    )


class Shelf:
    """The store's side, which may be away; `lists` and `campaigns` are both this one."""

    def __init__(self) -> None:
        self.is_away = False
        self.refuses = ""
        self.taken: list[Any] = []
        self.lists = self.campaigns = self

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        await self._look()
        if any(each.id == self.refuses for each in attempts):
            raise ValueError("one of them cannot be stored")
        self.taken += [each.id for each in attempts]

    async def release(self, held: Sequence[Held], *, at: float, reason: str = "") -> None:
        await self._look()
        self.taken += [f"back {each.record}" for each in held]

    async def set_state(self, name: str, state: CampaignState, *, at: float, by: str) -> None:
        await self._look()
        self.taken.append(f"{name} {state} {by}")

    async def _look(self) -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise StoreUnavailable("it is away")


async def until(shelf: Shelf, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(shelf.taken) < count:  # noqa: ASYNC110 - the settling runs by itself
            await asyncio.sleep(0.005)


def settling(shelf: Shelf, path: Path) -> Settling:
    made = Settling(shelf, Outbox(path))  # type: ignore[arg-type]
    made.start()
    return made


async def test_everything_arrives_in_its_order_and_nothing_stays_on_disk(tmp_path: Path) -> None:
    shelf, path = Shelf(), tmp_path / "outbound.jsonl"
    made = settling(shelf, path)
    made.attempt(attempt(1))
    made.tell(GivenBack((Held(RecordId("7"), 1), Held(RecordId("8"), 1)), 5.0))
    made.attempt(attempt(2))
    made.tell(Moved(SPRING, CampaignState.PAUSED, 5.0, "super"))
    await until(shelf, 5)
    await made.close()
    assert shelf.taken == ["i-1", "back 7", "back 8", "i-2", "spring paused super"]
    assert not path.exists()
    assert made.settled == 2


async def test_what_the_store_does_not_take_is_delivered_by_the_next_process(
    tmp_path: Path,
) -> None:
    shelf, path = Shelf(), tmp_path / "outbound.jsonl"
    shelf.is_away = True
    made = settling(shelf, path)
    for number in range(3):
        made.attempt(attempt(number))
    async with asyncio.timeout(PATIENCE_S):
        while not made.trouble:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
    assert made.pending == 3
    await made.close()
    assert len(path.read_text().splitlines()) == 3
    with path.open("a") as file:
        file.write('{"type":"attempt","attempt":{"id":"cut sh')  # as a crash leaves it
    shelf.is_away = False
    again = settling(shelf, path)
    await until(shelf, 3)
    await again.close()
    assert shelf.taken == ["i-0", "i-1", "i-2"]
    assert not path.exists()
    kept = tmp_path / "outbound.refused.jsonl"
    assert "cut sh" in kept.read_text()
    assert again.refused == 1


async def test_it_goes_on_by_itself_when_the_store_is_there_again(tmp_path: Path) -> None:
    shelf, path = Shelf(), tmp_path / "outbound.jsonl"
    shelf.is_away = True
    made = settling(shelf, path)
    made.attempt(attempt(1))
    async with asyncio.timeout(PATIENCE_S):
        while not made.trouble:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
    made.attempt(attempt(2))
    shelf.is_away = False
    await until(shelf, 2)
    await made.close()
    assert shelf.taken == ["i-1", "i-2"]
    assert made.trouble == ""


async def test_one_that_cannot_be_stored_does_not_stop_the_others(
    tmp_path: Path, caplog: Any
) -> None:
    shelf = Shelf()
    shelf.refuses = "i-1"
    made = settling(shelf, tmp_path / "outbound.jsonl")
    for number in range(3):
        made.attempt(attempt(number))
    await until(shelf, 2)
    await made.close()
    assert shelf.taken == ["i-0", "i-2"]
    assert made.refused == 1
    assert "i-1" in caplog.text
    [line] = (tmp_path / "outbound.refused.jsonl").read_bytes().splitlines()
    refused = msgspec.json.decode(line, type=Refused)
    assert refused.item == Dialled(attempt(1))
    assert refused.why == "ValueError: one of them cannot be stored"


async def test_what_a_restart_found_lost_is_stored_before_anybody_counts(tmp_path: Path) -> None:
    shelf = Shelf()
    made = Settling(shelf, Outbox(tmp_path / "outbound.jsonl"))  # type: ignore[arg-type]
    made.attempt(attempt(1, Outcome.ABANDONED))
    made.start()
    async with asyncio.timeout(PATIENCE_S):
        await made.caught_up.wait()
    assert shelf.taken == ["i-1"]
    await made.close()


async def test_an_outbox_that_cannot_be_read_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling_module, "_FIRST_PAUSE_S", 0.0)
    shelf, outbox = Shelf(), Outbox(tmp_path / "outbound.jsonl")
    outbox.append([Dialled(attempt(1))])
    faults = [OSError("a bad sector"), OSError("a bad sector")]

    class Faulty(Outbox):
        def read(self) -> list[Item]:
            if faults:
                raise faults.pop()
            return super().read()

    made = Settling(shelf, Faulty(outbox.path))  # type: ignore[arg-type]
    made.attempt(attempt(2))
    made.start()
    await until(shelf, 2)
    await made.close()
    assert shelf.taken == ["i-1", "i-2"]
    assert not outbox.path.exists()


async def test_an_attempt_is_known_while_its_disposition_may_come(tmp_path: Path) -> None:
    shelf = Shelf()
    made = settling(shelf, tmp_path / "outbound.jsonl")
    made.attempt(attempt(1, Outcome.CONNECTED))
    assert made.known(AttemptId("i-1")) == attempt(1, Outcome.CONNECTED)
    assert made.known(AttemptId("i-2")) is None
    await made.close()


def test_what_the_store_has_taken_is_not_delivered_again(tmp_path: Path) -> None:
    path = tmp_path / "outbound.jsonl"
    outbox = Outbox(path)
    items = [Dialled(attempt(number)) for number in range(5)]
    outbox.append(items[:3])
    outbox.append(items[3:])
    outbox.taken(2)
    with path.open("a") as file:
        file.write('{"type":"attempt","attempt":{"id":"cut sh')  # as a crash leaves it
    again = Outbox(path)
    assert again.read() == items[2:]
    again.taken(1)
    again.append([items[0]])
    third = Outbox(path)
    assert third.read() == [*items[3:], items[0]]
    assert third.refused == 1
    third.taken(3)
    assert list(tmp_path.iterdir()) == [third.refused_path]


def test_an_outbox_without_one_good_line_is_put_away_once(tmp_path: Path) -> None:
    path = tmp_path / "outbound.jsonl"
    path.write_text('{"type":"attempt","attempt":{"id":"cut sh')
    assert Outbox(path).read() == []
    assert Outbox(path).read() == []
    again = Outbox(path)
    assert again.read() == []
    assert len(again.refused_path.read_bytes().splitlines()) == 1
