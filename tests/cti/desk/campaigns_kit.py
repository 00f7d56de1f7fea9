"""Campaigns, records and previews for tests of screens."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from cti.schema import AttemptView, CampaignView, PreviewView
from cti.schema_campaigns import AbandonRateView, CampaignAgentsView, CampaignListView
from cti.schema_outbound import OutboundCard

NUMBER = "+12025550123"
SCRIPT = "# Hello Anna\n\nYour plan is **M**. Ask for:\n\n- the meter\n- the date\n"


def record(**changes: Any) -> OutboundCard:
    """A record of the campaign `spring`."""
    card = OutboundCard(
        campaign="spring",
        campaign_title="Spring offer",
        record_id="r-1",
        number=NUMBER,
        name="Anna Lindqvist",
        zone="America/New_York",
        attempts=2,
        facts={"plan": "M", "city": "Boston", "since": "2019"},
        script=SCRIPT,
        dispositions=("order", "refused"),
        why="08:00-21:00 local, 14:03 there; attempt 3 of 6; rules 1",
    )
    return replace(card, **changes)


def preview(step: str = "reading", **changes: Any) -> PreviewView:
    """That record before the agent 1001, as the attempt `i-7`."""
    now = time.time()
    view = PreviewView(
        attempt_id="i-7", agent_id="1001", step=step, card=record(), since=now, until=now + 30
    )
    return replace(view, **changes)


def attempt(outcome: str) -> AttemptView:
    """What became of a dial of that record."""
    return AttemptView(
        attempt_id="i-7",
        campaign="spring",
        record_id="r-1",
        number=NUMBER,
        caller_id="+12025550100",
        mode="predictive",
        outcome=outcome,
        dialled_at=0.0,
        ended_at=20.0,
    )


def rate(formula: str, **changes: Any) -> AbandonRateView:
    """A rate under the cap by its value, and by its bound."""
    view = AbandonRateView(
        formula=formula,
        percent=1.6,
        upper_percent=2.6,
        live=500,
        abandoned=8,
        days=30.0,
        enforced=formula == "us",
    )
    return replace(view, **changes)


def campaign(name: str = "spring", **changes: Any) -> CampaignView:
    """A campaign in the middle of a good day."""
    view = CampaignView(
        name=name,
        title="Spring offer",
        mode="predictive",
        state="running",
        reason="super",
        since=time.time() - 3600,
        queue="sales",
        human_initiated=False,
        dial_level=1.4,
        learning=False,
        pacing_words="3 dials: 2 agents free, 1 soon, 31 % answer",
        pacing={"free": 2.0},
        decision=812,
        in_flight=7,
        ringing=4,
        judging=1,
        waiting=0,
        reading=0,
        messages=0,
        talking=9,
        ahead=40,
        dialled=1240,
        answer_rate=0.36,
        live_rate=0.29,
        today={"connected": 352, "no-answer": 640, "busy": 90, "machine": 150, "abandoned": 8},
        total={"connected": 2352, "abandoned": 38},
        agents=CampaignAgentsView(signed_on=14, available=2, talking=9, wrap_up=3, share=2),
        agents_wait_s=11.4,
        cap_percent=3.0,
        guard="statistical",
        enforced_percent=2.6,
        rates=(rate("us"), rate("uk", percent=2.2, upper_percent=4.1, days=1.0), rate("own")),
        records=CampaignListView(
            total=5000, ready=3100, done=1700, blocked=200, tried=1900, reached=900, penetration=0.4
        ),
        goal=1000,
        goal_reached=352,
        begins="",
        ends="",
        caller_ids=(),
        blockers=(),
    )
    return replace(view, **changes)
