"""Call detail records and traces as the API shows them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from msgspec.structs import asdict

from crm_store.errors import StoreUnavailable
from crm_store.facts import CallLegFilter
from crm_store.store import Store
from cti.call_records import CallRecords
from cti.customers import answering
from cti.errors import Invalid, NotFound, Unavailable
from cti.leg_notes import LegNotes, names_of
from cti.schema_calls import CallLegPage, CallLegView, MessageView, TraceView
from switch.capture.ladder import draw, mermaid, rungs_of
from switch.capture.trace import Entry, Snapshot, Trace
from switch.clock import Clock

log = logging.getLogger(__name__)

MOST: Final = 500
"""Legs on a page."""
_MOST_TRACES: Final = 5
_LOOKED_AT: Final = 50
"""Calls of one number."""


class CallsDesk:
    """Satisfies `cti.api.ports.CallsDesk`."""

    def __init__(
        self,
        *,
        store: Store,
        records: CallRecords,
        trace: Trace | None,
        clock: Clock,
        keep_days: int,
    ) -> None:
        """`trace` is None where none is kept; records are kept for so many days, 0: for good."""
        self._keep_s = keep_days * 86_400.0
        self._store = store
        self._records = records
        self._trace = trace
        self._clock = clock

    async def legs(self, *, limit: int, cursor: str, **wanted: Any) -> CallLegPage:
        """One page of records. Raises `Invalid` for a cursor that is none, `Unavailable`.

        `wanted` are fields of `crm_store.facts.CallLegFilter`.
        """
        if not 1 <= limit <= MOST:
            raise Invalid("bad-limit", f"A page has 1 to {MOST} legs.")
        after = _position(cursor) if cursor else None
        async with answering():
            found = await self._store.call_legs(CallLegFilter(**wanted), limit=limit, after=after)
        is_full = len(found) == limit
        return CallLegPage(
            legs=tuple(CallLegView(**asdict(leg)) for leg in found),
            next=f"{found[-1].started!r}:{found[-1].leg_id}" if is_full else "",
        )

    async def drop_old(self) -> None:
        """Drop records that are too old; a store that is away is asked tomorrow."""
        if not self._keep_s:
            return
        try:
            dropped = await self._store.drop_call_legs(self._clock.wall() - self._keep_s)
        except StoreUnavailable as error:
            log.warning("old call records were not dropped: %s", error)
        else:
            if dropped:
                log.info("%d old call records were dropped", dropped)

    async def traces(self, wanted: str, *, with_text: bool) -> list[TraceView]:
        """The newest calls of an id or a number, drawn. Raises `NotFound`, `Unavailable`."""
        if self._trace is None:
            words = "No trace is kept; set [capture] trace_megabytes."
            raise Unavailable("no-trace", words)
        calls = [
            self._records.legs_of(call) for call in self._records.calls_of(wanted)[:_LOOKED_AT]
        ]
        snapshot = self._trace.snapshot({each for legs in calls for each in _call_ids(legs)})
        offset = self._clock.wall() - self._clock.now()
        # Thousands of messages are looked at: calls are not to wait for that.
        found = await asyncio.to_thread(_views, snapshot, calls, offset, with_text=with_text)
        if not found:
            words = "No call that runs or ended lately has this id or number."
            raise NotFound("no-such-call", words)
        return found


def _views(
    snapshot: Snapshot, calls: list[tuple[LegNotes, ...]], offset: float, *, with_text: bool
) -> list[TraceView]:
    entries = snapshot.entries()
    views = []
    for legs in calls:
        own = [entry for each in _call_ids(legs) for entry in entries.get(each, ())]
        if own:
            own.sort(key=lambda entry: entry.at)
            views.append(_view(legs, own, offset, with_text=with_text))
        if len(views) == _MOST_TRACES:
            break
    return views


def _view(
    legs: tuple[LegNotes, ...], entries: list[Entry], offset: float, *, with_text: bool
) -> TraceView:
    rungs = rungs_of(entries)
    names = names_of(legs)
    return TraceView(
        call_id=legs[0].call,
        started=min(leg.started for leg in legs) + offset,
        live=any(leg.ended is None for leg in legs),
        ladder=draw(rungs, names),
        mermaid=mermaid(rungs, names),
        messages=tuple(
            MessageView(
                after_s=rung.after_s,
                peer=rung.peer,
                is_out=rung.is_out,
                words=rung.words,
                sip_call_id=rung.call_id,
                octets=rung.octets,
                text=rung.text if with_text else "",
            )
            for rung in rungs
        ),
    )


def _call_ids(legs: tuple[LegNotes, ...]) -> list[str]:
    return list(dict.fromkeys(each for leg in legs for each in leg.call_ids))


def _position(cursor: str) -> tuple[float, str]:
    """Start and id of the last leg of a page. Raises `Invalid`."""
    started, colon, leg = cursor.partition(":")
    try:
        at = float(started)
    except ValueError:
        colon = ""
        at = 0.0
    if not colon or not 0.0 <= at < 1e11:
        raise Invalid("bad-cursor", "Give the `next` of the page before as `cursor`.")
    return at, leg
