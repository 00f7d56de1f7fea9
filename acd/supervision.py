"""Supervisors on a live contact: they listen, whisper, barge in, take over.

The supervisor's own phone is called; when it answers it attends the agent's leg in the chosen role
(`switch.calls.roles`). It follows the contact to the next agent, and ends with it.
"""

from __future__ import annotations

from typing import Final

from acd.contact import Contact
from acd.contact_events import TransferKind
from acd.conversation import Conversation
from acd.errors import NotNowError
from acd.hand_over import HandOver
from acd.invitations import Invitations
from acd.parties import Parties
from acd.party import Party, PartyState
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegEnded
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.calls.roles import Role

RING_S: Final = 20.0
_LEFT: Final = EndCause(Result.COMPLETED, "supervision-ended")


class Supervision:
    """Who attends which contact. Commands raise `AcdError` where they make no sense."""

    def __init__(
        self,
        *,
        conversation: Conversation,
        hand_over: HandOver,
        parties: Parties,
        invitations: Invitations,
        control: CallControl,
    ) -> None:
        self._conversation = conversation
        self._hand_over = hand_over
        self._parties = parties
        self._invitations = invitations
        self._control = control
        self.takes: Takes = {LegAnswered: self._leg_answered, LegEnded: self._leg_ended}
        """News of supervisors' legs."""

    # --- commands -------------------------------------------------------------------------------

    def attend(self, contact: Contact, login: str, phone: str, role: Role) -> None:
        """Call the supervisor's phone and connect it in this role; or change the role it has."""
        party = self._of(contact, login)
        if party is not None:
            self._change(contact, party, role)
            return
        self._invite(contact, login, phone, role, takes_over=False)

    def take_over(self, contact: Contact, login: str, phone: str) -> None:
        """Make the supervisor the contact's agent; its phone is called first where it does not attend.

        A consultation of the agent's ends then: the one who is asked is let go, and told so.
        """
        party = self._of(contact, login)
        if party is None:
            self._invite(contact, login, phone, Role.MONITOR, takes_over=True)
        elif not party.answered:
            party.takes_over = True
        else:
            self._take(contact, party)

    def leave(self, contact: Contact, login: str) -> None:
        """Hang up the supervisor's phone."""
        party = self._of(contact, login)
        if party is None:
            raise NotNowError("You do not attend this call", contact=contact.id)
        self._hand_over.drop(contact, party, "", _LEFT)
        self._conversation.arrange(contact)

    # --- what happens ---------------------------------------------------------------------------

    def _leg_answered(self, event: LegAnswered) -> None:
        found = self._parties.find(event.leg)
        if found is not None and not found[1].takes_part:
            self._answered(*found)

    def _leg_ended(self, event: LegEnded) -> None:
        found = self._parties.find(event.leg)
        if found is not None and not found[1].takes_part:
            contact, party = found
            self._parties.ended(contact, party, event.cause.reason)
            self._conversation.arrange(contact)

    # --- inside ---------------------------------------------------------------------------------

    def _invite(
        self, contact: Contact, login: str, phone: str, role: Role, *, takes_over: bool
    ) -> None:
        if contact.talking_since is None or contact.agent_leg is None:
            raise NotNowError("Customer and agent are not connected", contact=contact.id)
        agent = self._invitations.demand_phone(contact, phone, own=True)
        party = Party(number=phone, agent=agent, role=role, watcher=login, takes_over=takes_over)
        self._invitations.call_phone(contact, party, phone, RING_S)

    def _answered(self, contact: Contact, party: Party) -> None:
        party.answered = True
        if party.takes_over:
            self._take(contact, party)
            return
        assert party.role is not None
        self._change(contact, party, party.role)

    def _change(self, contact: Contact, party: Party, role: Role) -> None:
        """Two rows of gains change; nothing is set up anew."""
        party.role = role
        if not party.answered:
            return
        if contact.agent_leg is not None:
            self._control.attend(party.leg, contact.agent_leg, role)
        self._conversation.arrange(contact)
        self._parties.tell(contact, party, PartyState.ATTENDING)

    def _take(self, contact: Contact, party: Party) -> None:
        self._parties.tell(contact, party, PartyState.JOINED, "taken-over")
        self._hand_over.to_party(contact, party, TransferKind.TAKEN_OVER)

    def _of(self, contact: Contact, login: str) -> Party | None:
        for party in contact.others.values():
            if party.role is not None and party.watcher == login:
                return party
        return None
