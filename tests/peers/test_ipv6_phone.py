"""A phone over IPv6, signalling and sound, beside the IPv4 of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.hearing import until_loudest
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def on_ipv6(folder: Path) -> Path:
    """The lab with SIP at ::1 and 127.0.0.1, and sound at ::1."""
    text = (ROOT / "config/lab.toml").read_text()
    for section, old, new in (
        ("[sip]\n", 'host = "127.0.0.1"\n', 'host = "::1"\nmore_hosts = ["127.0.0.1"]\n'),
        ("[media]\n", 'address = "127.0.0.1"\n', 'address = "::1"\n'),
    ):
        assert section + old in text
        text = text.replace(section + old, section + new)
    path = folder / "ipv6.toml"
    path.write_text(text.replace('exempt = ["127.0.0.1"]', 'exempt = ["127.0.0.1", "::1"]'))
    return path


async def test_two_phones_over_ipv6_hear_each_other_and_one_over_ipv4_registers(
    tmp_path: Path,
) -> None:
    async with (
        Lab(tmp_path, config=on_ipv6(tmp_path)) as lab,
        Phone("baresip", bind="::1") as one,
        Phone("baresip", bind="::1") as other,
        Phone("baresip") as third,
    ):
        await one.register_to("::1", lab.sip_port, "1008", "lab-1008")
        await other.register_to("::1", lab.sip_port, "1009", "lab-1009", transport="tcp")
        await third.register_to(lab.host, lab.sip_port, "1010", "lab-1010")
        call = await one.call("1009")
        ring = await other.answer_next()
        await one.established(call)
        one.hum(1000.0)
        await until_loudest(other, ring.call, 1000.0)
        await other.hang_up(ring.call)
        await one.closed(call)
