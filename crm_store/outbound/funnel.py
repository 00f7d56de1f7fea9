"""The funnel: what each filter leaves of a list, counted, in words.

One count by stage and place, along the index that claims use, and two small ones; two million records
take a fraction of a second.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, func, select, text

from acd.dialer.compliance_caps import LOOK_BACK_S, counts_for_caps, judge_caps
from acd.dialer.compliance_moves import Stage
from acd.dialer.compliance_places import Place
from acd.dialer.compliance_windows import local_text
from acd.dialer.model import Blocker, CampaignName, Funnel, Outcome
from crm_store.models.tables import ATTEMPT, RECORD, RECORD_NUMBER
from crm_store.outbound.campaign_rows import Known
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.quotas import full_quotas
from crm_store.outbound.shelving import WAITING

_R, _N, _A = RECORD.c, RECORD_NUMBER.c, ATTEMPT.c
_SHOWN: Final = 3
"""Places that are named."""
_LOOKED_AT: Final = 200
"""Records whose columns are known as those of the list."""
_GONE: Final = (
    (Stage.REACHED, "reached: talked to, or heard the announcement; nothing to do"),
    (Stage.FINAL, "closed by what an agent chose"),
    (
        Stage.EXHAUSTED,
        "out of attempts; raise limits.attempts or a retry's times, then `campaigns recycle`",
    ),
    (
        Stage.ENDED,
        "ended: [its|their] last outcome is not tried again; see retries, or `campaigns recycle`",
    ),
    (Stage.NO_NUMBER, "without a number that exists; mend the list and import it again"),
    (Stage.DO_NOT_CALL, "on a do-not-call list"),
    (Stage.OPTED_OUT, "opted out during a call"),
)
"""Words behind a count; [one|several] stands where they depend on it, as in `_counted_words`."""
_WAITING: Final = (
    (Stage.QUOTA, "of a kind of which enough were reached; raise the quota to dial [it|them]"),
    (
        Stage.RETRY,
        "[waits|wait] for [its|their] next attempt; the pause is that of [its|their] last outcome",
    ),
    (Stage.CALL_BACK, "asked to be called back later"),
    (
        Stage.CAP,
        "[was|were] dialled as often as allowed in a day or 24 h, [is|are] dialled elsewhere, "
        "or [was|were] abandoned lately and [needs|need] an agent",
    ),
    (
        Stage.NO_WAY,
        "[has|have] a number that no trunk or number plan leads to; asked every ten minutes",
    ),
    (Stage.MINE, "[waits|wait] for one agent alone, who must be free for this campaign"),
)

_IN_HAND: Final = "with the dialer: dialled next, or in a call; nothing holds [it|them] back"

_NUMBER: Final = re.compile(r"\[(.*?)\|(.*?)\]")

Counts = Mapping[tuple[str, int], int]
"""Records by stage and place."""


def funnel(
    connection: Connection, book: PlaceBook, known: Known, name: CampaignName, at: float
) -> Funnel:
    """Count what is in the way of each record."""
    counts, ends = _counted(connection, known.id, at)
    by_stage: dict[str, int] = defaultdict(int)
    for (stage, _), count in counts.items():
        by_stage[stage] += count
    steps = [
        Blocker(code=stage, words=_counted_words(by_stage[stage], words), count=by_stage[stage])
        for stage, words in _GONE
        if by_stage[stage]
    ]
    agents = _agents(connection, known.id) if by_stage[Stage.MINE] else ""
    for_whom = f": {agents}" if agents else ""  # empty where all came due since they were judged
    steps += [
        Blocker(
            code=stage,
            words=_counted_words(by_stage[stage], words)
            + (for_whom if stage == Stage.MINE else ""),
            count=by_stage[stage],
            until=ends.get(stage),
        )
        for stage, words in _WAITING
        if by_stage[stage]
    ]
    ready = {place: count for (stage, place), count in counts.items() if stage == Stage.READY}
    places = book.places(connection, ready)
    left = dict(ready)
    steps += _closed(known, places, left, at)
    steps += _capped(connection, book, known, left, at)
    steps += _without_column(connection, known)
    if in_hand := by_stage[Stage.CLAIMED]:
        steps.append(
            Blocker(code=Stage.CLAIMED, words=_counted_words(in_hand, _IN_HAND), count=in_hand)
        )
    return Funnel(
        campaign=name,
        at=at,
        total=sum(counts.values()),
        steps=tuple(steps),
        callable=max(0, sum(left.values())),
    )


def _agents(connection: Connection, campaign_id: int) -> str:
    """For whom records wait, most first."""
    rows = connection.execute(
        select(_R.agent, func.count().label("times"))
        .where(_R.campaign_id == campaign_id, _R.stage == Stage.MINE)
        .group_by(_R.agent)
        .order_by(text("times DESC"), _R.agent)
    ).all()
    shown = ", ".join(f"{agent} ({count:,})" for agent, count in rows[:_SHOWN])
    return f"{shown}, and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else shown


def _counted(
    connection: Connection, campaign_id: int, at: float
) -> tuple[dict[tuple[str, int], int], dict[str, float]]:
    """Records by stage and place, with those counted as ready whose time has come; and the next times."""
    rows = connection.execute(
        select(_R.stage, _R.place_id, func.count())
        .where(_R.campaign_id == campaign_id)
        .group_by(_R.stage, _R.place_id)
    )
    counts = {(stage, place): count for stage, place, count in rows}
    # Grouped by what no index has, or SQLite reads the whole list in the order of one that fits.
    stage_of_due = _R.stage.concat("")
    due = connection.execute(
        select(stage_of_due, _R.place_id, _R.agent.is_not(None), func.count())
        .where(_R.campaign_id == campaign_id, _R.stage.in_(WAITING), _R.due_at <= at)
        .group_by(stage_of_due, _R.place_id, _R.agent.is_not(None))
    )
    for stage, place, has_agent, count in due:
        counts[stage, place] -= count
        to = (Stage.MINE if has_agent else Stage.READY, place)
        counts[to] = counts.get(to, 0) + count
    ends: dict[str, float] = {}
    for stage in {stage for stage, _ in counts}.intersection((*WAITING, Stage.MINE)):
        # One look at the index each; all at once would read every record that waits.
        first = select(func.min(_R.due_at)).where(
            _R.campaign_id == campaign_id, _R.stage == stage, _R.due_at > at
        )
        found = connection.execute(first).scalar_one()
        if found is not None:
            ends[stage] = found
    return counts, ends


def _closed(
    known: Known, places: Mapping[int, Place], left: dict[int, int], at: float
) -> Iterator[Blocker]:
    """Take away places that are outside their windows."""
    never: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    opens: list[float] = []
    for number, place in places.items():
        state = known.openings.in_words(place, at)
        if state.is_open:
            continue
        count = left.pop(number)
        if state.is_never or state.changes_at is None:
            never.append((count, f"{place}: {state.words}"))
            continue
        opens.append(state.changes_at)
        there = local_text(place.zones[0], state.changes_at)[-5:]
        later.append((count, f"{place}, opens {there} there: {state.words}"))
    if never:
        yield Blocker(
            code="no-window",
            words=_by_place(never, "[is|are] never inside a window"),
            count=_sum(never),
        )
    if later:
        words = _by_place(later, "[is|are] outside the hours of [its|their] place")
        yield Blocker(code="outside-window", words=words, count=_sum(later), until=min(opens))


def _capped(
    connection: Connection, book: PlaceBook, known: Known, left: dict[int, int], at: float
) -> Iterator[Blocker]:
    """Take away records whose number was dialled often enough, maybe by another campaign."""
    limits = known.settings.limits
    caps = [limits.per_day, limits.per_24_h, *(cap.per_24_h for cap in limits.by_region)]
    lowest = min((cap for cap in caps if cap > 0), default=0)
    if lowest and left:
        rows = connection.execute(
            select(_A.number)
            .where(_A.dialled_at > at - LOOK_BACK_S)
            .group_by(_A.number)
            .having(func.count() >= lowest)
        )
        count, frees = 0, []
        numbers = list(rows.scalars())
        for begin in range(0, len(numbers), 500):
            for place, until in _over(connection, book, known, numbers[begin : begin + 500], at):
                if place in left:
                    left[place] -= 1
                    count += 1
                    frees.append(until)
        if count:
            words = _counted_words(count, "[was|were] dialled as often as allowed, by any campaign")
            yield Blocker(code="number-cap", words=words, count=count, until=min(frees))
    full = full_quotas(connection, known, at)
    if full:
        words = "; ".join(f"{quota.column} {quota.value!r} at {quota.goal}" for quota in full)
        yield Blocker(code="quota-full", words=f"full quotas take more as they are met: {words}")


def _without_column(connection: Connection, known: Known) -> Iterator[Blocker]:
    """Quotas whose column no record has, of those that are looked at: they count nobody."""
    columns = {quota.column for quota in known.settings.quotas}
    if not columns:
        return
    facts = select(_R.facts).where(_R.campaign_id == known.id).limit(_LOOKED_AT)
    rows = connection.execute(facts).scalars().all()
    missing = sorted(columns.difference(*rows)) if rows else []
    if missing:
        words = f"quotas of {', '.join(missing)} count nobody: the list has no such column"
        yield Blocker(code="quota-column", words=words)


def _over(
    connection: Connection, book: PlaceBook, known: Known, numbers: list[str], at: float
) -> Iterator[tuple[int, float]]:
    """Ready records that stand on numbers over a cap: place, and when the cap lets go."""
    rows = connection.execute(
        select(_R.number, _R.place_id)
        .join(RECORD_NUMBER, (_N.record_id == _R.id) & (_N.position == _R.position))
        .where(_N.number.in_(numbers), _N.campaign_id == known.id, _R.stage == Stage.READY)
    ).all()
    if not rows:
        return
    standing = sorted({row.number for row in rows})
    dialled: dict[str, list[float]] = defaultdict(list)
    attempts = select(_A.number, _A.dialled_at, _A.outcome, _A.rang_at).where(
        _A.number.in_(standing), _A.dialled_at > at - LOOK_BACK_S
    )
    for past in connection.execute(attempts):
        if counts_for_caps(Outcome(past.outcome), past.rang_at):
            dialled[past.number].append(past.dialled_at)
    places = book.places(connection, {row.place_id for row in rows})
    for row in rows:
        verdict = judge_caps(
            known.settings.limits, places[row.place_id], 0, dialled[row.number], at
        )
        if verdict.free_at is not None:
            yield row.place_id, verdict.free_at


def _by_place(places: list[tuple[int, str]], what: str) -> str:
    places.sort(key=lambda each: each[0], reverse=True)
    shown = "; ".join(f"{count:,} in {words}" for count, words in places[:_SHOWN])
    rest = f"; and {len(places) - _SHOWN} more places" if len(places) > _SHOWN else ""
    return f"{_counted_words(_sum(places), what)}: {shown}{rest}"


def _sum(places: list[tuple[int, Any]]) -> int:
    return sum(count for count, _ in places)


def _counted_words(count: int, words: str) -> str:
    """`1 waits`, `2,000 wait` of "[waits|wait]"."""
    form = 1 if count == 1 else 2
    return f"{count:,} {_NUMBER.sub(lambda found: found[form], words)}"
