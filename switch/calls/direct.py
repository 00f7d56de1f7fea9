"""Calls that need no application: phone to phone, phone to trunk.

A direct call is two legs and five rules, all of them in call-control events:

    callee rings      -> ring the caller
    callee sounds     -> let the caller hear it before the answer (183)
    callee answers    -> answer the caller; when that is done, bridge the two
    either leg ends   -> end the other, telling it why
    nobody answers    -> the callee's leg times out, and the rule above tells the caller 480
"""

from __future__ import annotations

from switch.calls.admission import Admitted
from switch.calls.attempt import Rights
from switch.calls.events import LegAnswered, LegEarlyMedia, LegEnded, LegRinging
from switch.calls.fan_out import Takes
from switch.calls.leg import Leg
from switch.calls.ports import CallControl
from switch.calls.settings import CallSettings
from switch.ids import LegId
from switch.trunks.number_plan import ToPhone, ToTrunk


class DirectCalls:
    """The direct calls that live. Speaks to the legs through call control, like any application."""

    def __init__(self, control: CallControl, settings: CallSettings) -> None:
        self._control = control
        self._settings = settings
        self._callee_of: dict[LegId, LegId] = {}
        self._caller_of: dict[LegId, LegId] = {}
        self.takes: Takes = {
            LegRinging: self._leg_rings,
            LegEarlyMedia: self._leg_sounds,
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
        }
        """The rules; events of other calls are ignored."""

    def start(
        self, caller: Leg, admitted: Admitted, destination: ToPhone | ToTrunk, hops: int
    ) -> None:
        """Call the destination of an incoming leg; `hops` is what the callee finds in Max-Forwards."""
        headers = {**admitted.carried, "Max-Forwards": str(hops)}
        rights = Rights(admitted.source, admitted.source_name)
        if isinstance(destination, ToPhone):
            callee = self._control.call_phone(
                destination.number,
                call=caller.call,
                caller_number=admitted.caller_number,
                caller_name=admitted.caller_name,
                ring_timeout_s=self._settings.ring_timeout_s,
                headers=headers,
                rights=rights,
            )
        else:
            callee = self._control.call_trunk(
                destination.trunk,
                destination.number,
                call=caller.call,
                caller_number=admitted.caller_number,
                caller_name=admitted.caller_name,
                ring_timeout_s=self._settings.ring_timeout_s,
                headers=headers,
                rights=rights,
            )
        self._callee_of[caller.id] = callee
        self._caller_of[callee] = caller.id

    def callee_of(self, caller: LegId) -> LegId | None:
        """The other leg of a direct call, by its caller's."""
        return self._callee_of.get(caller)

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._callee_of or leg in self._caller_of

    def restore(self, caller: LegId, callee: LegId) -> None:
        """Take up a direct call of an earlier process."""
        self._callee_of[caller] = callee
        self._caller_of[callee] = caller

    def forget(self, leg: LegId) -> None:
        """The call that this leg belongs to is a direct one no more; its legs live on."""
        callee = self._callee_of.pop(leg, None)
        if callee is not None:
            del self._caller_of[callee]
        caller = self._caller_of.pop(leg, None)
        if caller is not None:
            del self._callee_of[caller]

    def caller_of(self, callee: LegId) -> LegId | None:
        """The other leg of a direct call, by its callee's."""
        return self._caller_of.get(callee)

    def join(self, caller: LegId, callee: LegId) -> None:
        """These two are a direct call now, and in no other."""
        self.forget(caller)
        self.forget(callee)
        self._callee_of[caller] = callee
        self._caller_of[callee] = caller

    def transferred(self, leg: LegId, peer: LegId, by: LegId, other: LegId | None) -> None:
        """`by` takes the place of `leg` beside `peer`; for `other` see `LegReplaced`.

        What no application knows stays a direct call; otherwise the application has both legs.
        """
        is_direct = leg in self and (other is None or other in self)
        self.forget(leg)
        if other is not None:
            self.forget(other)
        if is_direct:
            self.join(peer, by)

    def __len__(self) -> int:
        return len(self._callee_of)

    def _leg_rings(self, event: LegRinging) -> None:
        caller = self._caller_of.get(event.leg)
        if caller is not None:
            self._control.ring(caller)

    def _leg_sounds(self, event: LegEarlyMedia) -> None:
        caller = self._caller_of.get(event.leg)
        if caller is not None:
            self._control.hear_early(caller, event.leg)

    def _leg_answered(self, event: LegAnswered) -> None:
        leg = event.leg
        if leg in self._caller_of:
            self._control.answer(self._caller_of[leg])
        elif leg in self._callee_of:
            self._control.bridge(leg, self._callee_of[leg])

    def _leg_ended(self, event: LegEnded) -> None:
        leg, cause = event.leg, event.cause
        other = self._callee_of.pop(leg, None)
        if other is not None:
            del self._caller_of[other]
        else:
            other = self._caller_of.pop(leg, None)
            if other is None:
                return
            del self._callee_of[other]
        self._control.hang_up(other, cause)
