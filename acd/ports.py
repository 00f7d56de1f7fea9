"""What the distribution needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from acd.actions import Offer
from acd.contact import Contact
from acd.model import AgentId, ContactId, QueueName, SkillNeed


class Pops(Protocol):
    """Screen pops: the customer on the agent's screen before the phone rings."""

    def prefetch(self, contact: ContactId, caller_number: str) -> None:
        """Start the look-up; called at the caller's INVITE."""

    def offer(self, offer: Offer, then: Callable[[], None]) -> None:
        """Show the card to the offered agent, then call `then`: at once, or at most 50 ms later."""

    def forget(self, contact: ContactId) -> None:
        """The contact is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPhone:
    """A number that is a phone of ours."""

    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTrunk:
    """A number that is reached through a trunk."""

    trunk: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRoute:
    """A number that cannot be called, or not by this caller."""

    reason: str


Destination = ToPhone | ToTrunk | NoRoute


class Routes(Protocol):
    """Where a number leads."""

    def destination(self, dialled_by: AgentId | None, number: str) -> Destination:
        """Resolve a number for an agent; None for a flow, which may reach phones only."""


class CallBackRoutes(Protocol):
    """Where a customer is reached whom our side cut off."""

    def call_back(self, number: str) -> Destination:
        """Resolve a caller's number; `NoRoute` where no trunk may be used for that."""


class EnqueueAgain(Protocol):
    """Puts a contact into a queue, at the place of the moment it first came."""

    def __call__(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        skills: tuple[SkillNeed, ...] = (),
        entered_at: float | None = None,
        preferred: AgentId | None = None,
    ) -> None: ...
