"""What can still be read of Via headers that are broken, so that their sender can be told so.

A request with a malformed Via deserves its 400 or 505 like any other (RFC 4475 sections 3.1.2.1 and
3.1.2.16). The answer needs a Via that is whole: the part that could be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from switch.sip.headers import Via
from switch.sip.uri import HOST, TOKEN

_SENT = re.compile(
    rf"[Ss][Ii][Pp][ \t]*/[ \t]*[0-9]{{1,3}}\.[0-9]{{1,3}}[ \t]*/[ \t]*({TOKEN})[ \t]+({HOST})"
    r"(?:[ \t]*:[ \t]*([0-9]{1,5}))?(?=[ \t]*(?:;|$))"
)
_BRANCH = re.compile(rf";[ \t]*branch[ \t]*=[ \t]*({TOKEN})", re.IGNORECASE)
_RPORT = re.compile(r";[ \t]*rport[ \t]*(?:;|$)", re.IGNORECASE)
_MAX_VIAS = 70
"""More hops than Max-Forwards allows have no claim to an answer."""


def readable_vias(values: Sequence[str]) -> list[Via]:
    """The Vias in order, reduced where they are broken; empty when not every hop can be told.

    Values of nothing but separators are no hops and are left out.
    """
    vias = []
    for value in values[:_MAX_VIAS]:
        if value.strip("; \t"):
            via = _readable(value)
            if via is None:
                return []
            vias.append(via)
    return vias if len(values) <= _MAX_VIAS else []


def _readable(value: str) -> Via | None:
    try:
        return Via.parse(value)
    except ValueError:
        pass
    found = _SENT.match(value)
    if found is None:
        return None
    transport, host, port_text = found.groups()
    port = int(port_text) if port_text else None
    if port is not None and not 0 < port < 65536:
        return None
    params: dict[str, str | None] = {}
    branch = _BRANCH.search(value, found.end())
    if branch is not None:
        params["branch"] = branch[1]
    if _RPORT.search(value, found.end()):
        params["rport"] = None
    return Via(transport.upper(), host, port, params)
