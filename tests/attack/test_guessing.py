"""Guessed passwords, replayed credentials, and calls out that their caller may not make."""

from __future__ import annotations

import re
import socket
import statistics
import time

import pytest

from tests.attack.floods import bans
from tests.kit.lab import Lab
from tests.kit.patience import PATIENCE_S
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

OUTSIDE = "+12025550199"


async def register(phone: RawSip, *headers: str, timeout_s: float = PATIENCE_S) -> str:
    phone.send(phone.request("REGISTER", "", "Expires: 60", *headers))
    return await phone.final(timeout_s)


async def guess(
    phone: RawSip, password: str, *, timeout_s: float = PATIENCE_S
) -> tuple[str, float]:
    """The answer to a password, and how long it took."""
    challenge = await register(phone, timeout_s=timeout_s)
    proof = phone.authorization(challenge, "REGISTER", password)
    began = time.perf_counter()
    answer = await register(phone, proof, timeout_s=timeout_s)
    return answer, time.perf_counter() - began


def words(answer: str) -> list[str]:
    """What stays of an answer without what belongs to the question."""
    own = re.compile(r"^(Via|From|To|Call-ID|CSeq): .*$")
    return [own.sub(r"\1", line) for line in answer.split("\r\n")]


async def test_unknown_users_and_wrong_passwords_look_alike_in_words_and_time(lab: Lab) -> None:
    texts: set[tuple[str, ...]] = set()
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(40):
        for exists in (
            number % 2 == 0,
            number % 2 == 1,
        ):  # by turns: who comes second finds all awake
            user = str((1011 if exists else 7011) + number % 20)
            async with RawSip(lab.host, lab.sip_port, user=user) as phone:
                answer, took = await guess(phone, "wrong")
                texts.add(tuple(words(answer)))
                times[exists].append(took)
    assert len(texts) == 1
    assert "403 Forbidden" in next(iter(texts))[0]
    # The quickest tenth of each: what other work of the machine held up says nothing of the server.
    known, unknown = (statistics.quantiles(times[exists], n=10)[0] for exists in (True, False))
    assert 0.5 < known / unknown < 2.0


async def test_names_of_phones_do_not_show_in_calls_either(lab: Lab) -> None:
    texts = set()
    for user in ("1035", "7035"):
        async with RawSip(lab.host, lab.sip_port, user=user, local="127.0.0.30") as phone:
            body = sdp(phone.host, 40_000)
            phone.send(phone.invite("4000", body))
            challenge = await phone.final()
            assert status(challenge) == 401
            phone.acknowledge("4000", challenge)
            proof = phone.authorization(challenge, "INVITE", "wrong", number="4000")
            phone.send(phone.invite("4000", body, "application/sdp", proof))
            answer = await phone.final()
            phone.acknowledge("4000", answer)
            texts.add(tuple(words(answer)))
    assert len(texts) == 1


async def test_guessing_is_slowed_down_and_then_shut_out(lab: Lab) -> None:
    source = "127.0.0.31"
    answers = []
    async with RawSip(lab.host, lab.sip_port, user="1036", local=source) as phone:
        for number in range(60):
            try:
                answer, _ = await guess(phone, f"guess-{number}", timeout_s=3.0)
            except TimeoutError:
                break
            answers.append(status(answer))
            if answers[-1] == 500:
                assert re.search(r"\r\nRetry-After: [1-9]", answer)
    assert answers[:5] == [403] * 5
    assert 500 in answers
    assert (await bans(lab))[source]["reason"] in ("wrong-password", "guessing-on")
    # Whoever has the right password is served, from anywhere else.
    async with RawSip(lab.host, lab.sip_port, user="1036", local="127.0.0.32") as phone:
        assert status((await guess(phone, "lab-1036"))[0]) == 200
    counters = (await lab.status())["guard"]
    assert counters["passwords_put_off"] > 0


