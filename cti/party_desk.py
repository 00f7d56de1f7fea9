"""Commands that bring others to a live interaction: consult, transfer, conference, supervision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from acd.consultations import Consultations
from acd.contact import Contact
from acd.contacts import Contacts
from acd.errors import AcdError
from acd.model import ContactId, QueueName
from acd.parking import Parking
from acd.supervision import Supervision
from cti.api.ports import Account
from cti.errors import Conflict, Invalid
from cti.schema import SuperviseRequest, TransferRequest
from switch.calls.roles import Role

_TAKE_OVER: Final = "take-over"


class PartyDesk:
    """Satisfies `cti.api.ports.Parties`."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        consultations: Consultations,
        supervision: Supervision,
        parking: Parking,
    ) -> None:
        self._contacts = contacts
        self._parking = parking
        self._consultations = consultations
        self._supervision = supervision

    def consult(self, interaction_id: str, number: str) -> None:
        """Call somebody while the customer hears music."""
        with self._live(interaction_id) as contact:
            self._consultations.consult(contact, number)

    def consult_step(self, interaction_id: str, step: str) -> None:
        """Go on with the consultation: `complete`, `join`, `toggle` or `cancel`."""
        with self._live(interaction_id) as contact:
            match step:
                case "complete":
                    self._consultations.complete(contact)
                case "join":
                    self._consultations.join(contact)
                case "toggle":
                    self._consultations.toggle(contact)
                case _:
                    self._consultations.cancel(contact)

    def transfer(self, interaction_id: str, request: TransferRequest) -> None:
        """Give the interaction away at once, to a number or a queue."""
        with self._live(interaction_id) as contact:
            if request.queue:
                queue = QueueName(request.queue)
                self._consultations.transfer_to_queue(contact, queue, head=request.head)
            elif request.number in self._parking.places:
                self._parking.park(contact, slot=request.number)
            else:
                self._consultations.transfer(contact, request.number)

    def remove(self, interaction_id: str, number: str) -> None:
        """Hang up on one who joined."""
        with self._live(interaction_id) as contact:
            self._consultations.remove(contact, number)

    def supervise(self, interaction_id: str, request: SuperviseRequest, actor: Account) -> None:
        """Attend the conversation, change the role, or take it over."""
        phone = request.phone or actor.agent_id
        if not phone:
            raise Invalid("phone-needed", "Say with `phone` which phone of yours is to be called.")
        with self._live(interaction_id) as contact:
            if request.role == _TAKE_OVER:
                self._supervision.take_over(contact, actor.login, phone)
            else:
                role = Role(request.role)
                self._supervision.attend(contact, actor.login, phone, role)

    def stop_supervising(self, interaction_id: str, actor: Account) -> None:
        """Attend it no longer."""
        with self._live(interaction_id) as contact:
            self._supervision.leave(contact, actor.login)

    def _live(self, interaction_id: str) -> AbstractContextManager[Contact]:
        return live_contact(self._contacts, interaction_id)


@contextmanager
def live_contact(contacts: Contacts, interaction_id: str) -> Iterator[Contact]:
    """A contact that lives, for a command; what the distribution raises becomes `Conflict`."""
    contact = contacts.get(ContactId(interaction_id))
    if contact is None:
        raise Conflict("interaction-over", "The call is over", interaction=interaction_id)
    with in_public_words():
        yield contact


@contextmanager
def in_public_words() -> Iterator[None]:
    """What the distribution raises becomes `Conflict`."""
    try:
        yield
    except AcdError as error:
        raise Conflict(error.error_id, str(error), **dict(error.details)) from error
