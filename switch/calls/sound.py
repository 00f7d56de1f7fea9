"""What legs hear: the matrix, the players and the shared music, as commands to the gateway."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from switch.calls.bridge import SoundMatrix
from switch.calls.captures import Captures
from switch.calls.changes import Changes
from switch.calls.events import CallEvent, LegHeld, LegResumed, LegsBridged, PlayFinished
from switch.calls.gateways import Member
from switch.calls.roles import Role
from switch.calls.wiring import Wiring
from switch.clock import Clock
from switch.gateway.protocol import (
    Gain,
    Play,
    PlayerFinished,
    PlayItem,
    SendDigits,
    StopPlayer,
    WatchSound,
)
from switch.ids import CallId, LegId, PlayerId

log = logging.getLogger(__name__)

NO_TUNES: Final[Mapping[str, tuple[PlayItem, ...]]] = MappingProxyType({})


class Sound:
    """Bridges, holds, mutes, players and recordings of all answered legs.

    Methods that take a leg expect one in `matrix`, except where they say otherwise.
    """

    def __init__(
        self,
        *,
        wiring: Wiring,
        clock: Clock,
        emit: Callable[[CallEvent], None],
        music: PlayerId,
        music_items: Sequence[PlayItem],
        tunes: Mapping[str, tuple[PlayItem, ...]] = NO_TUNES,
    ) -> None:
        self.wiring = wiring
        self._gateways = wiring.gateways
        self._clock = clock
        self._emit = emit
        self._music_items = tuple(music_items)
        self._tunes = dict(tunes)
        self.changes = Changes()
        """Of legs and recordings, for the journal."""
        self.matrix = SoundMatrix(music, self.changes)
        self.matrix.tunes = {name: _tune_player(name) for name in self._tunes}
        self.captures = Captures(
            clock=clock,
            send=wiring.record,
            gateway_of=self._gateway_of,
            emit=emit,
            is_muted=self._is_muted,
            changes=self.changes,
        )
        self._players: dict[PlayerId, LegId] = {}
        self._stopping: set[PlayerId] = set()
        """Those of them that were told to end; a gateway out of reach has not heard it."""

    # --- bridges --------------------------------------------------------------------------------

    def bridge(self, call: CallId, a: LegId, b: LegId) -> None:
        """Let two legs hear each other, and say so."""
        if b in self.matrix.peers(a):
            return
        self._set(self.matrix.bridge(a, b))
        self._emit(LegsBridged(call=call, a=a, b=b, at=self._clock.now()))

    def unbridge(self, a: LegId, b: LegId) -> None:
        """Take a bridge apart."""
        self._set(self.matrix.unbridge(a, b))

    def hear_early(self, leg: LegId, callee: LegId) -> None:
        """Let a leg hear one that is not answered yet; the leg itself need not be answered."""
        self._set(self.matrix.hear_early(leg, callee))

    def end_early(self, callee: LegId) -> None:
        """Nobody hears this one any more, unless they are bridged."""
        self._set(self.matrix.end_early(callee))

    def attend(self, leg: LegId, target: LegId, role: Role) -> None:
        """Let a leg attend the conversation of another, or change its role there."""
        self._set(self.matrix.attend(leg, target, role))

    def leave(self, leg: LegId) -> None:
        """Let a leg attend nobody any more."""
        self._set(self.matrix.leave(leg))

    def hold(self, leg: LegId, *, on: bool, by_command: bool) -> None:
        """Begin or end a hold; reported when the leg begins or ceases to hold by either way."""
        held_before = self._holds(leg)
        self._set(self.matrix.hold(leg, on=on, by_command=by_command))
        held = self._holds(leg)
        if held and not held_before:
            self._emit(LegHeld(leg=leg, at=self._clock.now(), by_command=by_command))
        elif held_before and not held:
            self._emit(LegResumed(leg=leg, at=self._clock.now()))

    def mute(self, leg: LegId, muted: bool) -> None:
        """Keep what the leg says from everyone and from its recordings, or no longer."""
        if self._is_muted(leg) == muted:
            return
        self._set(self.matrix.mute(leg, muted))
        self.captures.mute_changed(leg)

    def music(self, leg: LegId, on: bool) -> None:
        """Let the leg hear the shared music, or no longer."""
        self._set(self.matrix.music(leg, on))

    def tune(self, leg: LegId, name: str) -> None:
        """Say which music the leg hears when it is to hear some; an unknown one is everybody's."""
        self._set(self.matrix.tune(leg, name))

    def echo(self, leg: LegId, on: bool) -> None:
        """Let the leg hear itself, or no longer."""
        self._set(self.matrix.echo(leg, on))

    def silence(self, leg: LegId) -> None:
        """Let the leg hear nobody and nothing more; what is played to it after this it hears."""
        self.leave(leg)
        for peer in self.matrix.peers(leg):
            self.unbridge(leg, peer)
        self.music(leg, False)
        self.echo(leg, False)
        for player, heard_by in tuple(self._players.items()):
            if heard_by == leg:
                self.stop(player)

    def send_digits(self, leg: LegId, digits: str) -> None:
        """Send digits to the leg's peer; what is no digit is left out."""
        known = "".join(digit for digit in digits.upper() if digit in "0123456789*#ABCD")
        if known:
            self._gateways.send(leg, SendDigits(leg=leg, digits=known))

    def watch(self, leg: LegId, on: bool) -> None:
        """Let the gateway tell what a leg sounds like, or no longer."""
        self._gateways.send(leg, WatchSound(leg=leg, on=on))

    # --- players --------------------------------------------------------------------------------

    def play(self, player: PlayerId, leg: LegId, items: Sequence[PlayItem], *, loop: bool) -> None:
        """Play to one leg."""
        self._players[player] = leg
        command = Play(player=player, items=tuple(items), listeners=(leg,), loop=loop)
        self._gateways.send(leg, command)

    def stop(self, player: PlayerId) -> None:
        """Stop a player that runs; the gateway reports its end."""
        leg = self._players.get(player)
        if leg is not None:
            self._stopping.add(player)
            self._gateways.send(leg, StopPlayer(player=player))

    def player_finished(self, event: PlayerFinished) -> None:
        """Pass on the end of a player, unless its leg has ended before."""
        if event.missing:
            log.warning("no prompt is named %s", ", ".join(event.missing))
        if event.player == self.matrix.music_player:
            log.error("there is no music: those who wait will hear silence")
            self.matrix.music_ended()
            self._end_everywhere(event.player)
        for name, player in tuple(self.matrix.tunes.items()):
            if player == event.player:
                log.error("there is no music %s: everybody's is heard in its place", name)
                gains = self.matrix.tune_ended(name)
                self._end_everywhere(player)
                self._set(gains)
        leg = self._forget(event.player)
        if leg is not None:
            self.report_played(event.player, leg, stopped=event.stopped)

    def report_played(self, player: PlayerId, leg: LegId, *, stopped: bool) -> None:
        """Say that a player ended."""
        at = self._clock.now()
        self._emit(PlayFinished(player=player, leg=leg, at=at, stopped=stopped))

    @property
    def players(self) -> dict[PlayerId, LegId]:
        """The players that run and whom they play to; a copy."""
        return dict(self._players)

    # --- legs and gateway -----------------------------------------------------------------------

    def leg_ended(self, leg: LegId) -> None:
        """Forget a leg, answered or not; before the gateway is told to remove it."""
        self.captures.leg_ended(leg)
        self._set(self.matrix.remove(leg))
        self.wiring.leg_ended(leg)
        for player in [player for player, heard_by in self._players.items() if heard_by == leg]:
            self._forget(player)
            self._gateways.send(leg, StopPlayer(player=player))

    def adopt_player(self, player: PlayerId, leg: LegId) -> None:
        """A player that an earlier process started plays to this leg."""
        self._players[player] = leg

    def only(self, member: Member, players: Collection[PlayerId]) -> None:
        """A gateway has these and no others: the rest ended while nobody listened."""
        for player, leg in tuple(self._players.items()):
            if player not in players and self._gateways.of(leg) is member:
                self._forget(player)
                self.report_played(player, leg, stopped=False)

    def plays(self, player: PlayerId) -> bool:
        """Whether a player is the music, or is to play on to a leg."""
        if player in self._players and player not in self._stopping:
            return True
        return player == self.matrix.music_player or player in self.matrix.tunes.values()

    def say_again(self, member: Member) -> None:
        """Repeat to a gateway what its legs hear: what was said last may not have arrived."""
        gains = self.matrix.say_again()
        if gains:
            self.wiring.set_gains(gains, about=member)

    def play_music(self, member: Member, running: Collection[PlayerId], fresh: PlayerId) -> None:
        """A gateway is there and plays `running`: start the music that it has not.

        All gateways play it as the same player; `fresh` is its id where there was no music.
        """
        players = [member]
        if self.matrix.music_player is None:
            self.matrix.music_player = fresh
            players = list(self._gateways)
        music = self.matrix.music_player
        for each in players:
            if each is not member or music not in running:
                each.link.send(Play(player=music, items=self._music_items, loop=True))
        for name, player in self.matrix.tunes.items():
            if player not in running:
                member.link.send(Play(player=player, items=self._tunes[name], loop=True))

    def gateway_lost(self, member: Member) -> None:
        """Nothing sounds there any more; its legs are ended by `switch.calls.legs`."""
        if member is self._gateways.sole:
            self.matrix.clear()
            self._players.clear()
            self._stopping.clear()
        self.wiring.crossings.gateway_lost(member)
        self.captures.gateway_lost(member.name)

    def _forget(self, player: PlayerId) -> LegId | None:
        """It plays no longer: whom it played to, if to anybody."""
        self._stopping.discard(player)
        return self._players.pop(player, None)

    def _gateway_of(self, leg: LegId) -> str:
        member = self._gateways.of(leg)
        return "" if member is None else member.name

    def _end_everywhere(self, player: PlayerId) -> None:
        """One gateway could not play what many hear: nobody shall, or some would never be rid of it."""
        if self._gateways.sole is None:
            for member in self._gateways:
                member.link.send(StopPlayer(player=player))

    def _set(self, gains: list[Gain]) -> None:
        if gains:
            self.wiring.set_gains(gains)

    def _holds(self, leg: LegId) -> bool:
        facts = self.matrix.facts(leg)
        return facts is not None and facts.holds

    def _is_muted(self, leg: LegId) -> bool:
        facts = self.matrix.facts(leg)
        return facts is not None and facts.muted


def _tune_player(name: str) -> PlayerId:
    """The same in every process, so that one taken up from an earlier one plays on."""
    return PlayerId(f"music-{name}")
