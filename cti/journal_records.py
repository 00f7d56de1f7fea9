"""What the outermost layer keeps in the journal, and the names of all kinds of records."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from switch.calls.gateways import FIRST
from switch.sip.session_record import FlowRecord

VERSION: Final = 2
"""To be raised when a record changes in a way that older ones cannot be read any more."""


class Kind(StrEnum):
    """Kinds of records; the key is the id of what they describe."""

    LEG = "leg"
    INVITE = "invite"
    """The INVITE of a leg, as octets, until its session is confirmed."""
    CAPTURE = "capture"
    CONTACT = "contact"
    INTERACTION = "interaction"
    """The public view; in wrap-up it outlives the contact."""
    AGENT = "agent"
    QUEUE_DAY = "day"
    POP = "pop"
    """The card an agent has on the screen."""
    PHONE = "phone"
    """The bindings of a phone."""
    SECRET = "secret"
    """The secrets of the softphones of an agent's desks."""
    CALL_BACK = "callback"
    """A customer who is to be called back, by the contact that was cut off."""
    ATTEMPT = "attempt"
    """A campaign's attempt that is under way."""
    CAMPAIGN = "campaign"
    """A campaign that runs, or has attempts under way."""
    BAN = "ban"
    """A ban of the guard, by its source."""
    SUBSCRIPTION = "subscription"
    """Who watches whom, by our tag."""
    PUBLICATION = "publication"
    """What a phone published of itself, by its entity-tag."""
    MAILBOX = "mailbox"
    """What waits for a phone."""
    NODE = "node"
    """Records of the node itself: see `NodeKey`."""


class NodeKey(StrEnum):
    """Keys of `Kind.NODE`."""

    MUSIC = "music"
    """The gateway's player that all who wait hear."""
    GATEWAY = "gateway"
    """The process of the first media gateway; of others see `gateway_key`."""
    DRAINING = "draining"
    """The names of gateways that take no new calls, a line each."""
    DATE = "date"
    """The day of the figures, `2026-03-01`."""


def gateway_key(name: str) -> str:
    """The key under which the process of a gateway is kept."""
    return NodeKey.GATEWAY if name == FIRST else f"{NodeKey.GATEWAY} {name}"


def gateways_of(node: Mapping[str, str]) -> dict[str, str]:
    """The processes of all gateways, by their names."""
    found = {FIRST: node[NodeKey.GATEWAY]} if NodeKey.GATEWAY in node else {}
    prefix = f"{NodeKey.GATEWAY} "
    return found | {
        key.removeprefix(prefix): process for key, process in node.items() if key.startswith(prefix)
    }


class BanRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One ban; seconds since the epoch."""

    reason: str
    since: float
    until: float
    times: int


class BindingRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One binding of a phone."""

    contact_uri: str
    flow: FlowRecord
    expires_at: float
    refreshed_at: float
    q: str | None
    call_id: str
    cseq: int
    user_agent: str
    path: tuple[str, ...] = ()
    instance: str = ""
    reg_id: int = 0
