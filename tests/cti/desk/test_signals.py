"""Desk and wallboard are told to end by a signal, in a real terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator

import pytest

from cti.schema import PhoneCredentials, Role
from tests.cti.desk.fake_server import FakeServer
from tests.cti.phone.registrar import TestRegistrar
from tests.kit.patience import PATIENCE_S

_LEAVES_ALTERNATE_SCREEN = b"\x1b[?1049l"


class Terminal:
    """A program on a pseudo-terminal of 80 columns and 24 rows."""

    def __init__(self) -> None:
        self.output = b""
        self._changed = asyncio.Event()
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._modes = termios.tcgetattr(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    async def run(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command of the product."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.cli.main",
            *arguments,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    @property
    def is_restored(self) -> bool:
        """Whether lines are edited and echoed as before."""
        return termios.tcgetattr(self._slave) == self._modes

    async def sees(self, text: bytes, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the program has written this."""
        async with asyncio.timeout(timeout_s):
            while text not in self.output:
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        """Take the terminal away."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = -1

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self.output += os.read(self._master, 65536)
        self._changed.set()


@pytest.fixture
async def terminal() -> AsyncIterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.peer
async def test_a_desk_that_is_terminated_ends_its_phone_and_signs_off(
    server: FakeServer, terminal: Terminal, tmp_path: os.PathLike[str]
) -> None:
    registrar = TestRegistrar("1001", "one-time")
    await registrar.start()
    server.phone = PhoneCredentials(
        number="1001",
        sip_host="127.0.0.1",
        sip_port=registrar.port,
        transport="udp",
        realm="switchroom",
        one_time_secret="one-time",
    )
    password = _password(tmp_path)
    desk = await terminal.run(
        *("desk", "--server", server.url, "--login", "1001", "--password-file", password),
        *("--phone", "baresip", "--no-audio"),
    )
    await terminal.sees(b"phone ready")
    desk.send_signal(signal.SIGTERM)
    await server.wait_for("sign-off")
    assert await asyncio.wait_for(desk.wait(), PATIENCE_S) == 0
    await terminal.sees(_LEAVES_ALTERNATE_SCREEN)
    assert terminal.is_restored
    assert registrar.bindings[-1][1] == 0  # unregistered, so the phone ended in peace
    registrar.stop()


async def test_a_wallboard_whose_terminal_hangs_up_ends(
    server: FakeServer, terminal: Terminal, tmp_path: os.PathLike[str]
) -> None:
    server.role = Role.SUPERVISOR
    password = _password(tmp_path)
    board = await terminal.run(
        "wallboard", "--server", server.url, "--login", "super", "--password-file", password
    )
    await terminal.sees(b"Mia Berg")
    board.send_signal(signal.SIGHUP)
    assert await asyncio.wait_for(board.wait(), PATIENCE_S) == 0
    await terminal.sees(_LEAVES_ALTERNATE_SCREEN)
    assert terminal.is_restored


async def test_a_desk_whose_terminal_is_gone_signs_off_and_ends(
    server: FakeServer, terminal: Terminal, tmp_path: os.PathLike[str]
) -> None:
    desk = await terminal.run(
        *("desk", "--server", server.url, "--login", "1001"),
        *("--password-file", _password(tmp_path), "--phone", "external"),
    )
    await terminal.sees(b"Mia Berg")
    terminal.close()
    desk.send_signal(signal.SIGHUP)
    await server.wait_for("sign-off")
    assert await asyncio.wait_for(desk.wait(), PATIENCE_S) == 128 + signal.SIGHUP


def _password(folder: os.PathLike[str]) -> str:
    path = os.path.join(folder, "password")
    with open(path, "w", encoding="utf-8") as file:
        file.write("desk-1001\n")
    return path
