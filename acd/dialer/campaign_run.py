"""One campaign that is loaded: its settings, its records at hand, what is in flight."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import TO_BE_JUDGED, UNANSWERED, AttemptState
from acd.dialer.figures import Figures
from acd.dialer.legal import Ledger
from acd.dialer.model import PACED, AttemptId, CampaignName, CampaignState, Candidate, Mode
from acd.dialer.pacing.model import Decision, Floor
from acd.dialer.pacing.pacer import Pacer
from acd.dialer.settings import LEAST_RING_S, CampaignSettings
from acd.dialer.sharing import Claim

STALE_S: Final = 60.0
"""A record that was brought so long ago goes back: its window may have closed."""
MOST_AHEAD: Final = 1000
MOST_LOOKS: Final = 20
"""So many records without a way out are passed over for one that has one."""
SET_UP_S: Final = 10.0
"""So long a network may take to find a phone before it rings."""
WITH_AGENTS: Final = frozenset({*PACED, Mode.PREVIEW, Mode.MANUAL})


class CampaignRun:
    """Its state and what it knows. Decides nothing."""

    def __init__(self, settings: CampaignSettings, state: CampaignState, now: float) -> None:
        self.settings = settings
        self.state = state
        self.since = now
        self.reason = "loaded"
        self.supply: deque[tuple[Candidate, float]] = deque()
        """Records at hand, best first, and when they were brought."""
        self.is_list_empty = False
        self.attempts: dict[AttemptId, LiveAttempt] = {}
        self.figures = Figures()
        self.ledger = Ledger()
        self.pacer = Pacer(patience_s=settings.cap.patience_s, cap=settings.cap.percent / 100.0)
        self.decision: Decision | None = None
        self.due = 0
        """Dials decided and not made yet: they are spread over the second."""
        self.next_dial_at = 0.0
        self.claim = Claim(name=settings.name, members=frozenset())
        self.share = 0
        """Free agents that it dials for, by the latest split."""
        self.without_desk = 0
        """Free agents of its queue to whom a preview cannot be shown, by the latest split."""
        self.floor = Floor(free=0)
        """Its agents, by the latest split."""
        self.is_restored = False
        """Of an earlier process; the store has not told yet what it knows of it."""
        self.is_leaving = False
        """It was deleted, and goes when nothing of it is under way any more."""
        self._caller_id = 0

    @property
    def name(self) -> CampaignName:
        return self.settings.name

    @property
    def is_running(self) -> bool:
        return self.state is CampaignState.RUNNING

    @property
    def is_paced(self) -> bool:
        return self.settings.mode in PACED

    @property
    def is_read(self) -> bool:
        """Whether an agent that is reserved has the record before it until it consents."""
        return not self.is_paced or self.settings.human_initiated

    @property
    def ring_s(self) -> float:
        """How long a customer's phone rings."""
        return max(self.settings.ring_s, LEAST_RING_S)

    @property
    def silence_s(self) -> float:
        """How long a dial may go without a sign that it rings: some networks never give one."""
        return self.ring_s + SET_UP_S

    # --- records --------------------------------------------------------------------------------

    def bring(self, candidates: Sequence[Candidate], now: float) -> Sequence[Candidate]:
        """Put records behind those at hand; returns those that there is no room for."""
        self.is_list_empty = not candidates and not self.supply
        room = MOST_AHEAD - len(self.supply)
        self.supply.extend((each, now) for each in candidates[:room])
        return candidates[room:]

    def take_stale(self, now: float) -> list[Candidate]:
        """Take away what was brought too long ago."""
        stale = []
        while self.supply and now - self.supply[0][1] > STALE_S:
            stale.append(self.supply.popleft()[0])
        return stale

    def take_all(self) -> list[Candidate]:
        """Take away all that was brought."""
        taken = [each for each, _ in self.supply]
        self.supply.clear()
        return taken

    def take(self, which: Callable[[Candidate], bool]) -> list[Candidate]:
        """Take certain ones away."""
        taken = [each for each, _ in self.supply if which(each)]
        if taken:
            self.supply = deque(each for each in self.supply if not which(each[0]))
        return taken

    def next_for_anyone(self, has_way: Callable[[Candidate], bool]) -> Candidate | None:
        """Take the next record that needs no certain agent and has a way out now."""
        return self._take(lambda each: each.agent is None and not each.needs_agent, has_way)

    def next_for(
        self, agent: str, has_way: Callable[[Candidate], bool], *, only_special: bool
    ) -> Candidate | None:
        """Take the next record for an agent: its own call-backs first.

        `only_special`: or one that may be dialled with an agent reserved alone, and no other.
        """
        own = self._take(lambda each: each.agent == agent, has_way)
        if own is not None:
            return own
        return self._take(
            lambda each: each.agent is None and (each.needs_agent or not only_special), has_way
        )

    def has_special(self) -> bool:
        """Whether a record is at hand that an agent is to be reserved for first."""
        return any(each.agent is not None or each.needs_agent for each, _ in self.supply)

    def for_anyone(self) -> int:
        """Records at hand that need no certain agent."""
        return sum(each.agent is None and not each.needs_agent for each, _ in self.supply)

    def _take(
        self, fits: Callable[[Candidate], bool], has_way: Callable[[Candidate], bool]
    ) -> Candidate | None:
        looks = 0
        for index, (candidate, _) in enumerate(self.supply):
            if not fits(candidate):
                continue
            if has_way(candidate):
                del self.supply[index]
                return candidate
            looks += 1
            if looks >= MOST_LOOKS:
                break
        return None

    # --- what is in flight ----------------------------------------------------------------------

    def counts(self) -> Counter[AttemptState]:
        """How many attempts are in each state."""
        return Counter(each.state for each in self.attempts.values() if each.state is not None)

    def unanswered(self) -> Iterator[LiveAttempt]:
        """Dialled, and nobody has answered yet."""
        return (each for each in self.attempts.values() if each.state in UNANSWERED)

    def on_their_own(self) -> int:
        """Dials without an agent on the line whose people may still need one: unanswered, or judged now."""
        return sum(
            each.state in TO_BE_JUDGED and not each.agent_first for each in self.attempts.values()
        )

    def next_caller_id(self) -> str:
        """The number to show: each in turn."""
        numbers = self.settings.caller_ids
        if not numbers:
            return ""
        self._caller_id += 1
        return numbers[(self._caller_id - 1) % len(numbers)]


def seconds_of_day(wall: float) -> float:
    """Since midnight in the server's own zone."""
    local = datetime.fromtimestamp(wall, UTC).astimezone()
    return local.hour * 3600.0 + local.minute * 60.0 + local.second
