"""Commands to agents: state, wrap-up, dial."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import Caller, TheCaller, TheContext
from cti.errors import Invalid, NotAllowed
from cti.schema import AgentView, DialRequest, DirectoryEntry, SetStateRequest

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])

_STATES: Final = ("available", "not-ready")
DIALABLE: Final = frozenset("0123456789+*# -().")


@router.post("/{agent}/state", response_model=AgentView)
async def set_state(
    agent: str, body: SetStateRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Make an agent available or not ready; while it talks, for afterwards.

    `me` is the agent of the token. Supervisors may do it for all.
    """
    if body.state not in _STATES:
        raise Invalid("bad-state", "The state must be `available` or `not-ready`.")
    if body.state == "not-ready" and not body.reason:
        raise Invalid("reason-needed", "`not-ready` needs one of the configured reasons.")
    who = _agent(agent, caller)
    return JsonAnswer(context.ports.floor.set_state(who, body.state, body.reason))


@router.get("/directory", response_model=list[DirectoryEntry])
async def directory(caller: TheCaller, context: TheContext) -> Response:
    """Whom one can consult or transfer to: others who are signed on, and queues, as they are now."""
    own = caller.account.agent_id
    entries = context.ports.floor.directory()
    return JsonAnswer([e for e in entries if e.kind != "agent" or e.id != own])


@router.post("/me/wrap-up/finish", status_code=204)
async def finish_wrap_up(caller: TheCaller, context: TheContext) -> Response:
    """End the wrap-up now."""
    context.ports.floor.finish_wrap_up(caller.agent_id)
    return Response(status_code=204)


@router.post("/me/wrap-up/extend", status_code=204)
async def extend_wrap_up(caller: TheCaller, context: TheContext) -> Response:
    """Stop the countdown of the wrap-up."""
    context.ports.floor.extend_wrap_up(caller.agent_id)
    return Response(status_code=204)


@router.post("/me/dial", status_code=202)
async def dial(body: DialRequest, caller: TheCaller, context: TheContext) -> Response:
    """Ring the agent's own phone, then the number."""
    context.ports.floor.dial(caller.agent_id, number_of(body.number))
    return Response(status_code=202)


def number_of(text: str) -> str:
    """A number as somebody wrote it. Raises `Invalid`."""
    number = text.strip()
    if not 0 < len(number) <= 40 or not set(number) <= DIALABLE:
        raise Invalid("bad-number", "A number has 1 to 40 of the characters 0-9 + * # - ( ) .")
    return number


def _agent(agent: str, caller: Caller) -> str:
    if agent == "me":
        return caller.agent_id
    if agent != caller.account.agent_id and not caller.is_supervisor:
        raise NotAllowed("not-yours", "Only supervisors change the state of other agents.")
    return agent
