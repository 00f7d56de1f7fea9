"""The site of a soak: the lab, with a queue that nobody serves, a carrier of our own, known callers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from crm_store.facts import CustomerDraft
from crm_store.store import Store
from cti.paths import shipped

DESKS: Final = tuple(str(number) for number in range(1001, 1011))
"""Agents with desks, of queue `sales`; they may call out."""
CALLING: Final = tuple(str(number) for number in range(1011, 1016))
"""Phones whose calls the load makes; they may call out too."""
PASSING: Final = tuple(str(number) for number in range(1026, 1051))
"""Phones that come and go; nobody calls their queue."""
CUSTOMER: Final = "Customer"
"""The name of everybody who calls."""
UNATTENDED: Final = "4901"
"""Leads to a queue without agents, recorded like the others."""

_CARRIER: Final = 'proxy = "sip:127.0.0.1:5090"'
_CALLERS: Final = 'callers = ["1001-1010"]'
_ADDED: Final = f"""
[[queues]]
name = "unattended"
title = "Nobody there"
service_level_s = 20
announce_first_s = 1
announce_every_s = 5

[[entries]]
number = "{UNATTENDED}"
queue = "unattended"
record = true
"""


def write_site(path: Path, carrier_port: int) -> Path:
    """Write the configuration; trunk `out` leads to the carrier's port. Gives the path."""
    lab = shipped("lab.toml").read_text(encoding="utf-8")
    for text in (_CARRIER, _CALLERS):
        assert text in lab, text
    lab = lab.replace(_CARRIER, f'proxy = "sip:127.0.0.1:{carrier_port}"')
    lab = lab.replace(_CALLERS, 'callers = ["1001-1015"]')
    path.write_text(lab + _ADDED, encoding="utf-8")
    return path


async def know_callers(data: Path, numbers: Iterable[str]) -> None:
    """Make a customer of each number, so that the load is the same from the first call to the last.

    Were they made while it lasts, ever more of the events that are kept would carry a card with a history,
    and the load would look like the server's growth.
    """
    store = await Store.open(f"sqlite:///{data / 'switchroom.db'}", data_dir=None)
    try:
        for number in numbers:
            await store.create_customer(CustomerDraft(name=CUSTOMER, phones=(number,)))
    finally:
        await store.close()
