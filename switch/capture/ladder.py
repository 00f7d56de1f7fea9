"""Messages of a call drawn as a ladder: one column for each peer, one for the switch.

127.0.0.1:40001 UDP             switchroom              127.0.0.1:7001 UDP
        |                           |                           |
  0.000 |---------- INVITE -------->|                           |
  0.002 |                           |---------- INVITE -------->|
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from switch.capture.masking import readable
from switch.capture.octets import call_id
from switch.capture.trace import Entry

_US: Final = "switchroom"
_LEAST: Final = 28
"""Characters between two columns."""
_TIME: Final = 10
_MOST_COLUMNS: Final = 12
_CSEQ: Final = re.compile(rb"(?im)^cseq[ \t]*:[ \t]*\d+[ \t]+(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One message as it is drawn."""

    after_s: float
    """Since the first one."""
    peer: str
    """Address and transport of the other side."""
    is_out: bool
    words: str
    """The method, or status and phrase with the method it answers."""
    call_id: str
    octets: int
    text: str
    """The whole message without secrets."""


def rungs_of(entries: Sequence[Entry]) -> list[Rung]:
    """The messages in words; they are in the order in which they passed."""
    start = entries[0].at if entries else 0.0
    return [
        Rung(
            after_s=entry.at - start,
            peer=_peer(entry),
            is_out=entry.is_out,
            words=words_of(entry.data),
            call_id=call_id(entry.data).decode(errors="replace"),
            octets=len(entry.data),
            text=readable(entry.data),
        )
        for entry in entries
    ]


def words_of(data: bytes) -> str:
    """What stands on the arrow."""
    line = readable(data.lstrip(b"\r\n")[:200]).partition("\n")[0]
    first, _, rest = line.partition(" ")
    if first != "SIP/2.0":
        has_sdp = " (SDP)" if b"\r\n\r\nv=0" in data else ""
        return f"{first[:24]}{has_sdp}"
    method = _CSEQ.search(data)
    of = f" ({method[1].decode()})" if method is not None else ""
    return rest[:40] + of


def draw(rungs: Sequence[Rung], names: Mapping[str, str]) -> str:
    """The ladder as text; `names` calls peers by something better than their address."""
    columns = _columns(rungs)
    titles = [names.get(column, column) for column in columns]
    width = max([_LEAST, *(len(title) + 4 for title in titles)])
    width = max([width, *(len(rung.words) + 8 for rung in rungs)])
    pad = " " * _TIME
    lines = [pad + "".join(title.center(width) for title in titles).rstrip()]
    if any(title != column for title, column in zip(titles, columns, strict=True)):
        lines.append(pad + "".join(column.center(width) for column in columns).rstrip())
    bare = _bars(len(columns), width)
    lines.append(pad + "".join(bare).rstrip())
    here = columns.index(_US)
    for rung in rungs:
        there = columns.index(rung.peer) if rung.peer in columns else len(columns) - 1
        row = list(_bars(len(columns), width))
        left, right = sorted((here, there))
        goes_right = rung.is_out == (there > here)
        text = "".join(row)
        a, b = left * width + width // 2 + 1, right * width + width // 2
        shaft = f" {rung.words} ".center(b - a - 1, "-")
        arrow = f"{shaft}>" if goes_right else f"<{shaft}"
        lines.append(f"{rung.after_s:>{_TIME - 1}.3f} {text[:a]}{arrow}{text[b:]}".rstrip())
    return "\n".join(lines) + "\n"


def mermaid(rungs: Sequence[Rung], names: Mapping[str, str]) -> str:
    """The ladder as a sequence diagram in the notation of Mermaid."""
    columns = _columns(rungs)
    lines = ["sequenceDiagram"]
    for number, column in enumerate(columns):
        title = re.sub(r"[;#<>\n]", " ", names.get(column, column))
        lines.append(f"    participant P{number} as {title}")
    here = columns.index(_US)
    for rung in rungs:
        there = columns.index(rung.peer) if rung.peer in columns else len(columns) - 1
        a, b = (here, there) if rung.is_out else (there, here)
        words = re.sub(r"[;#<>\n]", " ", rung.words)
        lines.append(f"    P{a}->>P{b}: {words} (+{rung.after_s:.3f} s)")
    return "\n".join(lines) + "\n"


def _columns(rungs: Sequence[Rung]) -> list[str]:
    """The first peer, the switch, the other peers in the order in which they came up."""
    peers = list(dict.fromkeys(rung.peer for rung in rungs))[:_MOST_COLUMNS]
    return [*peers[:1], _US, *peers[1:]]


def _bars(columns: int, width: int) -> list[str]:
    return [" " * (width // 2) + "|" + " " * (width - width // 2 - 1) for _ in range(columns)]


def _peer(entry: Entry) -> str:
    host, port = entry.flow.remote
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port} {entry.flow.transport}"
