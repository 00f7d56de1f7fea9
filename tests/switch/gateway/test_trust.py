"""The proof of a shared secret: who knows it, who does not, and every octet that is not as it was sent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.gateway.framing import FramingError
from switch.gateway.place import TcpPlace, read_tcp
from switch.gateway.trust import MOST_OCTETS, AgentProof, GatewayProof, Opener, Sealer

SECRET, OTHER = b"s" * 32, b"t" * 32


def numbers() -> Callable[[int], bytes]:
    """Octets that never come twice."""
    counter = count(1)
    return lambda size: next(counter).to_bytes(size)


def proved(random: Callable[[int], bytes]) -> tuple[AgentProof, GatewayProof]:
    """Both ends, after all is proved."""
    agent, gateway = AgentProof(SECRET, random), GatewayProof(SECRET, random)
    answer = agent.receive(gateway.challenge())
    assert answer is not None
    assert agent.receive(gateway.receive(answer)) is None
    return agent, gateway


def test_who_knows_the_secret_is_believed_and_frames_pass_both_ways() -> None:
    agent, gateway = proved(numbers())
    assert agent.sealer and agent.opener and gateway.sealer and gateway.opener  # noqa: PT018
    for body in (b"hello", b"", b"x" * 10_000):
        assert gateway.opener.open(agent.sealer.seal(body)) == body
        assert agent.opener.open(gateway.sealer.seal(body)) == body
    assert agent.sealer.seal(b"same") != agent.sealer.seal(b"same")


def test_who_does_not_know_the_secret_is_told_nothing() -> None:
    random = numbers()
    agent, gateway = AgentProof(OTHER, random), GatewayProof(SECRET, random)
    answer = agent.receive(gateway.challenge())
    assert answer is not None
    with pytest.raises(FramingError, match="does not know"):
        gateway.receive(answer)
    assert gateway.opener is None
    assert SECRET not in gateway.challenge() + answer


def test_a_gateway_that_does_not_know_the_secret_is_not_commanded() -> None:
    random = numbers()
    agent, false = AgentProof(SECRET, random), GatewayProof(OTHER, random)
    answer = agent.receive(false.challenge())
    assert answer is not None
    for reply in (b"", b"0" * 32, answer[32:], answer):
        with pytest.raises(FramingError, match="does not know"):
            agent.receive(reply)
        assert agent.sealer is None


def test_an_answer_that_was_heard_is_of_no_use_at_the_next_connection() -> None:
    random = numbers()
    agent, gateway = AgentProof(SECRET, random), GatewayProof(SECRET, random)
    heard = agent.receive(gateway.challenge())
    assert heard is not None
    with pytest.raises(FramingError):
        GatewayProof(SECRET, random).receive(heard)


def test_frames_cannot_be_repeated_left_out_turned_back_or_changed() -> None:
    agent, gateway = proved(numbers())
    assert agent.sealer and gateway.opener and agent.opener  # noqa: PT018
    first, second = agent.sealer.seal(b"first"), agent.sealer.seal(b"second")
    for wrong in (second, first[:-1], first + b"x", bytes([first[0] ^ 1]) + first[1:], b"", first):
        opener = Opener(b"k" * 32)
        with pytest.raises(FramingError):
            opener.open(wrong)
    assert gateway.opener.open(first) == b"first"
    with pytest.raises(FramingError):
        gateway.opener.open(first)
    with pytest.raises(FramingError):
        agent.opener.open(second)


def test_each_frame_has_its_own_place() -> None:
    sealer, opener = Sealer(b"k" * 32), Opener(b"k" * 32)
    sealer.seal(b"left out")
    with pytest.raises(FramingError):
        opener.open(sealer.seal(b"next"))


@given(data=st.binary(max_size=2 * MOST_OCTETS))
def test_whatever_is_sent_instead_of_a_proof_is_refused(data: bytes) -> None:
    random = numbers()
    with pytest.raises(FramingError):
        GatewayProof(SECRET, random).receive(data)
    with pytest.raises(FramingError):
        AgentProof(SECRET, random).receive(data)
    agent = AgentProof(SECRET, random)
    agent.receive(GatewayProof(SECRET, random).challenge())
    with pytest.raises(FramingError):
        agent.receive(data)


def test_places_are_read_and_never_show_their_secret() -> None:
    assert read_tcp("tcp://192.0.2.7:7000") == ("192.0.2.7", 7000)
    assert read_tcp("tcp://[2001:db8::7]:7000") == ("2001:db8::7", 7000)
    assert read_tcp("tcp://sound.example.com:7000") == ("sound.example.com", 7000)
    for wrong in (
        "192.0.2.7:7000",
        "tcp://:7000",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://a",
        "tcp://a..b:7000",
        "udp://a:1",
    ):
        with pytest.raises(ValueError, match="tcp://HOST:PORT"):
            read_tcp(wrong)
    place = TcpPlace("2001:db8::7", 7000, SECRET)
    assert str(place) == "tcp://[2001:db8::7]:7000"
    assert "sss" not in repr(place)
