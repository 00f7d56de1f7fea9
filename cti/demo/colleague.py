"""A simulated colleague: a real SIP phone of another agent, which answers whoever calls it.

Somebody to consult, to transfer to and to make a conference with, for whoever tries the desk alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

from cti.local_server import LocalServer
from cti.phone.client import PhoneProcess, PhoneUnavailableError
from cti.phone.protocol import Event, Incoming

log = logging.getLogger(__name__)

NUMBER: Final = "1026"
"""An agent of the lab's queue for support: callers who want sales are left to whoever tries the desk."""
_HUMS_HZ: Final = 330.0
_RINGS_S: Final = 2.0


@contextlib.asynccontextmanager
async def colleague(server: LocalServer, number: str = NUMBER) -> AsyncIterator[None]:
    """Somebody is at this number's phone, and hums; without a user agent nobody is."""
    try:
        phone = await PhoneProcess.start("baresip", bind=server.host, number=number)
    except PhoneUnavailableError as error:
        log.warning("there is no colleague: %s", error)
        yield
        return
    try:
        phone.listen(lambda event: _answer(phone, event))
        phone.tone(_HUMS_HZ)
        phone.register(number, f"lab-{number}", server.host, server.sip_port)
        yield
    finally:
        await phone.stop()


def _answer(phone: PhoneProcess, event: Event) -> None:
    if isinstance(event, Incoming):
        asyncio.get_running_loop().call_later(_RINGS_S, _pick_up, phone, event.call)


def _pick_up(phone: PhoneProcess, call: str) -> None:
    with contextlib.suppress(PhoneUnavailableError):
        phone.answer(call)
