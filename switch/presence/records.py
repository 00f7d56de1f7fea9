"""A subscription as a value that outlives the process (see `switch.journal`).

It is written when the subscription begins, is refreshed and ends, and not with every notification:
where the numbers stand that grow with each of them is made up for by a leap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from switch.presence.subscription import Package, Subscription
from switch.sip.dialog import Dialog
from switch.sip.session_record import DialogRecord, flow_of, flow_record
from switch.sip.uri import NameAddr, Uri
from switch.sip.way_back import without_connection

LEAP: Final = 10_000
"""More notifications than a subscription can have between two refreshes."""


class SubscriptionRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `Subscription` that last; seconds since the epoch."""

    watcher: str
    phone: str
    package: str
    event: str
    entity: str
    dialog: DialogRecord
    expires_at: float
    version: int


def record_of(subscription: Subscription, wall: Callable[[float], float]) -> SubscriptionRecord:
    """Describe a subscription."""
    dialog = subscription.dialog
    local, remote = dialog.addresses()
    return SubscriptionRecord(
        subscription.watcher,
        subscription.phone,
        subscription.package,
        subscription.event,
        subscription.entity,
        DialogRecord(
            dialog.call_id,
            local,
            remote,
            str(dialog.target),
            tuple(str(route) for route in dialog.routes),
            flow_record(dialog.flow),
            dialog.local_seq,
            dialog.remote_seq,
        ),
        wall(subscription.expires_at),
        subscription.version,
    )


def subscription_of(
    id: str, record: SubscriptionRecord, mono: Callable[[float], float]
) -> Subscription:
    """The subscription again. Raises ValueError for a record that makes no sense."""
    kept = record.dialog
    target = Uri.parse(kept.target)
    routes = [NameAddr.parse(route) for route in kept.routes]
    dialog = Dialog(
        call_id=kept.call_id,
        local=NameAddr.parse(kept.local),
        remote=NameAddr.parse(kept.remote),
        target=target,
        routes=routes,
        flow=without_connection(flow_of(kept.flow), target, routes, is_ours=False),
        local_seq=kept.local_seq + LEAP,
        remote_seq=kept.remote_seq,
    )
    return Subscription(
        id=id,
        watcher=record.watcher,
        phone=record.phone,
        package=Package(record.package),
        event=record.event,
        entity=record.entity,
        dialog=dialog,
        expires_at=mono(record.expires_at),
        version=record.version + LEAP,
    )
