"""Linphone's console phone: registers, calls the echo test, plays a tone and records what comes back."""

from __future__ import annotations

import asyncio
import tempfile
import wave
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from tests.interop.outcome import Scenario
from tests.interop.programs import finish
from tests.kit.lab import Lab
from tests.kit.phone import loudest_tone

_PITCH: Final = 700.0
_RATE: Final = 8000
_WITHIN_S: Final = 40.0


_SETTINGS: Final = """[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
verify_server_certs=0
verify_server_cn=0
default_proxy=0
[net]
firewall_policy=0
[sound]
echocancellation=0
[auth_info_0]
username=1006
passwd=lab-1006
realm=switchroom
domain={host}
[proxy_0]
reg_proxy=<{proxy}>
reg_identity=sip:1006@{host}
reg_expires=600
reg_sendregister=1
"""


async def _echo(lab: Lab, *, transport: str) -> str:
    port = lab.tls_port if transport == "tls" else lab.sip_port
    with tempfile.TemporaryDirectory(prefix="linphone-") as name:
        folder = Path(name)
        _write_tone(folder / "hum.wav")
        heard = folder / "heard.wav"
        (folder / ".local/share/linphone").mkdir(parents=True)  # without it no account works
        proxy = f"sip:{lab.host}:{port};transport={transport}"
        (folder / "linphonerc").write_text(_SETTINGS.format(proxy=proxy, host=lab.host))
        try:
            await _say(folder, "init", "-c", str(folder / "linphonerc"))
            await _tell(folder, "soundcard use files")
            await lab.agent_is("1006", "available", 20.0)
            await _tell(folder, f"call sip:4002@{lab.host}:{port};transport={transport}")
            await _tell(folder, f"play {folder / 'hum.wav'}")
            await _tell(folder, f"record {heard}")
            pitch = await _loudest(heard)
            await _tell(folder, "terminate")
        finally:
            await _say(folder, "exit")
        assert abs(pitch - _PITCH) < 10, f"{pitch:.0f} Hz came back"
    await lab.is_quiet()
    return f"registered; {pitch:.0f} Hz came back"


async def _loudest(path: Path) -> float:
    """The loudest pitch of the last second, once there are three of them."""
    async with asyncio.timeout(_WITHIN_S):
        while not path.is_file() or path.stat().st_size < 3 * 2 * _RATE:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    octets = path.read_bytes()
    rate = int.from_bytes(octets[24:28], "little")
    pcm = np.frombuffer(octets[44 : len(octets) // 2 * 2], dtype="<i2")[-rate:]
    return (loudest_tone(pcm) or 0.0) * rate / _RATE


async def _tell(folder: Path, line: str) -> None:
    """A line as one would type it at the phone's prompt."""
    await _say(folder, "generic", line)


async def _say(folder: Path, *words: str) -> None:
    """A command to the phone, which is a process of its own that `init` starts and `exit` ends."""
    await finish("linphonecsh", *words, folder=folder, within_s=_WITHIN_S)


def _write_tone(path: Path) -> None:
    times = np.arange(30 * _RATE) / _RATE
    pcm = (8000 * np.sin(2 * np.pi * _PITCH * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pcm.tobytes())


SCENARIOS: Final = tuple(
    Scenario(
        f"a phone over {transport.upper()} calls the echo test",
        "linphonecsh",
        "linphone-cli",
        partial(_echo, transport=transport),
    )
    for transport in ("udp", "tcp", "tls")
)
