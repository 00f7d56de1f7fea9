"""What the doctor says of campaigns, by the figures of a server."""

from __future__ import annotations

from cti.doctor_campaigns import examine_campaigns
from cti.doctor_findings import Severity
from cti.metrics.reading import Figures

FIGURES = """
switchroom_campaign_running{campaign="spring"} 1
switchroom_campaign_running{campaign="summer"} 1
switchroom_campaign_running{campaign="winter"} 0
switchroom_campaign_blocked{campaign="spring",reason="no-agents"} 1
switchroom_campaign_blocked{campaign="winter",reason="no-agents"} 1
switchroom_campaign_abandon_cap_ratio{campaign="spring"} 0.03
switchroom_campaign_abandon_cap_ratio{campaign="summer"} 0.03
switchroom_campaign_abandon_enforced_ratio{campaign="spring"} 0.07
switchroom_campaign_abandon_held_ratio{campaign="spring"} 0.05
switchroom_campaigns_unusable 1
switchroom_attempts_unsettled 500
switchroom_attempts_refused_total 2
"""


def test_campaigns_that_run_without_agents_or_above_their_cap_are_found() -> None:
    found = [(each.severity, each.what) for each in examine_campaigns(Figures(FIGURES))]
    assert found == [
        (Severity.WARNING, "campaign spring runs, but no agent of its queue is signed on"),
        (
            Severity.FAULT,
            "campaign spring: the abandon rate, 5.00%, is above its cap of 3.00%",
        ),
        (Severity.GOOD, "campaign summer runs: nobody has answered yet"),
        (Severity.FAULT, "campaigns: 1 cannot be used with this configuration"),
        (Severity.WARNING, "campaigns: 500 attempts are not in the database yet"),
        (
            Severity.FAULT,
            "campaigns: 2 attempts or moves that the database will never take",
        ),
    ]


def test_few_answers_are_no_fault_whatever_the_guard_makes_of_them() -> None:
    figures = Figures("""
switchroom_campaign_running{campaign="spring"} 1
switchroom_campaign_abandon_cap_ratio{campaign="spring"} 0.03
switchroom_campaign_abandon_enforced_ratio{campaign="spring"} 0.575
switchroom_campaign_abandon_ratio{campaign="spring",formula="own"} 0.05
switchroom_campaign_abandon_held_ratio{campaign="spring"} 0.0
""")
    (finding,) = examine_campaigns(figures)
    assert finding.severity is Severity.GOOD
    assert finding.what == "campaign spring runs: abandon rate 0.00%, with the guard's bound 57.50%"


def test_a_server_without_campaigns_has_nothing_to_tell() -> None:
    assert list(examine_campaigns(Figures(""))) == []
