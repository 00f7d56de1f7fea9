"""Supervisors on a live contact: they listen, whisper, barge in, take over.

The supervisor's own phone is called; when it answers it attends the agent's leg in the chosen role
(`switch.calls.roles`). It follows the contact to the next agent, and ends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from acd.contact import Contact
from acd.contact_events import ContactEvent, ContactParty, TransferKind
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.errors import CannotReachError, NotNowError
from acd.hand_over import HandOver
from acd.model import AgentId
from acd.party import Party, PartyState
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegEnded, LegRinging
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.calls.roles import Role
from switch.clock import Clock
from switch.ids import LegId

RING_S: Final = 20.0
_LEFT: Final = EndCause(Result.COMPLETED, "supervision-ended")


class Supervision:
    """Who attends which contact. Commands raise `AcdError` where they make no sense."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        conversation: Conversation,
        distribution: Distribution,
        hand_over: HandOver,
        control: CallControl,
        clock: Clock,
        agents: Mapping[str, AgentId],
        report: Callable[[ContactEvent], None],
    ) -> None:
        """`agents` maps a phone's number to the agent who uses it."""
        self._contacts = contacts
        self._conversation = conversation
        self._distribution = distribution
        self._hand_over = hand_over
        self._control = control
        self._clock = clock
        self._agents = agents
        self._report = report
        self.takes: Takes = {
            LegRinging: self._leg_rings,
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
        }
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
        """Make the supervisor the contact's agent; its phone is called first where it does not attend."""
        party = self._of(contact, login)
        if party is None:
            self._invite(contact, login, phone, Role.MONITOR, takes_over=True)
        elif not party.answered:
            party.takes_over = True
        elif contact.consult is not None:
            raise NotNowError("The agent is consulting somebody", contact=contact.id)
        else:
            self._take(contact, party)

    def leave(self, contact: Contact, login: str) -> None:
        """Hang up the supervisor's phone."""
        party = self._of(contact, login)
        if party is None:
            raise NotNowError("You do not attend this call", contact=contact.id)
        self._hand_over.drop(contact, party.leg, _LEFT)
        self._conversation.arrange(contact)
        self._tell(contact, party, PartyState.LEFT)

    # --- what happens ---------------------------------------------------------------------------

    def _leg_rings(self, event: LegRinging) -> None:
        contact, party = self._find(event.leg)
        if contact is not None and party is not None:
            party.rang = True

    def _leg_answered(self, event: LegAnswered) -> None:
        contact, party = self._find(event.leg)
        if contact is not None and party is not None:
            self._answered(contact, party)

    def _leg_ended(self, event: LegEnded) -> None:
        contact, party = self._find(event.leg)
        if contact is not None and party is not None:
            self._contacts.unbind(event.leg)
            del contact.others[event.leg]
            self._conversation.arrange(contact)
            state = PartyState.LEFT if party.answered else PartyState.FAILED
            self._tell(contact, party, state, event.cause.reason)

    # --- inside ---------------------------------------------------------------------------------

    def _invite(
        self, contact: Contact, login: str, phone: str, role: Role, *, takes_over: bool
    ) -> None:
        if contact.talking_since is None or contact.agent_leg is None:
            raise NotNowError("Customer and agent are not connected", contact=contact.id)
        agent = self._agents.get(phone)
        taken = {party.number for party in contact.others.values()}
        if phone in taken or (agent is not None and agent == contact.agent):
            raise CannotReachError("That phone is on this call already", number=phone)
        if not self._control.is_reachable(phone):
            raise CannotReachError("Your phone is not registered", number=phone)
        if agent is not None and not self._distribution.can_join(agent):
            raise CannotReachError("Your phone is on a call", number=phone)
        party = Party(number=phone, agent=agent, role=role, watcher=login, takes_over=takes_over)
        party.leg = self._control.call_phone(
            phone,
            call=contact.call,
            caller_number=contact.caller_number,
            caller_name=contact.caller_name,
            ring_timeout_s=RING_S,
            headers={"X-Interaction-Id": contact.id},
        )
        contact.others[party.leg] = party
        self._contacts.bind(party.leg, contact)
        self._tell(contact, party, PartyState.CALLING)

    def _answered(self, contact: Contact, party: Party) -> None:
        party.answered = True
        if party.takes_over and contact.consult is None:
            self._take(contact, party)
            return
        assert party.role is not None
        why = "agent-consults" if party.takes_over else ""
        party.takes_over = False  # not behind the agent's back: it may be asked for again
        self._change(contact, party, party.role, why)

    def _change(self, contact: Contact, party: Party, role: Role, why: str = "") -> None:
        """Two rows of gains change; nothing is set up anew."""
        party.role = role
        if not party.answered:
            return
        if contact.agent_leg is not None:
            self._control.attend(party.leg, contact.agent_leg, role)
        self._conversation.arrange(contact)
        self._tell(contact, party, PartyState.ATTENDING, why)

    def _take(self, contact: Contact, party: Party) -> None:
        self._tell(contact, party, PartyState.JOINED, "taken-over")
        self._hand_over.to_party(contact, party, TransferKind.TAKEN_OVER)

    def _of(self, contact: Contact, login: str) -> Party | None:
        for party in contact.others.values():
            if party.role is not None and party.watcher == login:
                return party
        return None

    def _find(self, leg: LegId) -> tuple[Contact | None, Party | None]:
        contact = self._contacts.of_leg(leg)
        party = None if contact is None else contact.others.get(leg)
        return (None, None) if party is None or party.takes_part else (contact, party)

    def _tell(self, contact: Contact, party: Party, state: PartyState, reason: str = "") -> None:
        self._report(
            ContactParty(
                contact=contact.id,
                at=self._clock.now(),
                number=party.number,
                agent=party.agent,
                state=state,
                role=party.role,
                by=party.watcher,
                reason=reason,
            )
        )
