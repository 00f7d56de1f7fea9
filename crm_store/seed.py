"""Customers for `switchroom demo`: about thirty, with a past. Seeding twice changes nothing.

All numbers are from ranges reserved for fiction (+1 202 555 01xx, +44 1632 960xxx), all addresses
under example.com. The first two customers share one number, as families and small firms do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm_store.facts import CustomerDraft
from crm_store.rows import DispositionRow, InteractionRow, NoteRow, TimelineRow
from crm_store.store import Store

DAY_S: Final = 86_400.0

SHARED_NUMBER: Final = "+12025550100"
"""Two customers have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """One earlier interaction."""

    days_ago: float
    queue: str
    agent: str
    talked_s: float
    disposition: str = ""
    note: str = ""
    result: str = "answered"


def _person(
    name: str,
    phone: str,
    *,
    company: str = "",
    tier: str = "",
    language: str = "en",
    remarks: str = "",
    kind: str = "person",
) -> CustomerDraft:
    return CustomerDraft(
        name=name,
        kind=kind,
        company=company,
        tier=tier,
        language=language,
        remarks=remarks,
        phones=tuple(phone.split(";")),
        emails=(),
    )


_CUSTOMERS: Final = (
    _person("Margaret Hale", SHARED_NUMBER, tier="gold", remarks="Prefers mornings."),
    _person("John Hale", SHARED_NUMBER, tier="silver"),
    _person("王小明", "+12025550102", language="zh", tier="gold", remarks="请用中文接待。"),
    _person("Amelia Okafor", "+12025550103", company="Okafor Design"),
    _person("李娜", "+12025550104", language="zh", company="东方花园"),
    _person("Peter Novak", "+12025550105", tier="silver"),
    _person("Sofia Lindqvist", "+12025550106;+441632960106", company="Lindqvist & Co"),
    _person("陈伟", "+12025550107", language="zh"),
    _person("Daniel Price", "+12025550108", remarks="Hard of hearing: speak slowly."),
    _person("Grace Mbeki", "+12025550109", tier="gold", company="Mbeki Logistics"),
    _person("张丽", "+12025550110", language="zh", tier="silver"),
    _person("Thomas Becker", "+12025550111"),
    _person("Isabel Romero", "+12025550112", company="Romero Foods"),
    _person("刘洋", "+12025550113", language="zh", company="远航科技", tier="gold"),
    _person("Hannah Cole", "+12025550114", tier="silver"),
    _person("Marcus Webb", "+12025550115"),
    _person("赵敏", "+12025550116", language="zh"),
    _person("Olivia Grant", "+12025550117", company="Grant Legal", tier="gold"),
    _person("Rajesh Iyer", "+12025550118"),
    _person("孙悦", "+12025550119", language="zh", remarks="老客户,请优先处理。"),
    _person("Edward Finch", "+441632960120", tier="silver"),
    _person("Charlotte Byrne", "+441632960121", company="Byrne Books"),
    _person("周杰", "+441632960122", language="zh"),
    _person("Samuel Osei", "+441632960123"),
    _person("Lucy Marsh", "+441632960124", tier="gold", remarks="Account manager: sales team."),
    _person("吴芳", "+441632960125", language="zh", company="江南茶社"),
    _person("Northgate Clinic", "+441632960126", kind="organisation", tier="gold"),
    _person("Harbour Taxis", "+441632960127", kind="organisation"),
    _person("George Whitfield", "+441632960128"),
    _person("郑强", "+441632960129", language="zh", tier="silver"),
)