async def test_credentials_that_were_used_are_of_no_use_to_others(lab: Lab) -> None:
    async with (
        RawSip(lab.host, lab.sip_port, user="1037", local="127.0.0.33") as phone,
        RawSip(lab.host, lab.sip_port, user="1037", local="127.0.0.34") as thief,
    ):
        challenge = await register(phone)
        proof = phone.authorization(challenge, "REGISTER", "lab-1037")
        assert status(await register(phone, proof)) == 200
        for robbed in (phone, thief):  # from the same address, and from another
            answer = await register(robbed, proof)
            assert (status(answer), "stale=true" in answer) == (401, True)
        unused = phone.authorization(challenge, "REGISTER", "lab-1037", count=2)
        assert status(await register(thief, unused)) == 401
        assert status(await register(phone, unused)) == 200


async def test_schemes_that_are_not_known_get_a_challenge(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port, user="1038", local="127.0.0.35") as phone:
        for scheme in ("Basic dXNlcjpwdw==", "NoOneKnows opaque-data=here"):
            answer = await register(phone, f"Authorization: {scheme}")
            assert status(answer) == 401
            assert "\r\nWWW-Authenticate: Digest" in answer


async def calls_out(lab: Lab, phone: RawSip, password: str = "") -> int:
    """Dial a number outside; the final status."""
    body = sdp(phone.host, 40_000)
    phone.send(phone.invite(OUTSIDE, body))
    answer = await phone.final()
    phone.acknowledge(OUTSIDE, answer)
    if password and status(answer) == 401:
        proof = phone.authorization(answer, "INVITE", password, number=OUTSIDE)
        phone.send(phone.invite(OUTSIDE, body, "application/sdp", proof))
        answer = await phone.final()
        phone.acknowledge(OUTSIDE, answer)
    return status(answer)


async def test_no_call_leaves_whose_caller_may_not_make_it(lab: Lab) -> None:
    refused = (await lab.status())["refused"].get("not-allowed", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind((lab.host, lab.out_port))
        carrier.setblocking(False)
        # A phone without the right, a caller of the trunk, a stranger, and one that only says
        # that it is a phone with the right.
        async with RawSip(lab.host, lab.sip_port, user="1011", local="127.0.0.36") as phone:
            assert await calls_out(lab, phone, "lab-1011") == 403
        async with RawSip(lab.host, lab.sip_port) as caller:
            assert await calls_out(lab, caller) == 403
        async with RawSip(lab.host, lab.sip_port, local="127.0.0.37") as stranger:
            assert await calls_out(lab, stranger) == 401
        async with RawSip(lab.host, lab.sip_port, user="1001", local="127.0.0.37") as liar:
            assert await calls_out(lab, liar, "lab-1011") == 403
        with pytest.raises(BlockingIOError):
            carrier.recv(65_536)
        # And one that may: the carrier hears of it.
        async with RawSip(lab.host, lab.sip_port, user="1001", local="127.0.0.38") as phone:
            body = sdp(phone.host, 40_000)
            phone.send(phone.invite(OUTSIDE, body))
            challenge = await phone.final()
            phone.acknowledge(OUTSIDE, challenge)
            proof = phone.authorization(challenge, "INVITE", "lab-1001", number=OUTSIDE)
            phone.send(phone.invite(OUTSIDE, body, "application/sdp", proof))
            carrier.setblocking(True)
            carrier.settimeout(PATIENCE_S)
            asked, server = carrier.recvfrom(65_536)
            assert asked.startswith(f"INVITE sip:{OUTSIDE}@".encode())
            head = asked.decode().split("\r\n")
            kept = [line for line in head if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
            kept = [f"{line};tag=c" if line.startswith("To:") else line for line in kept]
            busy = "\r\n".join(["SIP/2.0 486 Busy Here", *kept, "Content-Length: 0", "", ""])
            carrier.sendto(busy.encode(), server)
            answer = await phone.final()
            assert status(answer) == 486
            phone.acknowledge(OUTSIDE, answer)
    assert (await lab.status())["refused"]["not-allowed"] == refused + 2


async def test_registered_phones_are_known_again_after_a_crash(lab: Lab) -> None:
    """Last of the file. Of a stranger little more than two hundred messages would get through."""
    async with RawSip(lab.host, lab.sip_port, user="1039", local="127.0.0.39") as phone:
        assert status((await guess(phone, "lab-1039"))[0]) == 200
        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        await lab.start()
        for _ in range(300):
            phone.send(phone.request("OPTIONS"))
            assert status(await phone.final()) == 200
    assert (await lab.status())["guard"]["dropped_source"] == 0
