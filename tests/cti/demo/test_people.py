"""Simulated people who are called: what a dial of them meets."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cti.bench.sip_text import Datagrams, sdp
from cti.demo.people import SHARES, Kind, People, Person, person_of
from tests.kit.patience import PATIENCE_S

HERE = "127.0.0.1"
HUMAN = Person(kind=Kind.HUMAN, rings_s=0.02, talks_s=0.05)


class Dialler:
    """Sends requests and keeps what comes."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.socket: Datagrams | None = None

    async def open(self) -> None:
        self.socket = await Datagrams.open(lambda data, _: self.came.put_nowait(data), HERE, 0)

    def close(self) -> None:
        assert self.socket is not None
        self.socket.close()

    def send_raw(self, data: bytes, port: int) -> None:
        assert self.socket is not None
        self.socket.send(data, (HERE, port))

    def send(self, method: str, port: int, body: bytes = b"") -> None:
        assert self.socket is not None
        head = (
            f"{method} sip:+12025550123@{HERE}:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HERE}:{self.socket.port};branch=z9hG4bK1\r\n"
            f"From: <sip:+12025550100@{HERE}>;tag=us\r\nTo: <sip:+12025550123@{HERE}>\r\n"
            f"Call-ID: abc@x\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:us@{HERE}:{self.socket.port}>\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.send_raw(head.encode() + body, port)

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.came.get()).decode()


@pytest.fixture
async def dialler() -> AsyncIterator[Dialler]:
    dialler = Dialler()
    await dialler.open()
    yield dialler
    dialler.close()


@pytest.fixture
def person() -> list[Person]:
    """Whoever stands first in it is called."""
    return [HUMAN]


@pytest.fixture
async def people(person: list[Person]) -> AsyncIterator[People]:
    people = People(who=lambda *_: person[0])
    await people.open()
    yield people
    await people.close()


async def test_a_human_rings_answers_speaks_and_hangs_up(people: People, dialler: Dialler) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((HERE, 0))
        ear.setblocking(False)
        dialler.send("INVITE", people.port, sdp(HERE, ear.getsockname()[1]))
        assert (await dialler.next()).startswith("SIP/2.0 180 ")
        answer = await dialler.next()
        assert answer.startswith("SIP/2.0 200 ")
        assert "m=audio" in answer
        async with asyncio.timeout(PATIENCE_S):
            assert len(await asyncio.get_running_loop().sock_recv(ear, 2000)) == 172
        bye = await dialler.next()
    assert bye.startswith(f"BYE sip:us@{HERE}:")
    assert f"To: <sip:+12025550100@{HERE}>;tag=us" in bye


@pytest.mark.parametrize(
    ("kind", "status"), [(Kind.BUSY, 486), (Kind.DECLINES, 603), (Kind.NOBODY, 404)]
)
async def test_others_refuse(
    people: People, person: list[Person], dialler: Dialler, kind: Kind, status: int
) -> None:
    person[0] = replace(HUMAN, kind=kind, rings_s=0.0)
    dialler.send("INVITE", people.port)
    assert (await dialler.next()).startswith(f"SIP/2.0 {status} ")
    assert people.kinds == {kind: 1}


async def test_who_does_not_answer_can_be_given_up(
    people: People, person: list[Person], dialler: Dialler
) -> None:
    person[0] = replace(HUMAN, kind=Kind.NO_ANSWER)
    dialler.send("INVITE", people.port)
    await dialler.next()
    dialler.send("INVITE", people.port)  # it comes again: so does the answer
    assert (await dialler.next()).startswith("SIP/2.0 180 ")
    dialler.send("CANCEL", people.port)
    assert (await dialler.next()).startswith("SIP/2.0 200 ")
    assert (await dialler.next()).startswith("SIP/2.0 487 ")


async def test_nonsense_is_met_with_silence(people: People, dialler: Dialler) -> None:
    for nonsense in (b"", b"\0\xff", b"INVITE x\r\nCall-ID: 1\r\n\r\n", b"BYE\r\nCall-ID: 2\r\n"):
        dialler.send_raw(nonsense, people.port)
    dialler.send("OPTIONS", people.port)
    assert (await dialler.next()).startswith("SIP/2.0 200 ")


def test_who_is_who_can_be_repeated_and_is_as_told() -> None:
    kinds = Counter(person_of(f"+1202555{n:04}", 1, 1).kind for n in range(3000))
    for kind, share in SHARES:
        assert abs(kinds[kind] / 3000 - share) < 0.03
    assert person_of("+1", 1, 7) == person_of("+1", 1, 7)
    assert {person_of("+1", attempt, 7).kind for attempt in range(60)} > {Kind.HUMAN, Kind.BUSY}
