"""The guard: asked first about every message, told afterwards what it turned out to be.

Each source has a rate (a bucket that leaks) and a score of offences (which is forgiven in time). Who is
far above either is banned for a while: nothing of it is read any more. One dictionary look-up decides.

    strangers   have proved nothing: a small rate each, and one for all of them together; datagrams
                and connections have their own, because the senders of datagrams may be invented
    known       proved a password not long ago: a generous rate, ten offences count as one, and
                what anybody could do in their name, and what pauses slow down already, does not
                count at all
    exempt      by configuration: no ban, offences are counted only; no limit but a high one for
                datagrams, lest those forged in its name take the time of all others
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from switch.guard.bans import Ban, GuardCounters, Verdict
from switch.guard.offences import FULL, WEIGHTS, Offence
from switch.guard.settings import GuardSettings
from switch.guard.source import DATAGRAMS, Exempt, Source, key_of

_BURST_S: Final = 4.0
"""A burst may be as long as so many seconds at the full rate."""
_EXEMPT_BURST_S: Final = 1.0
_PLENTY: Final = 1 << 30
_LOOKED_AT: Final = 512
"""Sources that are looked at for one that can be forgotten: known ones often stand together."""
_PASS, _LIMIT, _BAN = Verdict.PASS, Verdict.LIMIT, Verdict.BAN


class Guard:
    """Rates, offences and bans of all sources. Every host is an IP address as text."""

    def __init__(
        self, settings: GuardSettings, *, on_ban: Callable[[Ban], None] = lambda ban: None
    ) -> None:
        """`on_ban` is told of each ban as it begins; it must not call back."""
        self.settings = self._settings = settings
        self._on_ban = on_ban
        self._is_exempt = lru_cache(maxsize=8192)(Exempt(settings.exempt).__contains__)
        self._sources: OrderedDict[str, Source] = OrderedDict()
        self._banned: dict[str, Source] = {}
        """Those whose ban has not been seen to end."""
        self._stranger_gap = 1.0 / settings.stranger_rate
        self._known_gap = 1.0 / settings.known_rate
        self._exempt_gap = 1.0 / settings.exempt_rate
        self._strangers_gap = 1.0 / settings.strangers_rate
        self._strangers_due = [0.0, 0.0]
        """Of datagrams, and of connections and what comes over them."""
        self._weights = dict(WEIGHTS)
        # A little more than its share, because some is forgiven while they come in.
        self._weights[Offence.WRONG_PASSWORD] /= settings.ban_after - 0.5
        self._offences: Counter[str] = Counter()
        self._bans = self._lifted = self._forgotten = 0
        self._dropped_banned = self._dropped_source = self._dropped_strangers = 0
        self._dropped_exempt = 0

    # --- asking -------------------------------------------------------------------------------

    def judge(self, host: str, now: float, *, is_connected: bool = False) -> Verdict:
        """Decide about one message from `host`, and count it.

        `is_connected`: it is a connection or came over one, so the host is really there.
        """
        source = self._sources.get(host)
        if source is None:
            source = self._meet(host, now)
        if source.is_exempt:
            if is_connected:
                return _PASS
            due = source.datagrams_due
            if due < now:
                due = now
            elif due - now > _EXEMPT_BURST_S:
                self._dropped_exempt += 1
                return _LIMIT
            source.datagrams_due = due + self._exempt_gap
            return _PASS
        banned = source
        if source.datagrams is not None and not is_connected and source.banned_until <= now:
            banned = source.datagrams
        if banned.banned_until > now:
            banned.dropped += 1
            self._dropped_banned += 1
            return _BAN
        is_known = source.known_until > now
        due = source.due if is_connected else source.datagrams_due
        if due < now:
            due = now
        elif due - now > _BURST_S:
            self._dropped_source += 1
            self.offend(host, Offence.FLOOD, now, is_connected=is_connected)
            return _LIMIT
        due += self._known_gap if is_known else self._stranger_gap
        if is_connected:
            source.due = due
        else:
            source.datagrams_due = due
        if not is_known:
            due = self._strangers_due[is_connected]
            due = due if due > now else now
            if due - now > _BURST_S:
                self._dropped_strangers += 1
                return _LIMIT
            self._strangers_due[is_connected] = due + self._strangers_gap
        return _PASS

    def room(self, host: str, now: float) -> int:
        """How many messages over connections of `host` would pass now; nothing is counted.

        Whoever reads a connection reads no more than that: its peer then has to wait, and nothing is lost.
        """
        source = self._sources.get(host) or self._meet(host, now)
        if source.is_exempt or source.banned_until > now:
            return _PLENTY  # of a ban `judge` tells
        if source.known_until > now:
            return _room(source.due - now, self._known_gap)
        return min(
            _room(source.due - now, self._stranger_gap),
            _room(self._strangers_due[True] - now, self._strangers_gap),
        )

    def is_banned(self, host: str, now: float) -> bool:
        """Tell whether `host` is banned, or datagrams in its name; nothing is counted."""
        source = self._sources.get(host) or self._sources.get(key_of(host))
        return source is not None and source.is_banned(now)

    def banned_for(self, host: str, now: float) -> float:
        """Seconds until the ban of `host` ends; 0: it is not banned, or only datagrams in its name."""
        source = self._sources.get(host) or self._sources.get(key_of(host))
        return 0.0 if source is None else max(0.0, source.banned_until - now)

    def is_stranger(self, host: str, now: float) -> bool:
        """Tell whether `host` has neither proved a password lately nor is exempt."""
        source = self._sources.get(host)
        if source is None:
            source = self._meet(host, now)
        return not source.is_exempt and source.known_until <= now

    def is_known(self, host: str, now: float) -> bool:
        """Tell whether a right password came from `host` lately, be it exempt or not."""
        source = self._sources.get(host) or self._sources.get(key_of(host))
        return source is not None and source.known_until > now

    def origin(self, host: str) -> str:
        """The source that `host` belongs to; empty for all exempt ones."""
        return "" if self._is_exempt(host) else key_of(host)

    # --- telling ------------------------------------------------------------------------------

    def offend(
        self,
        host: str,
        offence: Offence,
        now: float,
        *,
        is_slowed: bool = False,
        is_connected: bool = False,
    ) -> None:
        """Note what a source did wrong; ban it when that was too much.

        What came in datagrams (not `is_connected`) and may be the work of others bans datagrams only:
        whoever really is there may still connect. `is_slowed`: pauses keep the offender from doing
        it fast. That is enough where others share its address: a phone with an old password, which
        never stops, must not shut them out.
        """
        self._offences[offence] += 1
        source = self._meet(host, now)
        if source.is_exempt or source.banned_until > now:
            return
        settings = self._settings
        is_known = source.known_until > now
        if is_known and (is_slowed or not offence.counts_against_known):
            return
        if offence.can_be_forged and not is_connected:
            if source.datagrams is None:
                source.datagrams = Source(source.key + DATAGRAMS, False, now)
            source = source.datagrams
            if source.banned_until > now:
                return
        source.leak(now, settings.forgiven_per_s)
        source.score += self._weights[offence]
        if source.score >= (FULL * settings.leniency if is_known else FULL):
            self._ban(source, offence, now)

    def accept(self, host: str, now: float) -> None:
        """A right password came from `host`: it is known now, and its challenge was answered."""
        source = self._meet(host, now)
        source.known_until = now + self._settings.known_s
        for each in (source, source.datagrams):
            if each is not None:
                each.score = max(0.0, each.score - self._weights[Offence.UNANSWERED])

    # --- bans ---------------------------------------------------------------------------------

    def bans(self, now: float) -> list[Ban]:
        """Every ban that holds, the newest last."""
        self._expire(now)
        return sorted((_told(each) for each in self._banned.values()), key=lambda ban: ban.since)

    def lift(self, source: str, now: float) -> Ban | None:
        """End a ban of a source, named as in the list or by one of its addresses; None: it has none.

        There may be two: of the address, and of datagrams in its name.
        """
        names = (source, key_of(source), key_of(source) + DATAGRAMS)
        candidates = [self._banned[name] for name in names if name in self._banned]
        found = next((each for each in candidates if each.banned_until > now), None)
        if found is None:
            return None
        ban = _told(found)
        found.banned_until = 0.0
        found.bans = 0
        found.score = 0.0
        found.due = now
        if (owner := self._sources.get(found.key.removesuffix(DATAGRAMS))) is not None:
            owner.due = owner.datagrams_due = now
        del self._banned[found.key]
        self._lifted += 1
        return ban

    def restore(self, ban: Ban, now: float) -> bool:
        """Take up a ban of an earlier process; False when it is over, or its source exempt now."""
        source = self._meet(ban.source.removesuffix(DATAGRAMS), now)
        if source.is_exempt or ban.until <= now:
            return False
        if ban.source.endswith(DATAGRAMS):
            source.datagrams = source = Source(ban.source, False, now)
        source.banned_since, source.banned_until = ban.since, ban.until
        source.bans, source.reason, source.score = ban.times, ban.reason, FULL / 2
        self._banned[source.key] = source
        return True

    def counters(self, now: float) -> GuardCounters:
        """What it holds and what it counted."""
        self._expire(now)
        return GuardCounters(
            sources=len(self._sources),
            known=sum(source.known_until > now for source in self._sources.values()),
            banned=len(self._banned),
            bans=self._bans,
            bans_lifted=self._lifted,
            dropped_banned=self._dropped_banned,
            dropped_source=self._dropped_source,
            dropped_strangers=self._dropped_strangers,
            dropped_exempt=self._dropped_exempt,
            sources_forgotten=self._forgotten,
            offences={str(slug): count for slug, count in self._offences.items()},
        )

    def _ban(self, source: Source, offence: Offence, now: float) -> None:
        settings = self._settings
        if now - source.banned_until > settings.ban_max_s:
            source.bans = 0  # long ago; the address may have another owner by now
        source.bans += 1
        length = min(settings.ban_s * 2.0 ** min(source.bans - 1, 20), settings.ban_max_s)
        source.banned_since, source.banned_until = now, now + length
        source.reason, source.dropped = offence, 0
        source.score = FULL / 2  # whoever goes on after the ban is banned again sooner
        self._banned[source.key] = source
        self._bans += 1
        self._on_ban(_told(source))

    def _expire(self, now: float) -> None:
        for key in [key for key, each in self._banned.items() if each.banned_until <= now]:
            del self._banned[key]

    # --- the table ----------------------------------------------------------------------------

    def _meet(self, host: str, now: float) -> Source:
        """The source that `host` belongs to; it is remembered from now on."""
        source = self._sources.get(host)
        if source is not None:
            return source
        is_exempt = self._is_exempt(host)
        key = host if is_exempt else key_of(host)
        source = self._sources.get(key)
        if source is None:
            if len(self._sources) >= self._settings.max_sources:
                self._make_room(now)
            source = self._sources[key] = Source(key, is_exempt, now)
        return source

    def _make_room(self, now: float) -> None:
        """Forget the source that was met first, unless it is banned, known or exempt."""
        self._forgotten += 1
        sources = self._sources
        for _ in range(min(_LOOKED_AT, len(sources))):
            key, source = next(iter(sources.items()))
            if not (source.is_exempt or source.known_until > now or source.is_banned(now)):
                del sources[key]
                return
            sources.move_to_end(key)
        key, _ = sources.popitem(last=False)
        self._banned.pop(key, None)
        self._banned.pop(key + DATAGRAMS, None)


def _room(ahead_s: float, gap_s: float) -> int:
    """Messages that fit into what is left of a burst; one too few rather than one too many."""
    left = _BURST_S - max(0.0, ahead_s)
    return max(1, int(left / gap_s)) if left >= 0 else 0


def _told(source: Source) -> Ban:
    return Ban(
        source=source.key,
        reason=source.reason,
        since=source.banned_since,
        until=source.banned_until,
        times=source.bans,
        dropped=source.dropped,
    )
