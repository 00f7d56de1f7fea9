"""Settle attempts: keep them for good, and move their records.

An attempt may come twice: the second time changes nothing, or brings what the agent chose meanwhile,
which moves the record again as long as the attempt is its last.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.compliance_moves import (
    Move,
    Stage,
    after_attempt,
    after_disposition,
)
from acd.dialer.compliance_places import Place, place_of
from acd.dialer.model import Attempt, AttemptId, CampaignName, Outcome
from acd.dialer.settings import RULES_VERSION
from crm_store.errors import NotStored
from crm_store.models.tables import ATTEMPT, CLAIM, RECORD, RECORD_NUMBER
from crm_store.outbound import holding, quotas
from crm_store.outbound.campaign_rows import CampaignBook, Known
from crm_store.outbound.forbidding import OPT_OUT, Ban, put
from crm_store.outbound.moving import (
    NUMBERS,
    RECORDS,
    apply_move,
    facts_of,
    past_forbidden,
    position_of,
    write,
)
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.shelving import (
    OPEN_STAGES,
    go_past_forbidden,
    lock_records,
    records_of,
)

_A, _R, _N = ATTEMPT.c, RECORD.c, RECORD_NUMBER.c
_RULES: Final = re.compile(r"\brules (\d{1,4})\b")
_KEPT: Final = select(_A.id, _A.outcome, _A.disposition, _A.call_back_at, _A.agent).where(
    _A.id.in_(bindparam("ids", expanding=True))
)
_DEAD: Final = (
    update(RECORD_NUMBER)
    .where(_N.record_id == bindparam("record"), _N.position == bindparam("place_in_record"))
    .values(is_dead=True)
)
_MERGED: Final = (
    "agent",
    "disposition",
    "call_back_at",
    "judged",
    "greeting_ended_at",
    "message_began_at",
    "connected_at",
    "ended_at",
    "reason",
)
"""What a later record of an attempt may bring; what is empty there leaves what is kept."""


class OptOut(Struct, frozen=True, kw_only=True):
    """Somebody who is not to be called any more by any campaign."""

    number: str
    ban: Ban


def settle(
    connection: Connection, book: CampaignBook, places: PlaceBook, attempts: Sequence[Attempt]
) -> list[Known]:
    """Keep a batch of attempts and move their records; gives the campaigns that are still there."""
    latest = _latest(attempts)
    campaigns = _campaigns(connection, book, latest.values())
    present = [known for known in campaigns.values() if known and not known.is_deleted]
    quotas.keep_out_counting(connection, present)
    kept = {row.id: row for row in connection.execute(_KEPT, {"ids": sorted(latest)})}
    # Whatever became of record and campaign: who does not want to be called is not.
    opted_out = [
        found
        for attempt in latest.values()
        if (found := _opt_out(campaigns[attempt.campaign], attempt, kept.get(attempt.id)))
    ]
    theirs = _put_off(connection, opted_out)
    ids = sorted({number for a in latest.values() if (number := id_of(a.record)) is not None})
    lock_records(connection, (*ids, *theirs))
    records = {row.id: row._asdict() for row in connection.execute(RECORDS, {"ids": ids})}
    claimed = [number for number, record in records.items() if record["stage"] == Stage.CLAIMED]
    claims = holding.claims_of(connection, claimed)
    numbers: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(NUMBERS, {"ids": ids}):
        numbers[row.record_id].append(row)
    moved: dict[int, dict[str, Any]] = {}
    dead: list[dict[str, Any]] = []
    reached = quotas.Changes()
    for attempt in sorted(latest.values(), key=lambda each: each.dialled_at):
        record = records.get(id_of(attempt.record) or 0)
        known = campaigns[attempt.campaign]
        if record is None or known is None:
            continue
        move = _move(known, record, numbers[record["id"]], attempt, kept.get(attempt.id))
        if move is None:
            continue
        if _is_foreign(record, attempt, claims) and move.stage in OPEN_STAGES:
            move = structs.replace(move, stage=Stage.CLAIMED)
        if move.number_is_dead:
            at_position = position_of(numbers[record["id"]], attempt.number, record["position"])
            dead.append({"record": record["id"], "place_in_record": at_position})
        reached.subtract(quotas.kinds_of(known, record))
        apply_move(known, record, numbers[record["id"]], attempt, move)
        reached.update(quotas.kinds_of(known, record))
        moved[record["id"]] = record
    new = [each for id_, each in latest.items() if id_ not in kept]
    rows = []
    for attempt in new:
        record_id = id_of(attempt.record) or 0
        own = [row for row in numbers[record_id] if row.number == attempt.number]
        place = place_of(attempt.number)
        if own:  # as the list had it
            place = places.places(connection, [own[0].place_id])[own[0].place_id]
        known = campaigns[attempt.campaign]
        name = records.get(record_id, {}).get("name", "")
        rows.append(_row(known, attempt, record_id, name, place))
    _keep(connection, rows, [each for id_, each in latest.items() if id_ in kept])
    if dead:
        connection.execute(_DEAD, dead)
    write(connection, moved.values())
    quotas.add(connection, reached)
    past_forbidden(connection, list(moved.values()))
    go_past_forbidden(connection, theirs, max(attempt.ended_at for attempt in attempts))
    _let_go(connection, list(latest.values()))
    return present


def _put_off(connection: Connection, opted_out: Sequence[OptOut]) -> list[int]:
    """Note on the centre's list who is not to be called; gives the records that have its number."""
    for each in sorted(opted_out, key=lambda each: each.number):
        put(connection, [each.number], each.ban)
    return records_of(connection, [each.number for each in opted_out], None)


