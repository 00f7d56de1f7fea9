"""Who hears whom: bridges, roles, hold, mute, music, echo, kept as gains of the gateway's matrix.

The facts (who is bridged with whom, who attends whom, who holds, who is muted) are kept per leg. A
conference of any size is a bridge between each two of its legs, so each has a row of its own. What
a leg hears is computed from the facts, one row of the matrix at a time, and compared with the row
that the gateway has already; only the difference is sent. So no order of commands can leave a gain
behind.

    row(l) = nothing                               where l holds
           = for each bridge peer p:
                 music                             where p holds
                 p                                 unless p is muted
                 who attends p as barge            unless p holds
             + who attends l as whisper or barge
             + where l attends t: t and row(t)     but not itself
             + music                               where l was told to hear it
             + l                                   where l echoes and is not muted
             + c                                   where l hears c before c is answered

Nobody is heard who holds or is muted. A leg that attends has no bridges, and nobody attends it: who
monitors stands in no row.

Pure: every change returns the gains to set.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from msgspec import Struct, field

from switch.calls.changes import Changes
from switch.calls.roles import IS_HEARD_BY_LEG, Role
from switch.gateway.protocol import Gain
from switch.ids import LegId, PlayerId


class Facts(Struct):
    """What is true of one answered leg."""

    peers: dict[LegId, None] = field(default_factory=dict)
    """Bridge peers in the order they came; a dict because sets have no order."""
    held_by_peer: bool = False
    """Its far end holds (re-INVITE)."""
    held_by_command: bool = False
    muted: bool = False
    music: bool = False
    echo: bool = False
    tune: str = ""
    """Which music it hears when it is to hear music; empty: everybody's."""
    attends: LegId | None = None
    """The leg whose conversation it attends, in its role."""
    role: Role = Role.MONITOR

    @property
    def is_heard(self) -> bool:
        """False while nothing that it says reaches anybody but itself."""
        return not (self.muted or self.holds)

    @property
    def holds(self) -> bool:
        """True while it keeps its bridge peers waiting."""
        return self.held_by_peer or self.held_by_command


