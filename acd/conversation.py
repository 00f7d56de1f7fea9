"""What happens between customer and agent once both are there: bridge, recording, hold, mute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from acd.arrangement import arrange, is_away, recorded_legs
from acd.contact import Contact
from acd.contact_events import ContactEvent, ContactHeld, ContactMuted, ContactRecorded
from switch.calls.causes import EndCause, Result
from switch.calls.ports import CallControl
from switch.clock import Clock

PHONE_LOST: Final = EndCause(Result.FAILED, "phone-lost")
"""How the leg of an agent ends whose desk says that the phone has died."""


def reason_of_agent(cause: EndCause) -> str:
    """Why an agent's leg ended, in the words of contacts: to the switch the agent is a callee."""
    return "agent-hung-up" if cause.reason == "callee-hung-up" else cause.reason


class Conversation:
    """The operations on connected contacts."""

    def __init__(
        self,
        control: CallControl,
        clock: Clock,
        report: Callable[[ContactEvent], None],
        *,
        records_whispers: bool = False,
    ) -> None:
        self._control = control
        self._clock = clock
        self._report = report
        self._records_whispers = records_whispers

    def connect(self, contact: Contact) -> None:
        """Bridge the two legs, and record them if the entry says so."""
        if contact.agent_leg is None or not contact.customer_answered:
            return
        self.arrange(contact)
        if contact.record and contact.recording is None:
            contact.recording = self._control.start_recording(
                contact.call, customer=contact.customer_leg, agent=contact.agent_leg
            )
            self._report(
                ContactRecorded(
                    contact=contact.id, at=self._clock.now(), recording=contact.recording
                )
            )

    def arrange(self, contact: Contact) -> None:
        """Bring together who belongs together now, on the recording too."""
        arrange(contact, self._control)
        if contact.recording is not None:
            legs = recorded_legs(contact, whispers=self._records_whispers)
            self._control.set_recording_legs(contact.recording, contact.customer_leg, legs)

    def hold(self, contact: Contact, held: bool) -> None:
        """Put the customer on hold or take it off; `held_changed` follows from the leg's event."""
        if contact.agent_leg is None:
            return
        if held:
            self._control.hold(contact.agent_leg)
        else:
            self._control.resume(contact.agent_leg)

    def leg_held(self, contact: Contact, held: bool, at: float) -> bool:
        """The agent's leg is on hold now, or no longer; False when the customer's is no news."""
        contact.leg_held = held
        return self.held_changed(contact, held or is_away(contact), at)

    def held_changed(self, contact: Contact, held: bool, at: float) -> bool:
        """The customer is on hold now, or no longer; False when that is no news."""
        if contact.talking_since is None or held == (contact.held_since is not None):
            return False
        if contact.held_since is not None:
            contact.held_s += at - contact.held_since
        contact.held_since = at if held else None
        self._report(ContactHeld(contact=contact.id, at=at, held=held))
        return True

    def mute(self, contact: Contact, muted: bool) -> None:
        """Keep what the agent says from the customer and the recording."""
        if contact.agent_leg is None or contact.muted == muted:
            return
        contact.muted = muted
        self._control.mute(contact.agent_leg, muted)
        self._report(ContactMuted(contact=contact.id, at=self._clock.now(), muted=muted))

    def send_digits(self, contact: Contact, digits: str) -> None:
        """Send keys to the customer's side."""
        self._control.send_digits(contact.customer_leg, digits)

    def hang_up(self, contact: Contact) -> None:
        """End the conversation as if the agent had hung up."""
        if contact.agent_leg is not None:
            self._control.hang_up(contact.agent_leg, EndCause(Result.COMPLETED, "agent-hung-up"))

    def phone_lost(self, contact: Contact) -> None:
        """End the agent's leg, at which nobody is any more; the customer may go on with somebody else."""
        if contact.agent_leg is not None:
            self._control.hang_up(contact.agent_leg, PHONE_LOST)
