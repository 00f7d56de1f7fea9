"""Bans over HTTP and events: who may see and lift them, and what a banned address may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from cti.bans import Bans
from cti.bus import Bus
from cti.schema import BanView, Event, EventType
from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from tests.cti.api.kit import Running, running
from tests.kit.virtual_clock import VirtualClock

HERE, BAD = "127.0.0.1", "198.51.100.7"


@dataclass
class Gate:
    """A real guard in virtual time, behind a real API; `told` are its events."""

    run: Running
    guard: Guard
    clock: VirtualClock
    cuts: list[str]
    told: list[tuple[EventType, BanView]] = field(default_factory=list)

    def shut_out(self, host: str) -> None:
        for _ in range(10):
            self.guard.offend(host, Offence.WRONG_PASSWORD, self.clock.now())

    def note(self, event: Event) -> None:
        if isinstance(event.data, BanView):
            self.told.append((event.type, event.data))


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    clock = VirtualClock()
    cuts: list[str] = []
    bans: list[Bans] = []
    guard = Guard(GuardSettings(ban_s=60.0), on_ban=lambda ban: bans[0].begun(ban))

    def make(bus: Bus) -> Bans:
        bans.append(Bans(guard=guard, clock=clock, bus=bus, cut=lambda s, why: cuts.append(s)))
        return bans[0]

    async with running(bans=make, sign_on_tries=100) as run:
        made = Gate(run, guard, clock, cuts)
        run.centre.bus.listen(made.note)
        yield made


async def test_supervisors_see_who_is_banned_and_why(gate: Gate) -> None:
    client = await gate.run.signed_on("super")
    assert (await client.get("/api/v1/bans")).json() == []
    gate.shut_out(BAD)
    gate.guard.judge(BAD, gate.clock.now())
    (ban,) = (await client.get("/api/v1/bans")).json()
    assert ban.pop("until") - ban.pop("since") == pytest.approx(60.0)
    assert ban == {
        "source": BAD,
        "reason": "wrong-password",
        "words": "too many wrong passwords",
        "times": 1,
        "dropped": 1,
        "lifted_by": "",
        "datagrams_only": False,
    }
    assert gate.cuts == [BAD]


async def test_administrators_lift_bans(gate: Gate) -> None:
    gate.shut_out("2001:db8::7")
    admin = await gate.run.signed_on("admin")
    body = {"source": "2001:db8::/64"}
    assert (await admin.post("/api/v1/bans/lift", body)).status_code == 204
    assert (await admin.get("/api/v1/bans")).json() == []
    again = await admin.post("/api/v1/bans/lift", body)
    assert (again.status_code, again.json()["error_id"]) == (404, "not-banned")
    assert [kind for kind, _ in gate.told] == [EventType.SOURCE_BANNED, EventType.SOURCE_UNBANNED]
    assert gate.told[1][1].lifted_by == "admin"
    gate.clock.advance(100.0)
    assert len(gate.told) == 2


async def test_others_may_not(gate: Gate) -> None:
    agent, supervisor = await gate.run.signed_on("1001"), await gate.run.signed_on("super")
    seen = await agent.get("/api/v1/bans")
    assert (seen.status_code, seen.json()["error_id"]) == (403, "supervisors-only")
    lifted = await supervisor.post("/api/v1/bans/lift", {"source": BAD})
    assert (lifted.status_code, lifted.json()["error_id"]) == (403, "administrators-only")
    assert (await gate.run.client().get("/api/v1/bans")).status_code == 401


async def test_the_end_of_a_ban_is_told(gate: Gate) -> None:
    gate.shut_out(BAD)
    gate.clock.advance(30.0)
    gate.shut_out("198.51.100.8")
    gate.clock.advance(29.9)
    assert len(gate.told) == 2
    gate.clock.advance(0.2)
    assert [(kind, view.source) for kind, view in gate.told[2:]] == [
        (EventType.SOURCE_UNBANNED, BAD)
    ]
    gate.clock.advance(30.0)
    assert gate.told[-1][1].source == "198.51.100.8"
    assert gate.clock.next_timer() is None


async def test_wrong_sign_ons_shut_the_address_out(gate: Gate) -> None:
    signed_on = await gate.run.signed_on("super")
    gate.clock.advance(7200.0)  # so long ago that the address is not known any more
    client = gate.run.client()
    for number in range(10):
        answer = await client.sign_on(f"user{number}", "wrong")
        assert (answer.status_code, answer.json()["error_id"]) == (401, "wrong-password")
    answer = await client.sign_on("admin")
    assert (answer.status_code, answer.json()["error_id"]) == (429, "banned")
    assert answer.headers["Retry-After"] == "60"
    assert gate.guard.is_banned(HERE, gate.clock.now())  # for SIP as well
    assert (await signed_on.get("/api/v1/bans")).status_code == 200  # who is in stays in
    gate.clock.advance(60.0)
    assert (await client.sign_on("admin")).status_code == 200


async def test_people_who_mistype_do_not_shut_out_their_office(gate: Gate) -> None:
    client = gate.run.client()
    assert (await client.sign_on("super")).status_code == 200
    assert not gate.guard.is_stranger(HERE, gate.clock.now())
    for number in range(50):
        assert (await client.sign_on(f"user{number}", "wrong")).status_code == 401
    assert (await client.sign_on("admin")).status_code == 200
    assert gate.told == []


async def test_a_sign_on_ends_a_ban_for_what_others_may_have_done(gate: Gate) -> None:
    while not gate.guard.is_banned(HERE, gate.clock.now()):
        gate.guard.offend(HERE, Offence.MALFORMED, gate.clock.now())
    assert (await gate.run.client().sign_on("admin", "wrong")).status_code == 401
    assert gate.guard.is_banned(HERE, gate.clock.now())
    assert (await gate.run.client().sign_on("1001")).status_code == 200
    assert not gate.guard.is_banned(HERE, gate.clock.now())
    assert [(kind, view.lifted_by) for kind, view in gate.told] == [
        (EventType.SOURCE_BANNED, ""),
        (EventType.SOURCE_UNBANNED, "1001"),
    ]
    for _ in range(1000):
        gate.guard.offend(HERE, Offence.MALFORMED, gate.clock.now())
    assert not gate.guard.is_banned(HERE, gate.clock.now())


async def test_a_thousand_bans_do_not_fill_the_log(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "cti.bans"):
        for number in range(1000):
            gate.shut_out(f"203.0.{number >> 8}.{number & 255}")
    assert len(caplog.records) == 20
    assert "is banned for 60 s (ban 1): too many wrong passwords" in caplog.text
    assert len(gate.told) == 1000
