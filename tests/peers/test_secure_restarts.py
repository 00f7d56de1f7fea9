"""The call agent is killed under calls over TLS and WebSocket: phones come back, and the calls go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone
from tests.kit.secure_talk import SecureTalk, srtp_of
from tests.peers.test_call_agent_restarts import TOLERATED

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.mark.parametrize("transport", ["tls", "wss"])
async def test_a_phone_that_comes_back_by_another_connection_goes_on_with_its_call(
    tmp_path: Path, transport: str
) -> None:
    trusted = tmp_path / "data" / "tls" / "ca.pem"
    config = edited(tmp_path, realm='"switchroom"\nleast_expires_s = 10')  # it comes back soon
    async with (
        Lab(tmp_path, config=config, secure=True, tolerates=TOLERATED) as lab,
        Phone("baresip", number="+12025550118") as caller,
        Phone("baresip", ca_file=trusted, srtp=srtp_of(transport)) as agent,
    ):
        talk = SecureTalk(lab, caller, agent, transport)
        await talk.begin(expires_s=10)
        await lab.restart()
        await talk.is_heard()

        async def is_back() -> bool:
            return bool((await lab.status())["sip"].get("register_200"))

        await lab.until(is_back, message="the phone did not register again")
        await talk.end()
