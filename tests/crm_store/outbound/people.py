"""Lists of people for the tests, put into a store without a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert

from acd.dialer.compliance_moves import Stage
from acd.dialer.compliance_places import place_of
from acd.dialer.model import Attempt, AttemptId, CampaignName, Candidate, Mode, Outcome
from acd.dialer.settings import CampaignSettings, Limits, Window
from crm_store.models.tables import RECORD, RECORD_NUMBER
from crm_store.outbound.campaign_rows import row_of
from crm_store.outbound.mass_changes import reserve_ids
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.ranks import rank_of
from crm_store.store import Store

NOON = 1_795_525_200.0
"""Tuesday 24 November 2026: 13:00 UTC, 08:00 in New York, 07:00 in Chicago, 21:00 in Shanghai."""
HOUR = 3600.0
WINTER = CampaignName("winter")
ALWAYS = (Window(begin="00:00", end="24:00"),)


def settings(**changes: Any) -> CampaignSettings:
    """A campaign that dials at any hour, with no limits but those given."""
    values: dict[str, Any] = {
        "name": WINTER,
        "windows": ALWAYS,
        "limits": Limits(attempts=0, per_day=0, per_24_h=0),
    }
    return CampaignSettings(**{**values, **changes})


def new_york(number: int) -> str:
    """A number that nobody has, in New York: 0 to 99."""
    return f"+121255501{number:02}"


async def given(store: Store, *people: Sequence[str], **changes: Any) -> None:
    """Create the campaign with a list; each person is its numbers, in E.164."""
    made = settings(**changes)
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    if people:
        await listed(store, people, made)


async def listed(
    store: Store,
    people: Sequence[Sequence[str]],
    made: CampaignSettings,
    *,
    facts: Sequence[dict[str, str]] = (),
    priorities: Sequence[int] = (),
    owner: str | None = None,
) -> None:
    book = PlaceBook()
    everywhere = {place_of(number) for numbers in people for number in numbers}
    places = await store._database.work(lambda c: book.ids(c, everywhere))

    def work(connection: Connection) -> None:
        campaign = row_of(connection, made.name).id
        first = reserve_ids(connection, len(people))
        rows, numbers = [], []
        for index, person in enumerate(people):
            priority = priorities[index] if priorities else 0
            rows.append(
                {
                    "id": first + index,
                    "campaign_id": campaign,
                    "batch_id": 1,
                    "name": f"Person {index}",
                    "facts": facts[index] if facts else {"row": str(index)},
                    "priority": priority,
                    "stage": Stage.READY if owner is None else Stage.MINE,
                    "place_id": places[place_of(person[0])],
                    "rank": rank_of(made.order, first + index, priority, None, None),
                    "position": 0,
                    "number": person[0],
                    "agent": owner,
                    "owner": owner,
                    "is_promised": False,
                    "attempts": 0,
                    "counts": {},
                    "last_outcome": "",
                    "last_disposition": "",
                }
            )
            numbers += [
                {
                    "record_id": first + index,
                    "position": position,
                    "campaign_id": campaign,
                    "number": number,
                    "place_id": places[place_of(number)],
                    "is_dead": False,
                }
                for position, number in enumerate(person)
            ]
        connection.execute(insert(RECORD), rows)
        connection.execute(insert(RECORD_NUMBER), numbers)

    await store._database.work(work)


def dialled(candidate: Candidate, outcome: Outcome, at: float, **more: Any) -> Attempt:
    """What became of a candidate that was dialled then; it took half a minute."""
    values: dict[str, Any] = {
        "id": AttemptId(f"{candidate.record}-{at:.0f}"),
        "campaign": candidate.campaign,
        "record": candidate.record,
        "number": candidate.number,
        "caller_id": "+12025550100",
        "mode": Mode.PROGRESSIVE,
        "dialled_at": at,
        "why": candidate.why,
        "outcome": outcome,
        "ended_at": at + 30.0,
        "claim": candidate.claim,
    }
    return Attempt(**{**values, **more})
