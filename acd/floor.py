"""The floor: every agent, moved by the table of `acd.agent_state`.

Sign-on and sign-off, in full:

- A desk signs the agent on: not-ready `signed-on` unless it asks to be ready. If its phone had
  signed it on before, it stays as it was.
- A phone that registers signs the agent on as available if it is signed off; otherwise it
  only becomes reachable. While it stays registered, registering again changes nothing more.
- Signing off by the desk is meant: it ends the sign-on although the phone is still registered,
  and that phone signs on again only after it has been gone. An offer that rings is taken
  back, a conversation is finished first, wrap-up ends.
- A phone that goes signs off an agent without a desk; one with a desk becomes unreachable.
- Signing on again while a sign-off still waits for the end of a conversation just takes it back.
- Static agents are always signed on; a desk of theirs only makes wrap-up possible.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from acd.agent_state import AgentInput, Effect, Target, find_step
from acd.agents import PHONE_UNREACHABLE, Agent
from acd.errors import BadReasonError, NotSignedOnError, UnknownAgentError
from acd.events import AgentStateChanged
from acd.model import AgentId, AgentSettings, AgentState, ContactId, OfferFailure, SignedOnBy
from acd.outbox import Outbox
from acd.routing.router import Router
from acd.timers import Due, Timers

log = logging.getLogger(__name__)

FAILURE_REASONS: Mapping[OfferFailure, str] = MappingProxyType(
    {
        OfferFailure.NO_ANSWER: "no-answer",
        OfferFailure.REJECTED: "rejected",
        OfferFailure.BUSY: "phone-busy",
        OfferFailure.UNREACHABLE: PHONE_UNREACHABLE,
    }
)
"""The not-ready reason after a failed offer."""

_LONGEST_REASON = 64
_HEED_S = 1.0
"""A phone that rang so long could have been answered."""
_UNHEEDED = 2
"""So many offers in a row that nobody took in time: the agent is not there."""
_BLINK_S = 5.0
"""A phone that cannot be called for no longer has only registered anew."""


class Floor:
    """All agents. `freed` collects those who became available in this turn."""

    def __init__(
        self,
        agents: Iterable[AgentSettings],
        *,
        router: Router,
        timers: Timers,
        outbox: Outbox,
        watchdog_grace_s: float,
        now: float,
    ) -> None:
        self._router = router
        self._timers = timers
        self._outbox = outbox
        self._grace_s = watchdog_grace_s
        self.agents = {settings.agent: Agent(settings, now) for settings in agents}
        self._unreached: dict[AgentId, float] = {}
        """Since when the phones of those cannot be called who were available until then."""
        self.freed: list[Agent] = []
        for agent in self.agents.values():
            if agent.settings.static:
                agent.idle_place = router.add_idle(agent.settings.agent, now)

    def get(self, agent: AgentId) -> Agent:
        """Return an agent, or raise `UnknownAgentError`."""
        try:
            return self.agents[agent]
        except KeyError:
            raise UnknownAgentError(agent) from None

    # --- facts ------------------------------------------------------------------------------

    def sign_on(self, agent: Agent, by: SignedOnBy, now: float, *, ready: bool) -> None:
        is_new = agent.state is AgentState.LOGGED_OUT
        what = AgentInput.SIGNED_ON
        if by is SignedOnBy.DESK:
            agent.desk = True
            if is_new:
                agent.not_ready = AgentInput.SIGNED_ON.value
        elif by is SignedOnBy.PHONE:
            if agent.phone:
                what = AgentInput.PHONE_FOUND
            else:
                agent.phone = agent.phone_counts = True
                if is_new:
                    agent.not_ready = None
            self._phone_is_back(agent)
        else:
            return  # static agents are made by the settings
        if ready and agent.signed_on:
            agent.not_ready = None
        self._step(agent, what, now)

    def sign_off(self, agent: Agent, by: SignedOnBy, now: float) -> tuple[Effect, ...]:
        """Return the effects: the offer under way may have to be cancelled."""
        if by is SignedOnBy.PHONE:
            agent.phone = agent.phone_counts = agent.reachable = False
            return self._step(agent, AgentInput.PHONE_LOST, now)
        if by is SignedOnBy.STATIC:
            return ()
        agent.desk = agent.phone_counts = False
        if agent.settings.static:  # stays signed on; but nobody is there to end a wrap-up
            return self._step(agent, AgentInput.WRAP_UP_OVER, now)
        return self._step(agent, AgentInput.SIGNED_OFF, now)

    def set_ready(self, agent: Agent, now: float) -> None:
        self._demand_sign_on(agent)
        agent.not_ready = None
        if agent.pause is not None:
            self._end_pause(agent)
        self._step(agent, AgentInput.SET_READY, now)

    def set_not_ready(self, agent: Agent, reason: str, now: float) -> None:
        self._demand_sign_on(agent)
        if not 1 <= len(reason) <= _LONGEST_REASON:
            raise BadReasonError(agent.settings.agent, reason)
        agent.not_ready = reason
        self._step(agent, AgentInput.SET_NOT_READY, now)

    def set_reachable(self, agent: Agent, now: float, *, reachable: bool) -> None:
        if reachable:
            self._phone_is_back(agent)
            self._step(agent, AgentInput.PHONE_FOUND, now)
        else:
            agent.reachable = False
            self._step(agent, AgentInput.PHONE_LOST, now)

    def set_engaged(self, agent: Agent, now: float, *, engaged: bool) -> None:
        agent.engaged = engaged
        self._step(agent, AgentInput.CALL_BEGAN if engaged else AgentInput.CALLS_OVER, now)

    def _phone_is_back(self, agent: Agent) -> None:
        agent.reachable = True
        if agent.not_ready == PHONE_UNREACHABLE:
            agent.not_ready = None

    def _demand_sign_on(self, agent: Agent) -> None:
        if not agent.signed_on:
            raise NotSignedOnError(agent.settings.agent)

    # --- the contact ------------------------------------------------------------------------

    def chosen(self, agent: Agent, contact: ContactId, now: float) -> None:
        self._step(agent, AgentInput.CHOSEN, now, contact)

    def picks_up(self, agent: Agent, contact: ContactId, now: float) -> None:
        """The agent, which must be `JOINABLE` and signed on, has what rings at another one."""
        if agent.state is AgentState.WRAP_UP:
            self.finish_wrap_up(agent, now)
        if agent.pause is not None:
            self._end_pause(agent)
        self._step(agent, AgentInput.PICKS_UP, now, contact)

    def ringing(self, agent: Agent, now: float) -> None:
        self._step(agent, AgentInput.RINGING, now)

    def answered(self, agent: Agent, now: float) -> None:
        agent.unheeded = 0
        self._step(agent, AgentInput.ANSWERED, now)

    def missed(self, agent: Agent, failure: OfferFailure, now: float) -> None:
        """The agent did not take the offer: not-ready, or if it is static a pause.

        One that asked to be not-ready meanwhile keeps the reason it gave.
        """
        reason = FAILURE_REASONS[failure]
        if agent.settings.static:
            agent.pause = reason
            agent.pause_until = now + agent.settings.retry_s
        elif agent.not_ready is None:
            agent.not_ready = reason
        self._step(agent, AgentInput.MISSED, now)
        if agent.pause_until is not None:
            self._timers.set((Due.AGENT, agent.settings.agent), agent.pause_until)

    def failure_of_withdrawal(self, agent: Agent, now: float, *, is_unheeded: bool) -> OfferFailure:
        """What an offer that is withdrawn now failed by: the agent, who let it ring, or nobody."""
        rang = agent.state is AgentState.RINGING and now - agent.since >= _HEED_S
        return OfferFailure.NO_ANSWER if is_unheeded and rang else OfferFailure.WITHDRAWN

    def withdrawn(
        self, agent: Agent, now: float, failure: OfferFailure = OfferFailure.WITHDRAWN
    ) -> None:
        """The offer is gone. Whoever let it ring comes last now; the second time in a row it is missed."""
        if failure is OfferFailure.WITHDRAWN:
            self._step(agent, AgentInput.WITHDRAWN, now)
            return
        agent.unheeded += 1
        if agent.unheeded < _UNHEEDED:
            self._step(agent, AgentInput.MISSED, now)
        else:
            agent.unheeded = 0
            self.missed(agent, failure, now)

    def unheard_of(self, agent: Agent, now: float) -> None:
        self._step(agent, AgentInput.UNHEARD_OF, now)

    def held(self, agent: Agent, now: float, *, held: bool) -> None:
        self._step(agent, AgentInput.HELD if held else AgentInput.RESUMED, now)

    def talk_ended(self, agent: Agent, now: float) -> None:
        wraps_up = agent.desk and agent.settings.wrap_up_s > 0
        what = AgentInput.TALK_ENDED_WITH_WRAP_UP if wraps_up else AgentInput.TALK_ENDED
        self._step(agent, what, now)

    def joined(self, agent: Agent, contact: ContactId, now: float) -> None:
        """The agent, which must be `JOINABLE`, has a conversation from another one."""
        if agent.pause is not None:
            self._end_pause(agent)
        self._step(agent, AgentInput.JOINED, now, contact)

    def finish_wrap_up(self, agent: Agent, now: float) -> None:
        self._step(agent, AgentInput.WRAP_UP_OVER, now)

    def extend_wrap_up(self, agent: Agent, now: float) -> None:
        self._step(agent, AgentInput.WRAP_UP_EXTENDED, now)

    def end_pause(self, agent: Agent, now: float) -> None:
        self._end_pause(agent)
        self._step(agent, AgentInput.PAUSE_OVER, now)

    def _end_pause(self, agent: Agent) -> None:
        agent.pause = agent.pause_until = None
        self._timers.cancel((Due.AGENT, agent.settings.agent))

    # --- the machine ------------------------------------------------------------------------

    def _step(
        self, agent: Agent, what: AgentInput, now: float, contact: ContactId | None = None
    ) -> tuple[Effect, ...]:
        """Apply the table: the only place where an agent's state changes."""
        step = find_step(agent.state, what)
        if step is None:
            return ()
        was, was_reason, was_until, was_next = (
            agent.state,
            agent.reason,
            agent.until,
            agent.next_state,
        )
        to = step.to
        if contact is not None:
            agent.contact = contact
        if to is Target.REST:
            state, reason = agent.rest()
            agent.state = state
            agent.reason = reason or (was_reason if state is was else what.value)
            agent.contact = None
            agent.until = agent.pause_until if agent.is_paused else None
        elif to is not Target.STAY:
            agent.state = to
            agent.reason = what.value
        if step.effects:
            self._set_timer(agent, step.effects, now)
        agent.next_state = agent.afterwards()
        if was is not agent.state:
            self._sync_idle_line(agent, was, step.effects, now)
        elif (agent.reason, agent.until, agent.next_state) == (was_reason, was_until, was_next):
            return step.effects
        self._report(agent, was, was_reason, now)
        return step.effects

    def _set_timer(self, agent: Agent, effects: tuple[Effect, ...], now: float) -> None:
        key = (Due.AGENT, agent.settings.agent)
        if Effect.STOP_TIMER in effects:
            self._timers.cancel(key)
            if agent.pause is None:
                agent.until = None
        elif Effect.WATCH_OFFER in effects:
            self.watch_offer(agent, now)
        elif Effect.START_COUNTDOWN in effects:
            agent.until = now + agent.settings.wrap_up_s
            self._timers.set(key, agent.until)

    def watch_offer(self, agent: Agent, now: float) -> None:
        """Take the offer back if nothing is heard of it for too long."""
        until = now + agent.settings.ring_timeout_s + self._grace_s + agent.patience_s
        self._timers.set((Due.AGENT, agent.settings.agent), until)

    def _sync_idle_line(
        self, agent: Agent, was: AgentState, effects: tuple[Effect, ...], now: float
    ) -> None:
        name = agent.settings.agent
        if was is AgentState.AVAILABLE:
            self._router.remove_idle(name)
            if agent.reason == AgentInput.PHONE_LOST:
                self._unreached[name] = now
        elif agent.state is AgentState.AVAILABLE:
            # A phone that registers anew may be gone for a moment: its agent has worked no less.
            blinked = now - self._unreached.pop(name, float("-inf")) <= _BLINK_S
            if (blinked or Effect.KEEP_IDLE_TIME in effects) and agent.idle_place is not None:
                self._router.return_idle(agent.idle_place)
            else:
                agent.idle_place = self._router.add_idle(name, now)
            self.freed.append(agent)

    def _report(self, agent: Agent, was: AgentState, was_reason: str, now: float) -> None:
        previous_for_s = now - agent.since
        if was is not agent.state or was_reason != agent.reason:
            agent.since = now
        log.debug("agent %s: %s -> %s (%s)", agent.settings.agent, was, agent.state, agent.reason)
        self._outbox.emit(
            AgentStateChanged(
                agent=agent.settings.agent,
                at=now,
                state=agent.state,
                reason=agent.reason,
                previous=was,
                previous_for_s=previous_for_s,
                contact=agent.contact,
                until=agent.until,
                next_state=agent.next_state,
            )
        )
