"""Where a gateway is commanded: a Unix socket, or TCP with a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_LABEL: Final = r"[0-9A-Za-z-]{1,63}"
_TCP: Final = re.compile(
    rf"tcp://(?P<host>\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?):(?P<port>\d{{1,5}})"
)


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """A gateway on another host, or the address that one listens at."""

    host: str
    port: int
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


Place = Path | TcpPlace


def read_tcp(text: str) -> tuple[str, int]:
    """Host and port of `tcp://192.0.2.7:7000`. Raises ValueError, in words."""
    found = _TCP.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= 65535:
        raise ValueError(f"write tcp://HOST:PORT, as tcp://192.0.2.7:7000, not {text!r}")
    return found["host"].strip("[]"), int(found["port"])
