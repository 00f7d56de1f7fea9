"""Connectivity checks, against the STUN of another stack (aioice) and against nonsense."""

from __future__ import annotations

import os
from typing import Any

import pytest
from aioice import stun

from switch.srtp.stun import Credentials, take_check

OURS = Credentials("us:them", b"a-password-of-ours-22-c")
SOURCE = ("192.0.2.7", 40000)


def check(
    *, username: str = OURS.username, password: bytes = OURS.password, **attributes: object
) -> bytes:
    message = stun.Message(
        message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST,
        transaction_id=os.urandom(12),
    )  # fmt: skip
    if username:
        message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1845501695
    message.attributes.update({"ICE-CONTROLLING": 7} | attributes)
    if password:
        message.add_message_integrity(password)
    message.add_fingerprint()
    return bytes(message)


def read(answer: bytes, key: bytes | None = OURS.password) -> stun.Message:
    message = stun.parse_message(answer)
    assert key is None or message.check_message_integrity(key)
    return message


@pytest.mark.parametrize("source", [SOURCE, ("2001:db8::7", 40000)])
def test_a_check_is_answered_with_where_it_came_from(source: tuple[str, int]) -> None:
    data = check()
    found = take_check(data, source, OURS)
    answer = read(found.answer)
    assert answer.message_class is stun.Class.RESPONSE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == source
    assert answer.transaction_id == stun.parse_message(data).transaction_id
    assert found.is_authentic
    assert not found.nominates


def test_a_check_may_nominate() -> None:
    nominating: dict[str, Any] = {"USE-CANDIDATE": None}
    found = take_check(check(**nominating), SOURCE, OURS)
    assert found.is_authentic
    assert found.nominates


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": b"another"}, 401),
        ({"username": "us:somebody"}, 401),
        ({"username": "us"}, 401),
        ({"username": ""}, 400),
        ({"password": b""}, 400),
        ({"REALM": "example.com"}, 420),
    ],
)
def test_who_does_not_know_is_told_so(changes: dict[str, Any], status: int) -> None:
    data = check(**changes)
    found = take_check(data, SOURCE, OURS)
    assert not found.is_authentic
    assert len(found.answer) <= len(data), "nobody can use us against others"
    answer = read(found.answer, OURS.password if status == 420 else None)
    assert answer.attributes["ERROR-CODE"][0] == status


def test_what_is_not_understood_is_named() -> None:
    unknown: dict[str, Any] = {"REALM": "example.com", "NONCE": b"n"}
    answer = take_check(check(**unknown), SOURCE, OURS).answer
    found = answer.index(bytes.fromhex("000a0004"))  # UNKNOWN-ATTRIBUTES (RFC 8489 section 14.9)
    assert sorted((answer[found + 4 : found + 6], answer[found + 6 : found + 8])) == [
        bytes.fromhex("0014"), bytes.fromhex("0015"),
    ]  # fmt: skip


def test_two_who_would_be_controlled_are_in_conflict() -> None:
    controlled: dict[str, Any] = {"ICE-CONTROLLED": 9}
    message = check(**controlled)
    answer = read(take_check(message, SOURCE, OURS).answer)
    assert answer.attributes["ERROR-CODE"][0] == 487


def test_what_is_no_check_is_not_answered() -> None:
    right = check()
    wrong_sum = right[:-1] + bytes([right[-1] ^ 1])
    indication = bytes([0x00, 0x11]) + right[2:]
    response = bytes([0x01, 0x01]) + right[2:]
    for data in (
        b"", b"\0", right[:19], right[:20], right[:-4], right + bytes(4), wrong_sum, indication,
        response, bytes(20), right[:4] + bytes(4) + right[8:], right[:2] + b"\xff\xff" + right[4:],
        b"\x80" + right[1:], right[:2] + b"\0\0" + right[4:20],
    ):  # fmt: skip
        found = take_check(data, SOURCE, OURS)
        assert not found.is_authentic
        assert len(found.answer) <= len(data)
    assert take_check(right, SOURCE, OURS).is_authentic


def test_what_stands_behind_the_integrity_does_not_count() -> None:
    """Else anybody on the way could nominate."""
    message = stun.parse_message(check())
    del message.attributes["FINGERPRINT"]
    message.attributes["USE-CANDIDATE"] = None
    message.add_fingerprint()
    found = take_check(bytes(message), SOURCE, OURS)
    assert found.is_authentic
    assert not found.nominates
