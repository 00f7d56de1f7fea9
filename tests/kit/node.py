"""A whole node of the shipped lab within the test's own process: for what cannot be seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from cti.app import Node
from cti.paths import shipped
from cti.settings import Settings, load
from tests.kit.blank_store import lay_blank_store
from tests.kit.ports import free_port, rtp_ports


@contextlib.asynccontextmanager
async def running_node(
    folder: Path, change: Callable[[Settings], Settings] = lambda settings: settings
) -> AsyncIterator[Node]:
    """Start a node, wait until it takes calls; at the end stop it, and fail if it had failed."""
    replace = msgspec.structs.replace
    settings = change(load(shipped("lab.toml")))
    settings = replace(
        settings,
        data=replace(settings.data, folder=str(folder)),
        media=replace(settings.media, ports=rtp_ports()),
        sip=replace(settings.sip, port=free_port(), tls_port=0, ws_port=0, wss_port=0),
        api=replace(settings.api, port=free_port()),
    )
    lay_blank_store(folder / "switchroom.db")
    node = Node(settings)
    served = asyncio.create_task(node.serve())
    ready = asyncio.create_task(node.wait_ready())
    await asyncio.wait((served, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        if served.done():
            await served  # raises what kept it from starting
        assert ready.done()
        yield node
        assert not served.done(), "the node ended by itself"
    finally:
        ready.cancel()
        node.stop(at_once=True)
        await served
