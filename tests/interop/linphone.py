"""Linphone's console phone: registers, calls and is called; its sound is one file, what it hears another."""

from __future__ import annotations

import asyncio
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from tests.interop.outcome import Scenario
from tests.interop.programs import running
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, HEARD, hears, listen
from tests.kit.lab import Lab
from tests.kit.phone import Phone, loudest_tone, tone_levels

_NUMBER: Final = "1006"
_RATE: Final = 8000
_RATES: Final = (8000, 16000, 48000)
"""It records at the rate of the codec."""
_HEAD: Final = 44
_WITHIN_S: Final = 30.0
_SETTINGS: Final = """[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
root_ca={authority}
verify_server_certs=1
verify_server_cn=0
media_encryption={encryption}
default_proxy=0
[net]
firewall_policy=0
[sound]
echocancellation=0
[auth_info_0]
username={number}
passwd=lab-{number}
realm=switchroom
domain={host}
[proxy_0]
reg_proxy=<{proxy}>
reg_identity=sip:{number}@{host}
reg_expires=600
reg_sendregister=1
"""


class Linphone:
    """One `linphonec` in a folder of its own, told what to do as one would type it."""

    def __init__(self, folder: Path, program: asyncio.subprocess.Process) -> None:
        self._folder = folder
        self._program = program

    async def tell(self, line: str) -> None:
        """Type a line."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{line}\n".encode())
        await self._program.stdin.drain()

    async def says(self, words: str, times: int = 1) -> None:
        """Wait until it has said this so often."""
        log = self._folder / "linphonec.log"
        try:
            async with asyncio.timeout(_WITHIN_S):
                while log.read_text(errors="replace").count(words) < times:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            said = log.read_text(errors="replace")[-1500:]
            raise AssertionError(f"Linphone never said {words!r}:\n{said}") from None

    async def hears(self, pitch: float) -> None:
        """Wait until the last half a second of its record is this tone."""
        found: list[float | None] = []
        try:
            async with asyncio.timeout(_WITHIN_S):
                while not any(hz is not None and abs(hz - pitch) < 10 for hz in found):
                    await asyncio.sleep(0.3)
                    found = [self._loudest(rate) for rate in _RATES]
        except TimeoutError:
            raise AssertionError(f"Linphone does not hear {pitch:.0f} Hz: {found}") from None

    def _loudest(self, rate: int) -> float | None:
        """The loudest pitch, were this the rate: the head of the file is written in the end."""
        path = self._folder / "heard.wav"
        octets = path.read_bytes()[_HEAD:] if path.is_file() else b""
        pcm = np.frombuffer(octets[: len(octets) // 2 * 2], dtype="<i2")[-rate // 2 :]
        return loudest_tone(pcm, rate, quietest=HEARD)


@asynccontextmanager
async def linphone(lab: Lab, transport: str) -> AsyncIterator[Linphone]:
    """A registered one; over TLS it trusts the lab's authority and nobody else, and encrypts its sound."""
    port = lab.tls_port if transport == "tls" else lab.sip_port
    with tempfile.TemporaryDirectory(prefix="linphone-") as name:
        folder = Path(name)
        (folder / ".local/share/linphone").mkdir(parents=True)  # without it no account works
        settings = folder / "linphonerc"
        settings.write_text(
            _SETTINGS.format(
                number=_NUMBER,
                host=lab.host,
                proxy=f"sip:{lab.host}:{port};transport={transport}",
                authority=lab.data / "tls" / "ca.pem",
                encryption="srtp" if transport == "tls" else "none",
            )
        )
        _write_tone(folder / "hum.wav")
        async with running("linphonec", "-c", str(settings), folder=folder) as program:
            phone = Linphone(folder, program)
            await phone.tell("soundcard use files")
            await phone.tell(f"play {folder / 'hum.wav'}")
            await phone.tell(f"record {folder / 'heard.wav'}")
            await lab.agent_is(_NUMBER, "available")
            yield phone
            await phone.tell("quit")


async def _in_the_menu(lab: Lab, *, transport: str) -> str:
    async with linphone(lab, transport) as phone:
        await phone.tell(f"call sip:4000@{lab.host}")
        await phone.says("connected.")
        await asyncio.sleep(2.0)  # the menu begins
        await phone.tell("9")
        await phone.hears(CALLER_HZ)
        await phone.tell("terminate")
        await phone.says(" ended ")
        await lab.is_quiet()
    return "registered; pressed 9 in the menu, heard itself, hung up"


async def _is_called(lab: Lab) -> str:
    async with linphone(lab, "udp") as phone, Phone("baresip") as other:
        await other.register_to(lab.host, lab.sip_port, "1001", "lab-1001", timeout_s=15.0)
        other.hum(AGENT_HZ)
        call = await other.call(f"sip:{_NUMBER}@{lab.host}:{lab.sip_port}")
        await phone.says("Receiving new incoming call")
        await phone.tell("answer")
        await other.established(call)
        await phone.says("connected.")
        hears(await listen(other, call), CALLER_HZ)
        await phone.hears(AGENT_HZ)
        await phone.tell("pause")
        await phone.says("is now paused")
        [level] = tone_levels(await listen(other, call), [CALLER_HZ])
        assert level < 500, f"on hold the other still hears Linphone: {level:.0f}"
        await phone.tell("resume")
        await phone.says("Media streams established", 2)
        hears(await listen(other, call), CALLER_HZ)
        await other.hang_up(call)
        await phone.says(" ended ")
        await lab.is_quiet()
    return "answered, heard both ways, held, resumed; the other hung up"


def _write_tone(path: Path) -> None:
    times = np.arange(30 * _RATE) / _RATE
    pcm = (8000 * np.sin(2 * np.pi * CALLER_HZ * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pcm.tobytes())


SCENARIOS: Final = (
    *(
        Scenario(
            f"a phone over {transport.upper()} in the menu",
            "linphonec",
            "linphone-cli",
            partial(_in_the_menu, transport=transport),
        )
        for transport in ("udp", "tcp", "tls")
    ),
    Scenario("a phone is called", "linphonec", "linphone-cli", _is_called),
)
