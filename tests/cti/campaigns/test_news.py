"""What desks and wallboards are told of campaigns."""

from __future__ import annotations

from acd.dialer.model import CampaignName
from cti.bus import Audience, Bus
from cti.campaigns.news import CampaignNews
from cti.schema import CampaignRemoved, CampaignsLoaded, Event, EventType
from tests.cti.desk.campaigns_kit import campaign
from tests.kit.virtual_clock import VirtualClock

SPRING = CampaignName("spring")


def test_who_sees_a_campaign_is_told_that_it_was_deleted() -> None:
    bus, told = Bus(), list[Event]()
    bus.listen(told.append, EventType.CAMPAIGN_REMOVED)
    news = CampaignNews(bus, VirtualClock(), lambda name: None, lambda: ())
    news.changed(SPRING)
    news.removed(SPRING, "super", "sales")
    (event,) = told
    assert event.data == CampaignRemoved(name="spring", by="super")
    assert Audience(agent_id="1001", queues=frozenset({"sales"})).admits(event)
    assert Audience(sees_all=True).admits(event)
    assert not Audience(agent_id="1002", queues=frozenset({"support"})).admits(event)
    news.close()


def test_everybody_is_told_once_all_campaigns_are_known() -> None:
    bus, told = Bus(), list[Event]()
    bus.listen(told.append, EventType.CAMPAIGN_CHANGED, EventType.CAMPAIGNS_LOADED)
    news = CampaignNews(bus, VirtualClock(), lambda name: None, lambda: ())
    broken = campaign("autumn")
    news.loaded([broken], 3)
    assert [each.data for each in told] == [broken, CampaignsLoaded(count=3)]
    assert Audience(agent_id="1001").admits(told[1])
    news.close()
