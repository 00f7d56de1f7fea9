"""Both user agents as child processes: calls, sound, registration, and the child's death."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from cti.phone.client import PhoneProcess, PhoneUnavailableError, best_backend
from cti.phone.protocol import (
    Closed,
    Died,
    Failed,
    Held,
    Incoming,
    RegistrationFailed,
    Resumed,
    Ringing,
)
from tests.cti.phone.registrar import TestRegistrar
from tests.kit.hearing import until_loudest
from tests.kit.patience import PATIENCE_S
from tests.kit.phone import Phone, tone_levels

BACKENDS = ["baresip", "pjsua2"]
pytestmark = pytest.mark.peer


@pytest.fixture(params=BACKENDS)
async def phone(request: pytest.FixtureRequest) -> AsyncIterator[Phone]:
    async with Phone(request.param) as started:
        yield started


@pytest.fixture
async def registrar() -> AsyncIterator[TestRegistrar]:
    registrar = TestRegistrar("1001", "lab-1001")
    await registrar.start()
    yield registrar
    registrar.stop()


@pytest.mark.parametrize(("caller", "callee"), [("baresip", "pjsua2"), ("pjsua2", "baresip")])
async def test_each_party_hears_the_other_and_only_the_other(caller: str, callee: str) -> None:
    async with Phone(caller, number="+12025550101") as alice, Phone(callee) as bob:
        alice.hum(440)
        bob.hum(1000)
        call = await alice.call(bob.uri, {"X-Interaction-Id": "i-77"})
        ring = await bob.incoming()
        assert ring.headers["X-Interaction-Id"] == "i-77"
        assert ring.from_number == "+12025550101"
        await alice.ringing(call)
        bob.process.answer(ring.call)
        await asyncio.gather(alice.established(call), bob.established(ring.call))
        alice.press(call, "19#")
        assert await bob.digits(ring.call, 3) == "19#"
        await asyncio.gather(
            until_loudest(alice, call, 1000.0), until_loudest(bob, ring.call, 440.0)
        )
        async with asyncio.timeout(
            PATIENCE_S
        ):  # a gap of a busy machine has something of all pitches
            while True:
                theirs, own = tone_levels(await alice.hear(call, 0.6), [1000, 440])
                if theirs > 50 * own:
                    break

        alice.process.hold(call)
        assert (await bob.process.wait_for(Held, PATIENCE_S)).by_far_end
        assert not (await alice.process.wait_for(Held, PATIENCE_S)).by_far_end
        alice.process.resume(call)
        await bob.process.wait_for(Resumed, PATIENCE_S)

        bob.process.hang_up(ring.call)
        assert (await alice.closed(call)).status == 200
        assert (await bob.closed(ring.call)).status == 200


async def test_hold_and_resume_pressed_at_once_both_reach_the_far_end(phone: Phone) -> None:
    async with Phone("pjsua2") as far:
        call = await phone.call(far.uri)
        ring = await far.incoming()
        await phone.ringing(call)
        far.process.answer(ring.call)
        await asyncio.gather(phone.established(call), far.established(ring.call))
        for _ in range(3):
            phone.process.hold(call)
            phone.process.resume(call)
            for side in (far, phone):
                assert (await side.process.wait_for(Held, PATIENCE_S)).by_far_end is (side is far)
                await side.process.wait_for(Resumed, PATIENCE_S)


async def test_a_refused_call_closes_with_the_status(phone: Phone) -> None:
    async with Phone("pjsua2") as busy:
        call = await phone.call(busy.uri)
        ring = await busy.incoming()
        busy.process.reject(ring.call, 603)
        assert (await phone.closed(call)).status == 603


async def test_a_cancelled_call_closes_on_both_sides(phone: Phone) -> None:
    async with Phone("baresip") as callee:
        call = await phone.call(callee.uri)
        ring = await callee.incoming()
        await phone.process.wait_for(Ringing, PATIENCE_S)
        assert (await phone.hang_up(call)).status == 487
        assert (await callee.closed(ring.call)).status == 487


async def test_the_phone_registers_and_gives_the_number_up_at_the_end(
    registrar: TestRegistrar,
) -> None:
    for backend, algorithms in (("baresip", {"SHA-256", "MD5"}), ("pjsua2", {"SHA-256"})):
        registrar.unregistered.clear()
        async with Phone(backend) as phone:
            done = await phone.register_to("127.0.0.1", registrar.port, "1001", "lab-1001")
            assert done.expires_s == 120
            assert registrar.algorithms == algorithms
        async with asyncio.timeout(PATIENCE_S):
            await registrar.unregistered.wait()


async def test_a_wrong_password_is_reported(phone: Phone, registrar: TestRegistrar) -> None:
    with pytest.raises(PermissionError, match="403"):
        await phone.register_to("127.0.0.1", registrar.port, "1001", "wrong")


async def test_a_registrar_that_is_not_there_is_reported_without_ending_the_phone(
    phone: Phone,
) -> None:
    phone.process.register("1001", "lab-1001", "127.0.0.1", 9, transport="tcp")
    failed = await phone.process.wait_for(RegistrationFailed, PATIENCE_S)
    assert failed.reason
    assert phone.process.is_alive


async def test_orders_that_make_no_sense_are_answered(phone: Phone) -> None:
    phone.process.answer("in9")
    failed = await phone.process.wait_for(Failed, PATIENCE_S)
    assert failed.call == "in9"
    assert "no such call" in failed.message
    call = phone.process.dial("1001")
    assert "registrar" in (await phone.process.wait_for(Closed, PATIENCE_S, call=call)).reason


async def test_the_death_of_the_child_is_told_and_another_can_start(phone: Phone) -> None:
    waiting = asyncio.ensure_future(phone.process.wait_for(Incoming, PATIENCE_S))
    await asyncio.sleep(0)
    os.kill(phone.process.pid, signal.SIGABRT)
    with pytest.raises(PhoneUnavailableError, match="-6"):
        await waiting
    assert (await phone.process.wait_for(Died, PATIENCE_S)).exit_code == -signal.SIGABRT
    assert not phone.process.is_alive
    with pytest.raises(PhoneUnavailableError):
        phone.process.dial("sip:1@127.0.0.1")
    async with Phone(phone.backend) as another:
        assert another.process.is_alive


async def test_the_child_ends_when_its_parent_is_gone(phone: Phone) -> None:
    assert phone.process._process.stdin is not None
    phone.process._process.stdin.close()
    assert (await phone.process.wait_for(Died, PATIENCE_S)).exit_code == 0


async def test_garbage_on_the_line_is_refused_and_the_phone_goes_on(phone: Phone) -> None:
    stdin = phone.process._process.stdin
    assert stdin is not None
    for line in (b"hello\n", b'{"t":"dial"}\n', b'{"t":"nonsense"}\n', b"\xff\xfe\n"):
        stdin.write(line)
        assert "not a command" in (await phone.process.wait_for(Failed, PATIENCE_S)).message
    assert phone.process.is_alive


async def test_auto_takes_pjsua2_where_it_is_installed() -> None:
    assert best_backend() == "pjsua2"
    process = await PhoneProcess.start("auto", bind="127.0.0.1")
    assert process.ready is not None
    assert process.ready.backend == "pjsua2"
    await process.stop()
    await process.stop()


async def test_registering_again_replaces_the_registration(
    registrar: TestRegistrar, phone: Phone
) -> None:
    await phone.register_to("127.0.0.1", registrar.port, "1001", "lab-1001", expires_s=60)
    await phone.register_to("127.0.0.1", registrar.port, "1001", "lab-1001", expires_s=90)
    assert registrar.bindings[-1][1] == 90
