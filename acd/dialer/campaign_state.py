"""The course of a campaign, as a table.

draft --start--> running <--start--> paused
                    |  '---pause---^    |
                    '------finish-------'--> finished --start--> running
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from acd.dialer.model import CampaignState


class CampaignInput(StrEnum):
    """What can happen to it."""

    START = "start"
    PAUSE = "pause"
    FINISH = "finish"


_S = CampaignState
_I = CampaignInput

TRANSITIONS: Final[dict[tuple[CampaignState, CampaignInput], CampaignState]] = {
    (_S.DRAFT, _I.START): _S.RUNNING,
    (_S.DRAFT, _I.FINISH): _S.FINISHED,
    (_S.RUNNING, _I.PAUSE): _S.PAUSED,
    (_S.RUNNING, _I.FINISH): _S.FINISHED,
    (_S.PAUSED, _I.START): _S.RUNNING,
    (_S.PAUSED, _I.FINISH): _S.FINISHED,
    (_S.FINISHED, _I.START): _S.RUNNING,
}
"""Every step. A pair that is missing is refused: it makes no sense then."""


def find_step(state: CampaignState, what: CampaignInput) -> CampaignState | None:
    """Where it goes; None where that makes no sense."""
    return TRANSITIONS.get((state, what))
