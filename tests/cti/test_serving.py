"""A server that cannot work does not start, and says which key is to blame."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cti.paths import shipped
from cti.serving import serve_until_signal
from cti.settings import load
from tests.kit.ports import free_port, rtp_ports


async def test_media_at_an_address_that_is_not_ours_keeps_it_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replace = msgspec.structs.replace
    settings = load(shipped("lab.toml"))
    settings = replace(
        settings,
        data=replace(settings.data, folder=str(tmp_path)),
        media=replace(settings.media, address="192.0.2.1", ports=rtp_ports()),
        sip=replace(settings.sip, port=free_port(), tls_port=0, ws_port=0, wss_port=0),
        api=replace(settings.api, port=free_port()),
    )
    assert await serve_until_signal(settings) == 1
    assert "cannot start: media.address: 192.0.2.1: " in caplog.text
    assert "set it to an address of this machine" in caplog.text
