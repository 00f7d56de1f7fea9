from __future__ import annotations

import pytest

from cti.phone.addresses import free_port, is_loopback, split_address
from cti.phone.protocol import (
    Dial,
    Register,
    decode_command,
    encode,
)


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        (
            '"Anna \\"A\\" Berg" <sip:+12025550101@example.com;user=phone>;tag=1',
            "+12025550101",
            'Anna "A" Berg',
        ),
        ("Anna <sip:1001@127.0.0.1>", "1001", "Anna"),
        ("sip:1001@127.0.0.1:5060", "1001", ""),
        ("<sip:127.0.0.1>", "127.0.0.1", ""),
        ('"王芳" <sip:1002@example.com>', "1002", "王芳"),
        ("tel:1", "tel:1", ""),
    ],
)
def test_a_from_header_is_split(text: str, number: str, name: str) -> None:
    assert split_address(text) == (number, name)


def test_free_ports_and_loopback() -> None:
    assert 1024 < free_port("127.0.0.1") < 65536
    assert is_loopback("127.0.0.5")
    assert not is_loopback("192.0.2.1")


def test_commands_survive_the_line_and_hide_the_password() -> None:
    dial = Dial(call="out1", target="4001", headers={"X-A": "b"})
    assert decode_command(encode(dial)) == dial
    assert "secret" not in repr(Register(user="1001", password="secret", host="h"))
