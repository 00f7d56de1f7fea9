"""Records and attempts as others see them: by id, page by page, and as a file for a regulator."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, text, tuple_

from acd.dialer.compliance_moves import STATE_OF_STAGE, Stage
from acd.dialer.compliance_windows import local_text
from acd.dialer.model import CampaignName, Mode, Outcome, RecordId, RecordState
from acd.model import AgentId
from crm_store.errors import NotStored
from crm_store.models.tables import ATTEMPT, RECORD, RECORD_NUMBER
from crm_store.outbound.campaign_rows import deleted_rows, names_of, row_of
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.texts import harmless, utc_text
from crm_store.outbound.views import AttemptView, NumberView, RecordView

_R, _N, _A = RECORD.c, RECORD_NUMBER.c, ATTEMPT.c


class AttemptFilter(Struct, frozen=True, kw_only=True):
    """Which attempts are wanted; what is empty does not matter."""

    campaign: CampaignName | None = None
    number: str = ""
    record: int | None = None
    outcome: Outcome | None = None
    since: float | None = None
    until: float | None = None


def records_by_id(connection: Connection, book: PlaceBook, ids: Sequence[int]) -> list[RecordView]:
    """Records in the order of their ids; those that are not known are left out."""
    if not ids:
        return []
    rows = connection.execute(select(RECORD).where(_R.id.in_(ids)).order_by(_R.id)).all()
    numbers: dict[int, list[Any]] = defaultdict(list)
    query = select(RECORD_NUMBER).where(_N.record_id.in_(ids)).order_by(_N.record_id, _N.position)
    for each in connection.execute(query):
        numbers[each.record_id].append(each)
    places = book.places(connection, {n.place_id for group in numbers.values() for n in group})
    names = names_of(connection)
    return [
        RecordView(
            id=RecordId(str(row.id)),
            campaign=names.get(row.campaign_id, CampaignName("")),
            batch=row.batch_id,
            name=row.name,
            customer_id=row.customer_id,
            numbers=tuple(
                NumberView(
                    position=each.position,
                    number=each.number,
                    region=places[each.place_id].region_words,
                    zones=places[each.place_id].zones,
                    dead=each.is_dead,
                )
                for each in numbers[row.id]
            ),
            position=row.position,
            facts={str(key): str(value) for key, value in row.facts.items()},
            priority=row.priority,
            state=STATE_OF_STAGE[Stage(row.stage)],
            stage=row.stage,
            due_at=row.due_at,
            attempts=row.attempts,
            last_outcome=row.last_outcome,
            last_disposition=row.last_disposition,
            last_at=row.last_at,
            call_back_agent=None if row.agent is None else AgentId(row.agent),
        )
        for row in rows
    ]


def page_of_ids(
    connection: Connection,
    campaign_id: int,
    *,
    state: RecordState | None,
    outcome: Outcome | None,
    number: str,
    after: int,
    limit: int,
) -> list[int]:
    """The ids of a page of records, as imported."""
    query = select(_R.id).where(_R.campaign_id == campaign_id, _R.id > after)
    if number:
        with_it = select(_N.record_id).where(_N.number == number, _N.campaign_id == campaign_id)
        query = query.where(_R.id.in_(with_it))
    if state is not None:
        stages = [stage for stage, each in STATE_OF_STAGE.items() if each is state]
        query = query.where(_R.stage.in_(stages))
    if outcome is not None:
        query = query.where(text("last_outcome <> ''"), _R.last_outcome == outcome)
    return list(connection.execute(query.order_by(_R.id).limit(limit)).scalars())


def attempts_page(
    connection: Connection,
    wanted: AttemptFilter,
    *,
    newest_first: bool,
    beyond: tuple[float, str] | None,
    limit: int,
) -> list[AttemptView]:
    """A page of attempts; `beyond` is time and id of the last of the page before."""
    query: Select[Any] = select(ATTEMPT)
    if wanted.campaign is not None:
        query = query.where(_A.campaign_id.in_(_ids_of(connection, wanted.campaign)))
    if wanted.number:
        query = query.where(_A.number == wanted.number)
    if wanted.outcome is not None:
        query = query.where(_came_of(wanted.outcome))
    if wanted.record is not None:
        query = query.where(_A.record_id == wanted.record)
    if wanted.since is not None:
        query = query.where(_A.dialled_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_A.dialled_at < wanted.until)
    if beyond is not None:
        here, there = tuple_(_A.dialled_at, _A.id), tuple_(*beyond)
        query = query.where(here < there if newest_first else here > there)
    order = [column.desc() if newest_first else column.asc() for column in (_A.dialled_at, _A.id)]
    query = query.order_by(*order)
    return [_attempt(row) for row in connection.execute(query.limit(limit))]


def _came_of(outcome: Outcome) -> ColumnElement[bool]:
    """Who opted out of a campaign with agents was abandoned, too: found by both words."""
    found = _A.outcome == outcome
    if outcome is not Outcome.ABANDONED:
        return found
    return or_(found, and_(_A.outcome == Outcome.OPTED_OUT, _A.mode != Mode.ANNOUNCEMENT))


def _ids_of(connection: Connection, name: CampaignName) -> list[int]:
    """The campaign of that name; where there is none, those that had it and were deleted."""
    try:
        return [row_of(connection, name).id]
    except NotStored:
        return [row.id for row in deleted_rows(connection, name)]


def _attempt(row: Any) -> AttemptView:
    return AttemptView(
        id=row.id,
        campaign=CampaignName(row.campaign),
        record=RecordId(str(row.record_id)),
        name=row.name,
        number=row.number,
        region=row.region,
        zone=row.zone,
        local_time=local_text(row.zone, row.dialled_at) if row.zone else "",
        caller_id=row.caller_id,
        mode=row.mode,
        dialled_at=row.dialled_at,
        rang_at=row.rang_at,
        answered_at=row.answered_at,
        greeting_ended_at=row.greeting_ended_at,
        message_began_at=row.message_began_at,
        connected_at=row.connected_at,
        ended_at=row.ended_at,
        agent=row.agent,
        clicked_by=row.clicked_by,
        clicked_at=row.clicked_at,
        trunk=row.trunk,
        outcome=row.outcome,
        disposition=row.disposition,
        sip_status=row.sip_status,
        reason=row.reason,
        why=row.why,
        rules=row.rules,
        settings_version=row.settings_version,
        judged=row.judged,
        doubt=row.doubt,
        decision=row.decision,
    )


EXPORT_COLUMNS: Final = (
    "is_dialled",
    "dialled_at",
    "local_time",
    "zone",
    "region",
    "campaign",
    "settings_version",
    "number",
    "name",
    "caller_id",
    "mode",
    "clicked_by",
    "clicked_at",
    "agent",
    "why",
    "rules",
    "outcome",
    "is_abandoned",
    "disposition",
    "rang_at",
    "answered_at",
    "greeting_ended_at",
    "message_began_at",
    "connected_at",
    "ended_at",
    "sip_status",
    "reason",
    "trunk",
    "judged",
    "decision",
    "record",
    "id",
)
_JUDGED: Final = "judged"
"""What the classifier heard, kilobytes of it: in the file for those who ask."""
_MOMENTS: Final = frozenset(name for name in EXPORT_COLUMNS if name.endswith("_at"))
_OF_A_DIAL: Final = frozenset({"dialled_at", "local_time"})


def export_columns(*, with_judged: bool) -> tuple[str, ...]:
    """The columns of the file."""
    return tuple(name for name in EXPORT_COLUMNS if with_judged or name != _JUDGED)


def export_header(columns: Sequence[str]) -> bytes:
    """The first line of the file, with a mark by which spreadsheets know UTF-8."""
    return b"\xef\xbb\xbf" + (",".join(columns) + "\r\n").encode()


def export_lines(attempts: Sequence[AttemptView], columns: Sequence[str]) -> bytes:
    """Attempts as lines of CSV. Moments are UTC in ISO 8601."""
    out = io.StringIO()
    writer = csv.writer(out)
    for attempt in attempts:
        unsaid = frozenset[str]() if attempt.is_dialled else _OF_A_DIAL
        writer.writerow(
            ["" if name in unsaid else _cell(name, getattr(attempt, name)) for name in columns]
        )
    return out.getvalue().encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _MOMENTS:
        return utc_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(str(value)) if isinstance(value, str) else str(value)
