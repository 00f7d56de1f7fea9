"""What contacts and distribution report, in the public words."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactFinished, ContactResult
from acd.model import ContactId
from cti.translate_views import cleared
from switch.ids import CallId, LegId


@pytest.mark.parametrize("leg", ["leg-1", ""])
def test_an_end_says_whether_anybody_was_called(leg: str) -> None:
    event = ContactFinished(
        contact=ContactId("i-1"),
        call=CallId("c-1"),
        customer_leg=LegId(leg),
        at=1.0,
        result=ContactResult.CANCELLED,
        reason="finished",
        waited_s=0.0,
        talked_s=0.0,
        held_s=0.0,
        queue=None,
        agent=None,
        facts={},
    )
    assert cleared(event).was_dialled is bool(leg)