_PASTS: Final[dict[int, tuple[_Past, ...]]] = {
    0: (
        _Past(days_ago=2.1, queue="sales", agent="1002", talked_s=214.0, disposition="sale",
              note="Ordered the family plan; wants delivery before Friday."),
        _Past(days_ago=19.4, queue="support", agent="1026", talked_s=388.0,
              disposition="resolved", note="Router kept restarting; replaced the power supply."),
        _Past(days_ago=41.0, queue="sales", agent="", talked_s=0.0, result="abandoned"),
    ),
    1: (
        _Past(days_ago=6.3, queue="support", agent="1027", talked_s=95.0,
              disposition="resolved", note="Asked for a copy of the last invoice; sent by mail."),
    ),
    2: (
        _Past(days_ago=1.2, queue="sales", agent="1003", talked_s=176.0,
              disposition="follow-up", note="想了解企业套餐,周四下午回电。"),
        _Past(days_ago=30.0, queue="support", agent="1028", talked_s=240.0,
              disposition="resolved", note="账单地址已更新。"),
    ),
    5: (
        _Past(days_ago=0.4, queue="support", agent="1026", talked_s=510.0,
              disposition="follow-up", note="Second fault this month; technician booked."),
    ),
    9: (
        _Past(days_ago=3.0, queue="sales", agent="1001", talked_s=330.0, disposition="sale",
              note="Twelve more lines for the depot."),
        _Past(days_ago=3.1, queue="sales", agent="", talked_s=0.0, result="abandoned"),
    ),
    13: (
        _Past(days_ago=12.5, queue="sales", agent="1004", talked_s=145.0,
              disposition="resolved", note="暂时不需要升级。"),
    ),
    24: (
        _Past(days_ago=8.0, queue="sales", agent="1001", talked_s=260.0,
              disposition="follow-up", note="Contract ends next month; compare offers."),
    ),
    26: (
        _Past(days_ago=5.5, queue="support", agent="1030", talked_s=420.0,
              disposition="resolved", note="Night number now rings the duty phone."),
    ),
}  # fmt: skip


def seed_numbers() -> tuple[str, ...]:
    """The main number of each seeded customer, for simulated callers."""
    return tuple(draft.phones[0] for draft in _CUSTOMERS)


async def seed(store: Store, *, now: float) -> int:
    """Add the demo's customers and their past. `now`: seconds since the epoch. Returns how many."""
    added = 0
    for index, draft in enumerate(_CUSTOMERS):
        customer_id = f"demo{index:02d}"
        if await store.get_customer(customer_id) is not None:
            continue
        await store.create_customer(draft, customer_id=customer_id)
        added += 1
        for number, past in enumerate(_PASTS.get(index, ())):
            _append_past(store, customer_id, draft, f"{customer_id}-{number}", past, now)
    await store.history.flush()
    return added


def _append_past(
    store: Store, customer_id: str, draft: CustomerDraft, id_: str, past: _Past, now: float
) -> None:
    started = now - past.days_ago * DAY_S
    waited = 12.0 if past.agent else 35.0
    ended = started + waited + past.talked_s
    store.history.append(
        InteractionRow(
            interaction_id=id_,
            started=started,
            revision=1,
            caller_number=draft.phones[0],
            caller_name=draft.name,
            called="4000",
            queue=past.queue,
            agent_id=past.agent or None,
            agent_name=f"Agent {past.agent}" if past.agent else None,
            customer_id=customer_id,
            ended=ended,
            result=past.result,
            reason="caller-hung-up",
            waited_s=waited,
            talked_s=past.talked_s,
        )
    )
    store.history.append(
        TimelineRow(
            interaction_id=id_,
            seq=1,
            at=ended,
            type="InteractionEnded",
            data={
                "result": past.result,
                "reason": "caller-hung-up",
                "waited_s": waited,
                "talked_s": past.talked_s,
            },
        )
    )
    if past.note:
        store.history.append(
            NoteRow(
                note_id=f"{id_}-note",
                interaction_id=id_,
                at=ended + 5.0,
                author=past.agent,
                text=past.note,
            )
        )
    if past.disposition:
        store.history.append(
            DispositionRow(
                disposition_id=f"{id_}-disposition",
                interaction_id=id_,
                at=ended + 8.0,
                author=past.agent,
                code=past.disposition,
            )
        )
