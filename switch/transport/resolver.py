"""Names of servers, looked up ahead and kept fresh, so that a call never waits for the DNS.

Whoever needs a name says so once (`watch`); from then on its addresses are there to be asked for
(`targets`), in the order in which they are to be tried. While the DNS is away the last ones stay.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from switch.transport.locating import (
    Answer,
    Entry,
    Question,
    Target,
    Wanted,
    in_order,
    locate,
)

if TYPE_CHECKING:
    from switch.transport.dns_client import DnsClient

log = logging.getLogger(__name__)

_RETRY_S: Final = 10.0
"""After a name could not be looked up."""
_LONGEST_S: Final = 3600.0
_MOST_QUESTIONS: Final = 80
"""For one name; each is answered by somebody else."""


class Resolver(Protocol):
    """What trunks need of it. Both are synchronous."""

    def watch(self, wanted: Wanted) -> None:
        """Look this up from now on, again and again; saying it twice does nothing."""

    def targets(self, wanted: Wanted) -> Sequence[Target]:
        """The addresses to try, first to last; empty while none is known."""


class DnsResolver:
    """Satisfies `Resolver` by asking the DNS. `run` has to run for it."""

    def __init__(
        self,
        *,
        servers: Sequence[tuple[str, int]] = (),
        ipv6: bool = False,
        changed: Callable[[Wanted], None] = lambda wanted: None,
        least_s: float = 5.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`servers`: address and port of those to ask; empty: as the system is configured.

        `changed` is called when the addresses of a name are known or others than before. A name is
        asked for again when its answer is too old, at the earliest after `least_s`.
        """
        self._servers = servers
        self._ipv6 = ipv6
        self._changed = changed
        self._least_s = least_s
        self._chance = chance
        self._entries: dict[Wanted, tuple[Entry, ...]] = {}
        self._due: dict[Wanted, float] = {}
        self._failed: set[Wanted] = set()
        self._news = asyncio.Event()
        self._client: DnsClient | None = None

    def watch(self, wanted: Wanted) -> None:
        """Look this up from now on; an address needs no looking up."""
        if wanted in self._entries or wanted in self._due:
            return
        try:
            next(locate(wanted, ipv6=self._ipv6))
        except StopIteration as done:
            self._entries[wanted] = done.value
            self._changed(wanted)
        else:
            self._due[wanted] = time.monotonic()
            self._news.set()

    def targets(self, wanted: Wanted) -> list[Target]:
        """The addresses to try, first to last; empty while none is known."""
        return in_order(self._entries.get(wanted, ()), self._chance)

    @property
    def missing(self) -> list[str]:
        """Names whose last look-up failed."""
        return sorted({wanted.host for wanted in self._failed})

    async def run(self) -> None:
        """Look up what is due, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                now = time.monotonic()
                for wanted, due in self._due.items():
                    if due <= now:
                        # A name that takes long keeps no other waiting.
                        self._due[wanted] = float("inf")
                        tasks.create_task(self._refresh(wanted), name=f"look up {wanted.host}")
                next_due = min(self._due.values(), default=float("inf"))
                wait_s = None if next_due == float("inf") else max(0.0, next_due - now)
                try:
                    async with asyncio.timeout(wait_s):
                        await self._news.wait()
                except TimeoutError:
                    pass

    async def _refresh(self, wanted: Wanted) -> None:
        try:
            entries, lasts_s = await self._look_up(wanted)
        except (OSError, ValueError) as error:
            is_silence = isinstance(error, TimeoutError)
            self._note_failure(wanted, "no DNS server answers" if is_silence else str(error))
            lasts_s = _RETRY_S
        else:
            if entries:
                self._note_success(wanted, entries)
            else:
                lasts_s = _RETRY_S
                self._note_failure(wanted, "there is no such name, or it has no address")
        self._due[wanted] = time.monotonic() + max(self._least_s, lasts_s)
        self._news.set()

    def _note_success(self, wanted: Wanted, entries: tuple[Entry, ...]) -> None:
        if wanted in self._failed:
            self._failed.discard(wanted)
            log.warning("%s: its addresses are known again", wanted.host)
        if entries != self._entries.get(wanted):
            self._entries[wanted] = entries
            log.info("%s: %s", wanted.host, _told(entries))
            self._changed(wanted)

    def _note_failure(self, wanted: Wanted, why: str) -> None:
        if wanted not in self._failed:
            self._failed.add(wanted)
            left = "the last addresses stay" if wanted in self._entries else "it has no address"
            log.warning(
                "%s cannot be looked up: %s; %s until it can", *_legible(wanted.host, why), left
            )

    async def _look_up(self, wanted: Wanted) -> tuple[tuple[Entry, ...], float]:
        """The servers, and for how many seconds that holds. Raises OSError, ValueError."""
        steps = locate(wanted, ipv6=self._ipv6)
        lasts_s = _LONGEST_S
        question = next(steps)
        for _ in range(_MOST_QUESTIONS):
            records, ttl = await self._ask(question)
            lasts_s = min(lasts_s, ttl)
            try:
                question = steps.send(records)
            except StopIteration as done:
                entries: tuple[Entry, ...] = done.value
                return entries, lasts_s
        raise ValueError(f"more than {_MOST_QUESTIONS} questions")

    async def _ask(self, question: Question) -> tuple[Answer, float]:
        if self._client is None:
            from switch.transport.dns_client import DnsClient  # see there why not at the top

            self._client = DnsClient(self._servers)
        records, ttl = await self._client.ask(question)
        return records, _LONGEST_S if ttl is None else ttl


def _told(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{e.transport} {' '.join(e.addresses)} port {e.port}" for e in entries)


def _legible(*texts: str) -> list[str]:
    """Without what no log takes: a name may be any octets of a configuration or an answer."""
    return [text.encode("ascii", "backslashreplace").decode() for text in texts]
