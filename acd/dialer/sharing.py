"""Agents shared between campaigns: each is counted for one of them only. Pure.

Without that two campaigns would dial for the same free agent. Who has people in flight or waiting
keeps as many agents as those need; the rest goes by weight, and what one campaign cannot use goes
to the others.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from msgspec import Struct

from acd.dialer.model import CampaignName
from acd.model import AgentId


class Claim(Struct, kw_only=True):
    """What a campaign asks for."""

    name: CampaignName
    members: Set[AgentId]
    """Who may talk for it."""
    weight: int = 1
    is_able: bool = True
    """It can dial more; otherwise it has agents for what it has begun alone."""
    committed: float = 0.0
    """Agents that its dials in flight and the people who wait will need."""
    turn: float = 0.0
    """Of the stride: who has had fewest agents for its weight is next. Kept from call to call."""


def split(agents: Sequence[AgentId], claims: Sequence[Claim]) -> dict[AgentId, CampaignName]:
    """Give each agent to one campaign: the order of `agents` is that of who is free first.

    An agent of whom nobody has any use is left out. Changes `turn` of the claims for those given by weight.
    """
    owed = {claim.name: claim.committed for claim in claims}
    given: dict[AgentId, CampaignName] = {}
    for agent in agents:
        able = [claim for claim in claims if agent in claim.members]
        if not able:
            continue
        bound = max(able, key=lambda claim: owed[claim.name])
        if owed[bound.name] > 0.0:
            owed[bound.name] -= 1.0
            given[agent] = bound.name
            continue
        takers = [claim for claim in able if claim.is_able]
        if not takers:
            continue
        chosen = min(takers, key=lambda claim: claim.turn)
        chosen.turn += 1.0 / max(1, chosen.weight)
        given[agent] = chosen.name
    return given
