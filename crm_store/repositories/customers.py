"""Customers: find, read, create, change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.errors import BadRecord, NotStored
from crm_store.facts import ContactPointFacts, CustomerDraft, CustomerFacts, PastInteractionFacts
from crm_store.models.tables import CONTACT_POINT, CUSTOMER, CUSTOMER_WORD
from crm_store.names import AFTER_ALL, words_of, words_sought
from crm_store.numbers import Number, is_number, normalise
from crm_store.repositories.interactions import recent_of

MAX_FOUND = 50
"""Customers that one search gives at most."""


_POINT: Final = CONTACT_POINT.c
_BY_NUMBER: Final = (
    select(_POINT.customer_id, _POINT.raw, _POINT.value, _POINT.is_e164, _POINT.tail)
    .where(
        _POINT.kind == "phone",
        or_(_POINT.value == bindparam("value"), _POINT.tail == bindparam("tail")),
    )
    .order_by((_POINT.value == bindparam("value")).desc(), _POINT.id)
    .limit(MAX_FOUND)
)
"""Both ways of matching at once: most callers are unknown, and cost one query then."""
_CUSTOMERS: Final = (
    select(CUSTOMER, _POINT.kind.label("point_kind"), _POINT.value, _POINT.raw, _POINT.label)
    .outerjoin(CONTACT_POINT)
    .where(CUSTOMER.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_POINT.id)
)
"""A row for each contact point, or one for a customer without any."""
_FOUND: Final = CUSTOMER_WORD.alias()
_MORE: Final = CUSTOMER_WORD.alias()
"""Of further words, each in an `EXISTS` of its own. Aliases are full of cycles: not one a search."""


async def find_by_number(connection: AsyncConnection, number: Number) -> list[CustomerFacts]:
    """Customers with this number. Exact matches hide loose ones; oldest record first."""
    if not number.value:
        return []
    # Too short a number has no tail and must not find all the others that have none.
    sought = {"value": number.value, "tail": number.tail or None}
    rows = (await connection.execute(_BY_NUMBER, sought)).all()
    exact = [row.customer_id for row in rows if row.value == number.value]
    found = exact or [row.customer_id for row in rows if _stored(row).matches(number)]
    return await load(connection, list(dict.fromkeys(found)))


def _stored(row: Any) -> Number:
    return Number(raw=row.raw, value=row.value, is_e164=row.is_e164, tail=row.tail)


async def find_by_name(connection: AsyncConnection, text: str) -> list[CustomerFacts]:
    """Customers of whose name or company a word begins with each word of `text`, in any order.

    By the word that the longest of them found, so that whole words come first, then by name. Words
    are read in the order of the index, and no further than needed, however many customers there are.
    """
    sought = words_sought(text)
    if not sought:
        return []
    first, *others = sorted(sought, key=len, reverse=True)
    query = (
        select(_FOUND.c.customer_id, _FOUND.c.word)
        .where(_begins(_FOUND, first))
        .order_by(_FOUND.c.word, _FOUND.c.customer_id)
        .limit(2 * MAX_FOUND)  # some have several words that begin so
    )
    for word in others:
        same = _MORE.c.customer_id == _FOUND.c.customer_id
        query = query.where(exists().where(same, _begins(_MORE, word)))
    words: dict[str, str] = {}
    for row in await connection.execute(query):
        words.setdefault(row.customer_id, row.word)
    customers = await load(connection, list(words)[:MAX_FOUND])
    return sorted(customers, key=lambda each: (words[each.customer_id], each.name.casefold()))


def _begins(words: FromClause, start: str) -> ColumnElement[bool]:
    return and_(words.c.word >= start, words.c.word < start + AFTER_ALL)


async def list_all(
    connection: AsyncConnection, *, limit: int, after_name: str = ""
) -> list[CustomerFacts]:
    """Customers by name, `limit` of them, beginning behind `after_name`."""
    rows = await connection.execute(
        select(CUSTOMER.c.id)
        .where(CUSTOMER.c.search > after_name.casefold())
        .order_by(CUSTOMER.c.search)
        .limit(limit)
    )
    return await load(connection, [row.id for row in rows])


async def load(connection: AsyncConnection, ids: Sequence[str]) -> list[CustomerFacts]:
    """The customers with these ids, in this order; ids that are not known are left out."""
    if not ids:
        return []
    customers: dict[str, Row[Any]] = {}
    points: dict[str, list[ContactPointFacts]] = {}
    for row in await connection.execute(_CUSTOMERS, {"ids": list(ids)}):
        customers[row.id] = row
        if row.point_kind is not None:
            point = ContactPointFacts(
                kind=row.point_kind, value=row.value, raw=row.raw, label=row.label
            )
            points.setdefault(row.id, []).append(point)
    recent = await recent_of(connection, ids)
    return [
        _facts(customers[id_], points.get(id_, ()), recent.get(id_, ()))
        for id_ in ids
        if id_ in customers
    ]


async def id_of_reference(connection: AsyncConnection, reference: str) -> str | None:
    """The customer with this key of another system."""
    result = await connection.execute(
        select(CUSTOMER.c.id).where(CUSTOMER.c.reference == reference)
    )
    return result.scalar_one_or_none()


async def create(
    connection: AsyncConnection, draft: CustomerDraft, region: str, *, customer_id: str = ""
) -> str:
    """Add a customer and give its id. Raises `BadRecord` for a draft that says too little."""
    values = _values(draft)
    now = datetime.now(UTC)
    id_ = customer_id or uuid.uuid4().hex
    await connection.execute(
        insert(CUSTOMER).values(id=id_, created_at=now, updated_at=now, **values)
    )
    await _add_words(connection, id_, values)
    await add_contact_points(connection, id_, draft, region)
    return id_


async def change(
    connection: AsyncConnection, customer_id: str, draft: CustomerDraft, region: str
) -> None:
    """Replace a customer's fields; contact points are added, never removed."""
    values = _values(draft)
    result = await connection.execute(
        update(CUSTOMER)
        .where(CUSTOMER.c.id == customer_id)
        .values(updated_at=datetime.now(UTC), **values)
    )
    if result.rowcount == 0:
        raise NotStored(f"there is no customer {customer_id}")
    await connection.execute(
        delete(CUSTOMER_WORD).where(CUSTOMER_WORD.c.customer_id == customer_id)
    )
    await _add_words(connection, customer_id, values)
    await add_contact_points(connection, customer_id, draft, region)


