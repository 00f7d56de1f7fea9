"""Drafts into a list: duplicates, do-not-call lists, customers, and the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, insert, select

from acd.dialer.compliance_moves import Stage
from acd.dialer.compliance_places import Place
from crm_store.driver_statement import execute_many
from crm_store.models.tables import CONTACT_POINT, CUSTOMER, RECORD, RECORD_NUMBER
from crm_store.outbound.mass_changes import reserve_ids
from crm_store.outbound.numbers_known import Forbidden, forbidden_of
from crm_store.outbound.people import Draft
from crm_store.outbound.ranks import rank_of
from crm_store.outbound.views import Problem

_R, _N, _P = RECORD.c, RECORD_NUMBER.c, CONTACT_POINT.c
_ON_LIST: Final = (
    select(_N.number, _R.batch_id)
    .join(RECORD, _R.id == _N.record_id)
    .where(
        _N.number.in_(bindparam("numbers", expanding=True)),
        _N.campaign_id == bindparam("campaign"),
    )
)
_CUSTOMERS: Final = (
    select(_P.value, _P.customer_id)
    .where(_P.kind == "phone", _P.value.in_(bindparam("numbers", expanding=True)))
    .order_by(_P.id.desc())
)
_BY_REFERENCE: Final = select(CUSTOMER.c.reference, CUSTOMER.c.id).where(
    CUSTOMER.c.reference.in_(bindparam("references", expanding=True))
)
_RECORDS: Final = insert(RECORD)
_NUMBERS: Final = insert(RECORD_NUMBER)


class Added(Struct, kw_only=True):
    """What a piece of an import did."""

    problems: list[tuple[Draft, Problem]]
    added: int = 0
    duplicates: int = 0
    blocked: int = 0
    first: int | None = None
    last: int | None = None


class Goal(Struct, frozen=True, kw_only=True):
    """Where drafts go."""

    campaign_id: int
    batch_id: int
    order: str
    at: float


def find_customers(connection: Connection, drafts: Sequence[Draft]) -> dict[int, str]:
    """The customers whom drafts mean, by row: by reference, else by number."""
    references = {draft.reference for draft in drafts if draft.reference}
    numbers = {number for draft in drafts for number in draft.numbers}
    by_reference = {}
    if references:
        rows = connection.execute(_BY_REFERENCE, {"references": sorted(references)})
        by_reference = {row.reference: row.id for row in rows}
    by_number = {}
    if numbers:
        rows = connection.execute(_CUSTOMERS, {"numbers": sorted(numbers)})
        by_number = {row.value: row.customer_id for row in rows}  # the oldest comes last, and stays
    found: dict[int, str] = {}
    for draft in drafts:
        known = [by_number[number] for number in draft.numbers if number in by_number]
        customer = by_reference.get(draft.reference) or next(iter(known), None)
        if customer is not None:
            found[draft.row] = customer
    return found


def duplicates_of(
    connection: Connection, campaign_id: int, batch_id: int, drafts: Sequence[Draft]
) -> dict[int, tuple[frozenset[str], str]]:
    """By row: the numbers that stand on the list already, and in what way."""
    numbers = {number for draft in drafts for number in draft.numbers}
    listed: dict[str, str] = {}
    if numbers:
        sought = {"numbers": sorted(numbers), "campaign": campaign_id}
        for row in connection.execute(_ON_LIST, sought):
            listed[row.number] = (
                "duplicate-in-file" if row.batch_id == batch_id else "duplicate-in-list"
            )
    found: dict[int, tuple[frozenset[str], str]] = {}
    for draft in drafts:
        again = frozenset(number for number in draft.numbers if number in listed)
        if again:
            found[draft.row] = (again, listed[next(iter(sorted(again)))])
        if not draft.is_refused:
            for number in draft.numbers:
                listed.setdefault(number, "duplicate-in-file")
    return found


def add(
    connection: Connection, goal: Goal, drafts: Sequence[Draft], places: Mapping[Place, int]
) -> Added:
    """Put drafts on a list. A number stands on a list once; who has no other is a duplicate."""
    done = Added(problems=[])
    again = duplicates_of(connection, goal.campaign_id, goal.batch_id, drafts)
    taken: list[tuple[Draft, list[int]]] = []
    for draft in drafts:
        known, code = again.get(draft.row, (frozenset[str](), ""))
        left = [index for index, number in enumerate(draft.numbers) if number not in known]
        if left:
            taken.append((draft, left))
            continue
        done.duplicates += 1
        where = "stands in the file before" if code == "duplicate-in-file" else "is on the list"
        words = f"{', '.join(draft.numbers)} {where}"
        done.problems.append((draft, Problem(row=draft.row, code=code, words=words)))
    if not taken:
        return done
    kept = [draft for draft, _ in taken]
    customers = find_customers(connection, kept)
    numbers = sorted({draft.numbers[index] for draft, left in taken for index in left})
    forbidden = forbidden_of(connection, numbers, goal.campaign_id, goal.at)
    first = reserve_ids(connection, len(taken))
    records: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for record_id, (draft, left) in enumerate(taken, start=first):
        record = _record(goal, record_id, draft, left, places, forbidden)
        record["customer_id"] = customers.get(draft.row)
        records.append(record)
        rows += [
            {
                "record_id": record_id,
                "position": position,
                "campaign_id": goal.campaign_id,
                "number": draft.numbers[index],
                "place_id": places[draft.places[index]],
                "is_dead": False,
            }
            for position, index in enumerate(left)
        ]
        if record["stage"] == Stage.DO_NOT_CALL:
            done.blocked += 1
            ban = forbidden[draft.numbers[left[0]]]
            note = Problem(row=draft.row, code="do-not-call", words=ban.words, fatal=False)
            done.problems.append((draft, note))
    execute_many(connection, _RECORDS, records)
    execute_many(connection, _NUMBERS, rows)
    done.added = len(taken)
    done.first, done.last = first, first + len(taken) - 1
    return done


def _record(
    goal: Goal,
    record_id: int,
    draft: Draft,
    left: Sequence[int],
    places: Mapping[Place, int],
    forbidden: Mapping[str, Forbidden],
) -> dict[str, Any]:
    """The row of a record, at its first number that may be called."""
    allowed = [
        (position, index)
        for position, index in enumerate(left)
        if draft.numbers[index] not in forbidden
    ]
    position, index = allowed[0] if allowed else (0, left[0])
    owner = draft.owner or None
    stage, due_at = (Stage.READY if owner is None else Stage.MINE), None
    if not allowed:
        ends = [forbidden[draft.numbers[each]].until for each in left]
        known = [end for end in ends if end is not None]
        stage, due_at = Stage.DO_NOT_CALL, min(known) if known and len(known) == len(ends) else None
    return {
        "id": record_id,
        "campaign_id": goal.campaign_id,
        "batch_id": goal.batch_id,
        "name": draft.name,
        "customer_id": None,
        "facts": dict(draft.facts),
        "priority": draft.priority,
        "stage": stage.value,
        "place_id": places[draft.places[index]],
        "rank": rank_of(goal.order, record_id, draft.priority, None, None),
        "position": position,
        "number": draft.numbers[index],
        "due_at": due_at,
        "agent": owner,
        "owner": owner,
        "is_promised": False,
        "attempts": 0,
        "counts": {},
        "last_outcome": "",
        "last_disposition": "",
        "last_at": None,
        "last_attempt": None,
    }