class SoundMatrix:
    """The facts of all answered legs, and the rows that the gateway has."""

    def __init__(self, music: PlayerId, changes: Changes | None = None) -> None:
        """`music` is the player that all who wait hear."""
        self._changes = changes or Changes()
        self.music_player: PlayerId | None = music
        """None: there is no music, and who waits hears silence."""
        self._facts: dict[LegId, Facts] = {}
        self._rows: dict[LegId, frozenset[LegId | PlayerId]] = {}
        self._early: dict[LegId, LegId] = {}
        """Who hears a callee that is not answered yet; neither of them need be."""
        self.tunes: dict[str, PlayerId] = {}
        """Players of other music, by its name; those that cannot be played are taken out."""
        self._attended: dict[LegId, dict[LegId, None]] = {}
        """Who attends a leg, in the order they came."""

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._facts

    def facts(self, leg: LegId) -> Facts | None:
        """What is true of a leg; None before its answer and after its end. Not to be changed."""
        return self._facts.get(leg)

    def add(self, leg: LegId) -> None:
        """Take up a leg that was answered. It hears nothing."""
        self._facts[leg] = Facts()
        self._rows.setdefault(leg, frozenset())
        self._changes.legs.add(leg)

    def restore(self, leg: LegId, facts: Facts) -> None:
        """Take up a leg that an earlier process has answered; `settle` when all are there."""
        self._facts[leg] = facts
        self._rows[leg] = frozenset()

    def settle(self) -> None:
        """After `restore` of all: bridges lead both ways or nowhere, and rows are as they should be."""
        for leg, facts in self._facts.items():
            if facts.attends is not None:
                target = self._facts.get(facts.attends)
                if target is None or target.attends is not None or facts.attends == leg:
                    facts.attends = None
                else:
                    facts.peers.clear()
                    self._attended.setdefault(facts.attends, {})[leg] = None
        for leg, facts in self._facts.items():
            for peer in tuple(facts.peers):
                other = self._facts.get(peer)
                if other is None or leg not in other.peers:
                    del facts.peers[peer]
        for leg in (*self._facts, *self._early):
            self._rows[leg] = self.row(leg)

    def say_again(self) -> list[Gain]:
        """Every entry that the facts have to do with, for a gateway that may have missed some."""
        gains: list[Gain] = []
        for leg, row in self._rows.items():
            others: set[LegId | PlayerId] = {*self._near((leg,)), leg} | self._all_music
            gains += [Gain(listener=leg, source=s, gain=0.0) for s in sorted(others - row)]
            gains += [Gain(listener=leg, source=s) for s in sorted(row)]
        return gains

    def remove(self, leg: LegId) -> list[Gain]:
        """Forget a leg; the gains returned concern only its peers.

        The gateway drops the leg's own gains by itself, from and to it.
        """
        self._changes.legs.add(leg)
        facts = self._facts.pop(leg, None) or Facts()
        self._early.pop(leg, None)
        listeners = self._forget_early(leg)
        self._rows.pop(leg, None)
        near = self._near_of(leg, facts) | self._near(listeners)
        near.pop(leg, None)
        for peer in facts.peers:
            self._facts[peer].peers.pop(leg, None)
        if facts.attends is not None:
            self._unlist(leg, facts.attends)
        for attending in self._attended.pop(leg, ()):
            self._facts[attending].attends = None
            self._changes.legs.add(attending)
        self._changes.legs.update(facts.peers)
        for other in near:
            self._rows[other] -= {leg}
        gains = self._refresh(near)
        self._drop_rows(listeners)
        return gains

    def hear_early(self, leg: LegId, callee: LegId) -> list[Gain]:
        """Let a leg hear a callee that is not answered yet, and nobody else of those."""
        self._early[leg] = callee
        self._rows.setdefault(leg, frozenset())
        self._changes.legs.add(leg)
        return self._refresh((leg, *self._attended.get(leg, ())))

    def end_early(self, callee: LegId) -> list[Gain]:
        """Nobody hears the callee any more who does not by a bridge."""
        listeners = self._forget_early(callee)
        gains = self._refresh(self._near(listeners))
        self._drop_rows(listeners)
        return gains

    def hears_early(self, leg: LegId) -> LegId | None:
        """The unanswered callee that a leg hears."""
        return self._early.get(leg)

    def restore_early(self, leg: LegId, callee: LegId) -> None:
        """Both have been taken up from an earlier process; `settle` when all are."""
        self._early[leg] = callee

    def _forget_early(self, callee: LegId) -> list[LegId]:
        listeners = [leg for leg, heard in self._early.items() if heard == callee]
        for leg in listeners:
            del self._early[leg]
            self._changes.legs.add(leg)
        return listeners

    def _drop_rows(self, legs: Iterable[LegId]) -> None:
        """Legs that are not answered have a row only as long as they hear somebody."""
        for leg in legs:
            if leg not in self._facts:
                self._rows.pop(leg, None)

    def clear(self) -> None:
        """The gateway is gone, and all gains with it."""
        self._facts.clear()
        self._rows.clear()
        self._early.clear()
        self._attended.clear()

    def music_ended(self) -> None:
        """The music's player is gone, and its gains with it: nothing there can be played."""
        gone = self.music_player
        self.music_player = None
        for leg, row in self._rows.items():
            self._rows[leg] = row - {gone}

    def tune_ended(self, name: str) -> list[Gain]:
        """This player is gone, and its gains with it: who heard it hears everybody's music."""
        gone = self.tunes.pop(name)
        legs = [leg for leg, row in self._rows.items() if gone in row]
        for leg in legs:
            self._rows[leg] -= {gone}
        return self._refresh(legs)

    def tune(self, leg: LegId, name: str) -> list[Gain]:
        """Say which music the leg hears, now or later, when it is to hear some."""
        facts = self._facts[leg]
        if facts.tune == name:
            return []
        facts.tune = name
        self._changes.legs.add(leg)
        return self._refresh((leg, *self._attended.get(leg, ())))

    def bridge(self, a: LegId, b: LegId) -> list[Gain]:
        """Let two legs hear each other; one that attended somebody is a party from now on."""
        for leg, other in ((a, b), (b, a)):
            if self._early.get(leg) == other:
                del self._early[leg]
        gains = [*self.leave(a), *self.leave(b)]
        self._facts[a].peers[b] = None
        self._facts[b].peers[a] = None
        self._changes.legs |= {a, b}
        return gains + self._refresh(self._near((a, b)))

    def unbridge(self, a: LegId, b: LegId) -> list[Gain]:
        """Take a bridge apart."""
        near = self._near((a, b))
        self._facts[a].peers.pop(b, None)
        self._facts[b].peers.pop(a, None)
        self._changes.legs |= {a, b}
        return self._refresh(near)

    def attend(self, leg: LegId, target: LegId, role: Role) -> list[Gain]:
        """Let a leg attend the conversation of another, or change its role; it gives up its bridges.

        Nothing happens where the target attends somebody itself, or is the leg.
        """
        facts = self._facts[leg]
        if target == leg or self._facts[target].attends is not None or leg in self._attended:
            return []
        near = self._near((leg, target))
        for peer in tuple(facts.peers):
            self._facts[peer].peers.pop(leg, None)
            self._changes.legs.add(peer)
        facts.peers.clear()
        if facts.attends is not None and facts.attends != target:
            self._unlist(leg, facts.attends)
        facts.attends, facts.role = target, role
        self._attended.setdefault(target, {})[leg] = None
        self._changes.legs.add(leg)
        return self._refresh(near | self._near((leg,)))

    def leave(self, leg: LegId) -> list[Gain]:
        """Let a leg attend nobody any more."""
        facts = self._facts[leg]
        if facts.attends is None:
            return []
        near = self._near((leg,))
        self._unlist(leg, facts.attends)
        facts.attends = None
        self._changes.legs.add(leg)
        return self._refresh(near)

    def hold(self, leg: LegId, *, on: bool, by_command: bool) -> list[Gain]:
        """Begin or end one of the two holds of a leg; it holds as long as either is on."""
        facts = self._facts[leg]
        self._changes.legs.add(leg)
        if by_command:
            facts.held_by_command = on
        else:
            facts.held_by_peer = on
        return self._refresh(self._near((leg,)))

    def mute(self, leg: LegId, muted: bool) -> list[Gain]:
        """Keep what the leg says from everyone, or no longer."""
        facts = self._facts[leg]
        facts.muted = muted
        self._changes.legs.add(leg)
        return self._refresh(self._near((leg,)))

    def music(self, leg: LegId, on: bool) -> list[Gain]:
        """Let the leg hear the shared music, or no longer."""
        self._facts[leg].music = on
        self._changes.legs.add(leg)
        return self._refresh((leg, *self._attended.get(leg, ())))

    def echo(self, leg: LegId, on: bool) -> list[Gain]:
        """Let the leg hear itself, or no longer."""
        self._facts[leg].echo = on
        self._changes.legs.add(leg)
        return self._refresh((leg, *self._attended.get(leg, ())))

    def peers(self, leg: LegId) -> tuple[LegId, ...]:
        """The legs that a leg is bridged with."""
        facts = self._facts.get(leg)
        return () if facts is None else tuple(facts.peers)

    def rows(self) -> Iterator[tuple[LegId, frozenset[LegId | PlayerId]]]:
        """The rows as the gateway has them; for the invariant check."""
        yield from self._rows.items()

    def attending(self, leg: LegId) -> tuple[LegId, ...]:
        """The legs that attend a leg's conversation."""
        return tuple(self._attended.get(leg, ()))

    def row(self, leg: LegId) -> frozenset[LegId | PlayerId]:
        """Compute what a leg is to hear."""
        early = self._early.get(leg)
        sources: set[LegId | PlayerId] = set() if early is None else {early}
        facts = self._facts.get(leg)
        if facts is None:
            return frozenset(sources)
        if facts.holds:
            return frozenset()
        for peer in facts.peers:
            other = self._facts[peer]
            if other.holds:
                sources |= self._music(facts)
                continue
            if not other.muted:
                sources.add(peer)
            sources.update(self._speaking_to(peer, (Role.BARGE,)))
        sources.update(self._speaking_to(leg, IS_HEARD_BY_LEG))
        if facts.attends is not None:
            if self._facts[facts.attends].is_heard:
                sources.add(facts.attends)
            sources |= self.row(facts.attends)
            sources.discard(leg)
        if facts.music:
            sources |= self._music(facts)
        if facts.echo and not facts.muted:
            sources.add(leg)
        return frozenset(sources)

    def _speaking_to(self, target: LegId, roles: Container[Role]) -> Iterator[LegId]:
        for attending in self._attended.get(target, ()):
            facts = self._facts[attending]
            if facts.role in roles and facts.is_heard:
                yield attending

    def _near(self, legs: Iterable[LegId]) -> dict[LegId, None]:
        """Everyone whose row can depend on the facts of these legs, in a fixed order."""
        near: dict[LegId, None] = {}
        for leg in legs:
            facts = self._facts.get(leg)
            near |= {leg: None} if facts is None else self._near_of(leg, facts)
        return near

    def _near_of(self, leg: LegId, facts: Facts) -> dict[LegId, None]:
        near = dict.fromkeys((leg, *facts.peers))
        if facts.attends is not None:
            near |= dict.fromkeys((facts.attends, *self._facts[facts.attends].peers))
        if self._attended:
            for each in tuple(near):
                near |= self._attended.get(each, {})
        return near

    def _unlist(self, leg: LegId, target: LegId) -> None:
        there = self._attended[target]
        del there[leg]
        if not there:
            del self._attended[target]

    def _music(self, facts: Facts) -> frozenset[PlayerId]:
        player = self.tunes.get(facts.tune, self.music_player)
        return frozenset() if player is None else frozenset((player,))

    @property
    def _all_music(self) -> frozenset[PlayerId]:
        players = (self.music_player, *self.tunes.values())
        return frozenset(player for player in players if player is not None)

    def _refresh(self, listeners: Iterable[LegId]) -> list[Gain]:
        gains: list[Gain] = []
        for listener in listeners:
            wanted = self.row(listener)
            known = self._rows[listener]
            if wanted == known:
                continue
            self._rows[listener] = wanted
            # Sorted: the same history gives the same commands in every process.
            gains += [Gain(listener=listener, source=s, gain=0.0) for s in sorted(known - wanted)]
            gains += [Gain(listener=listener, source=s) for s in sorted(wanted - known)]
        return gains