def _latest(attempts: Sequence[Attempt]) -> dict[AttemptId, Attempt]:
    """Of two of one id the later counts; what was heard and judged is told but once."""
    latest: dict[AttemptId, Attempt] = {}
    for attempt in attempts:
        before = latest.get(attempt.id)
        if before is not None and before.judged and not attempt.judged:
            attempt = structs.replace(attempt, judged=before.judged)
        latest[attempt.id] = attempt
    return latest


def id_of(record: str) -> int | None:
    """The number behind a record's id; None for what is none of ours."""
    return int(record) if record.isascii() and record.isdigit() and len(record) < 19 else None


def _opt_out(known: Known | None, attempt: Attempt, kept: Any | None) -> OptOut | None:
    """What is new of an attempt: the person, or the agent for it, said that it is not to be called."""
    said = attempt.disposition
    is_chosen = known is not None and said in known.settings.do_not_call_dispositions
    if attempt.outcome is Outcome.OPTED_OUT and (kept is None or kept.outcome != attempt.outcome):
        reason, by = "opted out during a call", "system"
    elif said and is_chosen and (kept is None or kept.disposition != said):
        reason, by = f"{said!r} was chosen after a call", attempt.agent or "system"
    else:
        return None
    reason += f" of campaign {attempt.campaign}"
    ban = Ban(campaign_id=None, reason=reason, source=OPT_OUT, by=by, at=attempt.ended_at)
    return OptOut(number=attempt.number, ban=ban)


def _campaigns(
    connection: Connection, book: CampaignBook, attempts: Iterable[Attempt]
) -> dict[CampaignName, Known | None]:
    """The campaigns of attempts, also deleted ones; None for one that nobody knows."""
    found: dict[CampaignName, Known | None] = {}
    for attempt in attempts:
        if attempt.campaign not in found:
            try:
                found[attempt.campaign] = book.get(connection, attempt.campaign, attempt.ended_at)
            except NotStored:
                found[attempt.campaign] = book.deleted(connection, attempt.campaign)
    return found


