"""A person asks to be called back: who calls again knows what was said, when it was promised, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cti.bench.dials import CampaignDriver
from cti.schema import EventType
from cti.schema_campaign_requests import CallBackRequest
from tests.kit.desk import Desk
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.peers.test_campaigns import EVER, HUMAN, site

pytestmark = [pytest.mark.peer, pytest.mark.slow]

_SOON_S = 3.0


async def test_the_card_of_a_call_back_tells_of_the_first_talk(tmp_path: Path) -> None:
    async with (
        Lab(tmp_path, config=site(tmp_path), tolerates=("gateway",)) as lab,
        Phone("baresip", number=HUMAN, port=lab.out_port) as human,
        Desk(lab, "1001", backend="baresip") as ann,
        CampaignDriver(lab.url) as driver,
    ):
        await ann.ready()
        await driver.make("spring", [HUMAN], mode="preview", queue="sales", windows=[EVER])
        await driver.start("spring")
        first = (await ann.event(EventType.PREVIEW_OFFERED)).data
        assert first.card.recent == ()
        await ann.api.dial_preview()
        incoming = await ann.phone.answer_next()
        ring = await human.answer_next()
        await lab.agent_is("1001", "talking")
        wanted = ann.api.server_time() + _SOON_S
        await ann.api.note(first.attempt_id, "he will think\nand ask his wife")
        await ann.api.call_back(first.attempt_id, CallBackRequest(at=wanted, mine=True))
        seen = ann.mark()
        await human.hang_up(ring.call)
        await ann.phone.closed(incoming.call)
        await lab.agent_is("1001", "wrap-up")
        await ann.api.finish_wrap_up()

        def has_past(view: Any) -> bool:
            return view.attempt_id != first.attempt_id and bool(view.card.recent)

        again = (await ann.event(EventType.PREVIEW_OFFERED, after=seen, test=has_past)).data
        (past,) = again.card.recent
        assert (past.outcome, past.note) == ("connected", "he will think")
        assert past.attempt_id == first.attempt_id
        assert past.agent_name == again.card.call_back_by != ""
        assert again.card.call_back_of == pytest.approx(wanted)
        assert "call-back that was asked for" in again.card.why
        assert "attempt 2" in again.card.why
        await driver.pause("spring")

        def is_over(view: Any) -> bool:
            return bool(view.attempt_id == again.attempt_id and view.step == "over")

        over = (await ann.event(EventType.PREVIEW_OFFERED, after=seen, test=is_over)).data
        assert (over.outcome, over.reason) == ("agent-gone", "paused")
        await lab.is_quiet()
