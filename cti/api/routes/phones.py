"""Phones: the lamp for waiting messages, and short messages to them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext
from cti.errors import NotAllowed
from cti.schema_phones import MailboxRequest, MailboxView, TextReply, TextRequest

router = APIRouter(prefix="/api/v1/phones", tags=["phones"])


@router.get("/{phone}/mailbox", response_model=MailboxView)
async def mailbox(phone: str, caller: TheCaller, context: TheContext) -> Response:
    """How many messages wait for a phone: its agent's own, for supervisors all."""
    if phone != caller.account.agent_id and not caller.is_supervisor:
        raise NotAllowed("not-yours", "Only supervisors see what waits for others.")
    return JsonAnswer(context.ports.phones.mailbox(phone))


@router.post("/{phone}/mailbox", response_model=MailboxView)
async def set_mailbox(
    phone: str, body: MailboxRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Set how many messages wait: the lamp of each phone that subscribed to it follows."""
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors set what waits for a phone.")
    return JsonAnswer(context.ports.phones.set_mailbox(phone, body.new, body.old))


@router.post("/{phone}/messages", response_model=TextReply)
async def write(phone: str, body: TextRequest, caller: TheCaller, context: TheContext) -> Response:
    """Send a short message to a phone, and to the desk of its agent; answers when the phone has."""
    sender = caller.account.agent_id or caller.account.login
    status = await context.ports.phones.write(sender, phone, body.text)
    return JsonAnswer(TextReply(delivered=status < 300, status=status))