def _move(
    known: Known,
    record: Mapping[str, Any],
    numbers: Sequence[Any],
    attempt: Attempt,
    kept: Any | None,
) -> Move | None:
    """Where the record goes; None: it stays as it is."""
    facts = facts_of(record, numbers, attempt)
    if kept is None:
        return after_attempt(known.settings, facts, attempt)
    says_more = (attempt.disposition and attempt.disposition != kept.disposition) or (
        attempt.call_back_at is not None and attempt.call_back_at != kept.call_back_at
    )
    if not says_more or record["last_attempt"] != attempt.id:
        return None
    if record["stage"] == Stage.CLAIMED:
        return None  # it is being dialled again already
    return after_disposition(known.settings, facts, _merged(attempt, kept))


def _is_foreign(
    record: Mapping[str, Any], attempt: Attempt, claims: Mapping[int, Collection[int]]
) -> bool:
    """Whether a record is claimed anew: what became of an attempt before that comes late."""
    theirs = claims.get(record["id"], ())
    return bool(theirs) and attempt.claim != 0 and attempt.claim not in theirs


def _let_go(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Let go of the numbers of attempts that are over; others stay in hand while the two talk."""
    for record, attempt in sorted(
        ((number, each) for each in attempts if (number := id_of(each.record)) is not None),
        key=lambda each: each[0],
    ):
        if attempt.goes_on:
            holding.extend(connection, [(record, attempt.claim)], attempt.ended_at)
        elif attempt.claim:
            holding.end(connection, [(record, attempt.claim)])
        else:
            connection.execute(delete(CLAIM).where(CLAIM.c.record_id == record))


def _merged(attempt: Attempt, kept: Any) -> Attempt:
    return structs.replace(
        attempt,
        outcome=Outcome(kept.outcome),
        agent=attempt.agent or kept.agent,
        disposition=attempt.disposition or kept.disposition,
        call_back_at=kept.call_back_at if attempt.call_back_at is None else attempt.call_back_at,
    )


def _keep(connection: Connection, new: Sequence[dict[str, Any]], again: Sequence[Attempt]) -> None:
    """Write the attempts; of one that is known, only what a later record may bring."""
    if new:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(ATTEMPT).on_conflict_do_nothing(), new)
    for later in again:
        values = {name: value for name in _MERGED if (value := getattr(later, name))}
        if values:
            connection.execute(update(ATTEMPT).where(_A.id == later.id).values(values))


def _row(
    known: Known | None, attempt: Attempt, record_id: int, name: str, place: Place
) -> dict[str, Any]:
    rules = _RULES.search(attempt.why)
    return {
        "id": attempt.id[:64],
        "campaign_id": known.id if known else 0,
        "campaign": attempt.campaign[:64],
        "settings_version": known.version if known else 0,
        "record_id": record_id,
        "name": name,
        "number": attempt.number[:20],
        "region": place.region_words,
        "zone": next(iter(place.zones), ""),
        "caller_id": attempt.caller_id[:80],
        "mode": attempt.mode,
        "dialled_at": attempt.dialled_at,
        "rang_at": attempt.rang_at,
        "answered_at": attempt.answered_at,
        "greeting_ended_at": attempt.greeting_ended_at,
        "message_began_at": attempt.message_began_at,
        "connected_at": attempt.connected_at,
        "ended_at": attempt.ended_at,
        "agent": attempt.agent,
        "clicked_by": attempt.clicked_by[:64],
        "clicked_at": attempt.clicked_at,
        "trunk": attempt.trunk[:64],
        "outcome": attempt.outcome,
        "disposition": attempt.disposition[:64],
        "call_back_at": attempt.call_back_at,
        "sip_status": attempt.sip_status,
        "reason": attempt.reason[:64],
        "why": attempt.why,
        "rules": int(rules.group(1)) if rules else RULES_VERSION,
        "judged": attempt.judged,
        "doubt": attempt.doubt,
        "decision": attempt.decision,
    }
