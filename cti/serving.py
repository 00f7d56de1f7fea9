"""Running a node as a process: limits, logging, signals, and words for what keeps it from starting."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from typing import Final

from acd.dialer.pacing import loading
from cti.app import Node
from cti.serving_limits import raise_open_files
from cti.settings import Settings

log = logging.getLogger(__name__)

_GIVE_WAY_S: Final = 0.0005
"""The thread that writes history gives way to the calls after this, not after Python's 5 ms."""
_M_ARENA_MAX: Final = -8
"""Of malloc.h."""


def prepare_process(log_level: str, *, trace_sip: bool = False) -> None:
    """Raise the open-file limit as far as it goes, share one heap, set up logging to standard error.

    Before the first thread is made. Pacing is loaded later, beside the calls.
    """
    loading.defer()
    raise_open_files()
    _share_one_heap()
    sys.setswitchinterval(_GIVE_WAY_S)
    logging.basicConfig(
        level=log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if trace_sip:
        logging.getLogger("switch.wire").setLevel(logging.DEBUG)


async def serve_until_signal(settings: Settings, *, end_with_stdin: bool = False) -> int:
    """Run a node until SIGTERM, SIGINT or (if asked) the end of standard input; 1: it could not start.

    After the first signal running calls may finish, up to the configured limit; a second one ends
    them. The end of standard input, which is that of whoever started us, leaves no time. After SIGHUP
    it goes on with a TLS certificate that changed.
    """
    node = Node(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.stop)
    loop.add_signal_handler(signal.SIGHUP, node.reload)
    if end_with_stdin:
        loop.add_reader(0, lambda: None if os.read(0, 1024) else _stop_reading(loop, node))
    announcer = loop.create_task(_announce(node))
    failed = False
    try:
        await node.serve()
    except* OSError as group:
        failed = True
        for error in _leaves(group):
            reason = error.strerror or str(error)
            log.error("cannot start: %s. `switchroom doctor` says more, and what to do", reason)
    finally:
        announcer.cancel()
    return 1 if failed else 0


def _stop_reading(loop: asyncio.AbstractEventLoop, node: Node) -> None:
    loop.remove_reader(0)
    node.stop(at_once=True)


async def _announce(node: Node) -> None:
    await node.wait_ready()
    _calm_the_collector()
    sip, api = node.settings.sip, node.settings.api
    secure = {"tls": sip.tls_port, "ws": sip.ws_port, "wss": sip.wss_port}
    log.info(
        "ready: SIP %s:%d%s, API http://%s:%d, data %s, pid %d",
        sip.host,
        node.sip_port,
        "".join(f", {n.upper()} {p}" for n, p in secure.items() if p),
        api.host,
        node.api_port,
        node.data,
        os.getpid(),
    )


def _calm_the_collector() -> None:
    """Look for cycles seldom: nothing on the path of a call makes them, and looking stalls calls.

    With the defaults every fourth call waits for a collection, and a full one, which walks through
    all events kept for resuming, holds everybody for a tenth of a second every few hundred calls.
    """
    gc.collect()
    gc.freeze()  # what lives from the start lives to the end
    gc.set_threshold(50_000, 5, 1_000)


def _share_one_heap() -> None:
    """Let all threads use one heap of the C library, which would give each of up to sixteen its own.

    What one thread frees in its heap helps no other; they kept 11 MiB. They hardly meet there: most of the
    time one of them has the interpreter.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc alone
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def _leaves(group: BaseExceptionGroup[OSError]) -> list[OSError]:
    found: list[OSError] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += _leaves(error)
        else:
            found.append(error)
    return found