async def _add_words(
    connection: AsyncConnection, customer_id: str, values: Mapping[str, Any]
) -> None:
    words = words_of(f"{values['name']} {values['company']}")
    if words:
        rows = [{"word": word, "customer_id": customer_id} for word in words]
        await connection.execute(insert(CUSTOMER_WORD), rows)


async def add_contact_points(
    connection: AsyncConnection, customer_id: str, draft: CustomerDraft, region: str
) -> None:
    """Add the draft's numbers and addresses that the customer does not have yet."""
    wanted = [_phone(phone, region) for phone in draft.phones if phone.strip()]
    wanted += [_email(address) for address in draft.emails if address.strip()]
    known = {
        (row.kind, row.value)
        for row in await connection.execute(
            select(CONTACT_POINT.c.kind, CONTACT_POINT.c.value).where(
                CONTACT_POINT.c.customer_id == customer_id
            )
        )
    }
    for point in wanted:
        key = (point["kind"], point["value"])
        if key not in known:
            known.add(key)
            await connection.execute(
                insert(CONTACT_POINT).values(customer_id=customer_id, label="", **point)
            )


def _phone(raw: str, region: str) -> dict[str, Any]:
    number = normalise(raw, region)
    if not is_number(number.raw):
        raise BadRecord(f"phone {raw!r} is not a telephone number")
    return {
        "kind": "phone",
        "value": number.value,
        "raw": number.raw,
        "is_e164": number.is_e164,
        "tail": number.tail,
    }


def _email(raw: str) -> dict[str, Any]:
    text = raw.strip()
    name, at, domain = text.rpartition("@")
    if not (name and at and "." in domain) or any(c.isspace() for c in text) or len(text) > 200:
        raise BadRecord(f"email {raw!r} is not an address (name@example.com)")
    return {"kind": "email", "value": text.lower(), "raw": text, "is_e164": False, "tail": ""}


def _values(draft: CustomerDraft) -> dict[str, Any]:
    values = {
        "kind": draft.kind,
        "name": _text(draft.name),
        "company": _text(draft.company),
        "tier": _text(draft.tier),
        "language": _text(draft.language),
        "remarks": _text(draft.remarks),
        "reference": _text(draft.reference) if draft.reference else None,
    }
    if not values["name"]:
        raise BadRecord("a customer needs a name")
    if draft.kind not in ("person", "organisation"):
        raise BadRecord(f"kind {draft.kind!r} is neither person nor organisation")
    for field, value in values.items():
        limit = getattr(CUSTOMER.c[field].type, "length", None) or 10_000
        if value is not None and len(value) > limit:
            raise BadRecord(f"{field} is longer than {limit} characters")
    return {**values, "search": f"{values['name']} {values['company']}".strip().casefold()[:420]}


def _text(text: str | None) -> str:
    """Trimmed, and free of what databases refuse."""
    return (text or "").replace("\0", "").encode("utf-8", "replace").decode().strip()


def _facts(
    row: Row[Any],
    points: Iterable[ContactPointFacts],
    recent: Iterable[PastInteractionFacts],
) -> CustomerFacts:
    return CustomerFacts(
        customer_id=row.id,
        kind=row.kind,
        name=row.name,
        company=row.company,
        tier=row.tier,
        language=row.language,
        remarks=row.remarks,
        reference=row.reference,
        contact_points=tuple(points),
        recent=tuple(recent),
    )
