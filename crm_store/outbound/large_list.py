"""A large list without a file: for measurements. Its numbers are made up and are never dialled."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Connection, Double, String, bindparam, insert, text
from sqlalchemy.types import TypeEngine

from acd.dialer.compliance_places import Place, place_of
from acd.dialer.model import CampaignName
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE
from crm_store.database import Database
from crm_store.models.tables import BATCH
from crm_store.outbound.campaign_rows import row_of
from crm_store.outbound.mass_changes import reserve_ids
from crm_store.outbound.places import PlaceBook

_AT_ONCE: Final = 50_000
_TYPES: Final[dict[str, TypeEngine[Any]]] = {
    "at": Double(),
    "facts": JSON(),
    "counts": JSON(),
    "name": String(),
}
"""Of what the statements are given; all else are whole numbers."""

_PEOPLE: Final = (
    "WITH RECURSIVE n(i) AS (SELECT :begin UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end), "
    "person AS (SELECT :first + i AS id, i, i % 10 AS part, area.place_id AS place_id, "
    " '+1' || area.code || '555' || substr(CAST(10000 + i / :areas AS VARCHAR(5)), 2) AS number, "
    " i % 5 AS priority "
    " FROM n JOIN list_area AS area ON area.idx = i % :areas AND area.home = i / :areas % :homes) "
)
"""Six of ten were never tried, three wait for their next attempt, one is done."""
_RECORDS: Final = (
    "INSERT INTO outbound_record (id, campaign_id, batch_id, name, facts, priority, stage, place_id, "
    "rank, position, number, due_at, is_promised, attempts, counts, last_outcome, last_disposition, "
    "last_at, last_attempt) "
    + _PEOPLE
    + "SELECT id, :campaign, :batch, 'Person ' || i, :facts, priority, "
    "CASE WHEN part < 6 THEN 'ready' WHEN part < 9 THEN 'retry' ELSE 'reached' END, place_id, "
    "(1000 - priority) * CAST(1099511627776 AS BIGINT) + id, 0, number, "
    "CASE WHEN part BETWEEN 6 AND 8 THEN :at + 60 + i % 86400 END, {false}, "
    "CASE WHEN part < 6 THEN 0 ELSE 1 END, :counts, "
    "CASE WHEN part < 6 THEN '' WHEN part < 9 THEN 'no-answer' ELSE 'connected' END, '', "
    "CASE WHEN part >= 6 THEN :at - 200000 - i % 2000000 END, "
    "CASE WHEN part >= 6 THEN 'list-' || id END FROM person"
)
_NUMBERS: Final = (
    "INSERT INTO outbound_number (record_id, position, campaign_id, number, place_id, is_dead) "
    + _PEOPLE
    + "SELECT id, 0, :campaign, number, place_id, {false} FROM person"
)
_ATTEMPTS: Final = (
    "INSERT INTO attempt (id, campaign_id, campaign, settings_version, record_id, name, number, region, "
    "zone, caller_id, mode, dialled_at, ended_at, clicked_by, trunk, outcome, disposition, sip_status, "
    "reason, why, rules, judged, decision) "
    + _PEOPLE
    + "SELECT 'list-' || id, :campaign, :name, 1, id, 'Person ' || i, number, 'US', "
    "'America/New_York', '', 'progressive', :at - 200000 - i % 2000000, :at - 199975 - i % 2000000, '', '', "
    "CASE WHEN part < 9 THEN 'no-answer' ELSE 'connected' END, '', 0, '', '', 1, '', 0 "
    "FROM person WHERE part >= 6"
)


async def fill(
    database: Database, campaign: str, records: int, at: float, *, moved: bool = False
) -> None:
    """Give a campaign so many records with numbers all over the United States, a third of them tried.

    At most 3.5 million. `moved`: the list says for each where the person lives, anywhere.
    """
    areas = _areas(moved)
    places = await database.work(partial(PlaceBook().ids, places=areas.values()))
    begin = await database.work(
        partial(_prepare, campaign=campaign, areas=areas, places=places, at=at)
    )
    for first in range(0, records, _AT_ONCE):
        piece = {**begin, "begin": first, "end": min(records, first + _AT_ONCE), "at": at}
        await database.work(partial(_put, values=piece))
    await database.work(_tidy)


def _areas(moved: bool) -> dict[tuple[str, int], Place]:
    """Where people are by the area code of their number and the state in which they live."""
    homes = sorted(set(STATE_OF_AREA_CODE.values())) if moved else [""]
    return {
        (code, number): place_of(f"+1{code}5550100", region=home and f"US-{home}")
        for number, home in enumerate(homes)
        for code in sorted(STATE_OF_AREA_CODE)
    }


def _prepare(
    connection: Connection,
    campaign: str,
    areas: dict[tuple[str, int], Place],
    places: dict[Place, int],
    at: float,
) -> dict[str, Any]:
    row = row_of(connection, CampaignName(campaign))
    connection.execute(text("DROP TABLE IF EXISTS list_area"))
    connection.execute(
        text(
            "CREATE TABLE list_area (idx INTEGER, home INTEGER, code TEXT, place_id INTEGER,"
            " PRIMARY KEY (idx, home))"
        )
    )
    codes = {code: index for index, code in enumerate(dict.fromkeys(code for code, _ in areas))}
    rows = [
        {"idx": codes[code], "home": home, "code": code, "place_id": places[place]}
        for (code, home), place in areas.items()
    ]
    connection.execute(text("INSERT INTO list_area VALUES (:idx, :home, :code, :place_id)"), rows)
    batch = connection.execute(
        insert(BATCH).values(campaign_id=row.id, file="large list", state="done", at=at, by="bench")
    ).inserted_primary_key
    return {
        "campaign": row.id,
        "name": row.name,
        "batch": batch[0] if batch else 0,
        "areas": len(codes),
        "homes": len(areas) // len(codes),
        "facts": {"city": "Springfield", "product": "B-12"},
        "counts": {},
    }


def _put(connection: Connection, values: dict[str, Any]) -> None:
    count = values["end"] - values["begin"]
    first = reserve_ids(connection, count) - values["begin"]
    for statement in (_RECORDS, _NUMBERS, _ATTEMPTS):
        false = "0" if connection.dialect.name == "sqlite" else "false"
        given = {**values, "first": first}
        wanted = {name: value for name, value in given.items() if f":{name}" in statement}
        typed = [bindparam(name, type_=_TYPES.get(name, BigInteger())) for name in wanted]
        made = text(statement.replace("{false}", false)).bindparams(*typed)
        connection.execute(made, wanted)


def _tidy(connection: Connection) -> None:
    connection.execute(text("DROP TABLE list_area"))
    connection.execute(text("ANALYZE"))
