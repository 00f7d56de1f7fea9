"""Baresip's stack for one phone: its configuration, its port, and the sound card that it may find."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import baresip

from cti.phone.addresses import free_port, in_uri
from cti.phone.ports import PhoneSettings
from cti.phone.protocol import SHOWN_HEADERS

_PORT_TRIES: Final = 5
"""The stack also takes the port above the one it is told (TLS)."""


async def open_stack(settings: PhoneSettings, *, on_device: bool) -> tuple[Any, int]:
    """Start the stack; gives its runtime and port. A port that somebody took meanwhile costs a new try.

    `on_device`: sound by ALSA, not through memory. Raises BaresipError.
    """
    bind = settings.bind
    for tries_left in reversed(range(_PORT_TRIES)):
        port = settings.local_port or free_port(bind)
        runtime = baresip.Runtime()
        try:
            await runtime.start(
                baresip.Config(
                    net_interface=bind or None,
                    audio_driver="alsa,default" if on_device else "aumem",
                    expose_headers=SHOWN_HEADERS,
                    sip_trace=settings.trace,
                    native_log_level="debug" if settings.trace else "warning",
                    extra_config_text=(
                        f"sip_listen {in_uri(bind or '0.0.0.0')}:{port}\nrtp_ports 10000-15999\n"
                        + _trust(settings.ca_file)
                    ),
                )
            )
        except baresip.BaresipError as error:
            if not tries_left or settings.local_port or "in use" not in str(error):
                raise
            continue
        return runtime, port
    raise AssertionError  # the last round returns or raises


def has_device() -> bool:
    """Whether ALSA knows a sound card."""
    cards = Path("/proc/asound/cards")
    try:
        return "[" in cards.read_text()
    except OSError:
        return False


def _trust(ca_file: str) -> str:
    """Lines of the configuration: whom TLS servers have to be vouched for by."""
    if not ca_file:
        return "sip_verify_server no\n"
    return f"sip_cafile {ca_file}\nsip_verify_server yes\n"
