"""Campaigns: what they dial, what comes of it, the abandon rate against its cap, and what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cti.metrics.families import PREFIX, counter, gauge
from cti.metrics.sources import Sources
from cti.schema import CampaignView

_MOST: Final = 100
"""Campaigns; names are people's, so there may be many. Those that run come first."""

_GAUGES: tuple[tuple[str, str, Callable[[CampaignView], float | None]], ...] = (
    ("running", "1 while it runs.", lambda c: c.state == "running"),
    ("in_flight", "Dialled and not answered yet.", lambda c: c.in_flight),
    ("waiting", "People who answered and have no agent yet.", lambda c: c.waiting),
    ("talking", "Talks, or announcements heard.", lambda c: c.talking),
    ("records_ahead", "Records at hand.", lambda c: c.ahead),
    ("agents_signed_on", "Agents of its queue, signed on.", lambda c: c.agents.signed_on),
    ("agents_share", "Free agents that it dials for.", lambda c: c.agents.share),
    ("dial_level", "Dials and waiting people for each free agent.", lambda c: c.dial_level),
    ("theta", "It dials while the next one finds no agent with at most this probability.",
     lambda c: c.pacing.get("threshold")),
    ("abandon_cap_ratio", "What the abandon rate is held under.", lambda c: c.cap_percent / 100),
    ("abandon_enforced_ratio", "What is compared with the cap; absent before the first answer.",
     lambda c: None if c.enforced_percent is None else c.enforced_percent / 100),
    ("abandon_held_ratio", "The worst rate of the formulas it is held to, without a guard's bound.",
     lambda c: max((r.percent / 100 for r in c.rates if r.enforced and r.percent is not None), default=None)),
    ("penetration_ratio", "How far its list is worked through.", lambda c: c.records.penetration),
)  # fmt: skip


def families(sources: Sources) -> Iterator[Metric]:
    """Everything outbound."""
    service = sources.centre.campaigns.service
    views = sorted(service.views(), key=lambda view: view.state != "running")[:_MOST]
    for name, text, value in _GAUGES:
        yield _gauge(name, text, views, value)
    dials = CounterMetricFamily(
        PREFIX + "campaign_dials", "Dials, since midnight.", labels=("campaign",)
    )
    outcomes = CounterMetricFamily(
        PREFIX + "campaign_attempts",
        "Attempts that are over, by outcome.",
        labels=("campaign", "outcome"),
    )
    rates = GaugeMetricFamily(
        PREFIX + "campaign_abandon_ratio",
        "The abandon rate by each formula; absent before the first answer.",
        labels=("campaign", "formula"),
    )
    bounds = GaugeMetricFamily(
        PREFIX + "campaign_abandon_bound_ratio",
        "The upper end of its 95 % interval.",
        labels=("campaign", "formula"),
    )
    blocked = GaugeMetricFamily(
        PREFIX + "campaign_blocked",
        "1 for each reason why nothing, or not more, is dialled.",
        labels=("campaign", "reason"),
    )
    records = GaugeMetricFamily(
        PREFIX + "campaign_records", "Records by state.", labels=("campaign", "state")
    )
    for view in views:
        dials.add_metric((view.name,), view.dialled)
        for outcome, count in view.total.items():
            outcomes.add_metric((view.name, outcome), count)
        for rate in view.rates:
            if rate.percent is not None and rate.upper_percent is not None:
                rates.add_metric((view.name, rate.formula), rate.percent / 100)
                bounds.add_metric((view.name, rate.formula), rate.upper_percent / 100)
        for code in dict.fromkeys(each.code for each in view.blockers):
            blocked.add_metric((view.name, code), 1)
        for state in ("ready", "claimed", "done", "blocked"):
            records.add_metric((view.name, state), getattr(view.records, state))
    yield from (dials, outcomes, rates, bounds, blocked, records)
    yield gauge("campaigns", "Campaigns that are loaded.", len(service.states))
    yield gauge(
        "campaigns_unusable", "Those that the configuration has no room for.", len(service.broken)
    )
    settling = service.settling
    yield gauge("attempts_unsettled", "Attempts that the store has not yet.", settling.pending)
    yield counter("attempts_settled", "Attempts that it has taken.", settling.settled)
    yield counter("attempts_refused", "Those that it will never take.", settling.refused)
    yield counter(
        "attempts_failed_writes", "Batches that it did not take at once.", settling.failed
    )
    yield counter(
        "campaign_decisions_dropped",
        "Decisions of the pacer not kept, as the disk is too slow.",
        service.decisions.dropped,
    )


def _gauge(
    name: str,
    text: str,
    views: Sequence[CampaignView],
    value: Callable[[CampaignView], float | None],
) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}campaign_{name}", text, labels=("campaign",))
    for view in views:
        figure = value(view)
        if figure is not None:
            family.add_metric((view.name,), figure)
    return family
