"""Which addresses a stranger may make us connect to."""

from __future__ import annotations

import pytest

from cti.outside import is_outside


@pytest.mark.parametrize(
    "address",
    ["192.0.3.1", "8.9.10.11", "2a00::1", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"],
)
def test_public_addresses_are_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "198.18.0.1",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::1",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2a00::1%eth0",
        "fec0::1",
        "ff02::1",
        "localhost",
        "",
        "0x7f000001",
    ],
)
def test_what_is_ours_or_our_neighbours_is_not(address: str) -> None:
    assert not is_outside(address)
