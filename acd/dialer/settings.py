"""What a campaign is told to do. Everything here can be changed while it runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from acd.dialer.model import CampaignName, Mode, Outcome
from acd.model import QueueName

RULES_VERSION = 1
"""Of the rules in `acd.dialer`; kept with each attempt, so that a regulator can be told."""
LEAST_RING_S = 15.0
"""The US rule: a phone rings for 15 s or four times, at least."""


class Formula(StrEnum):
    """How an abandon rate is counted (`acd.dialer.legal`)."""

    US = "us"
    """Abandoned of those that a live person answered, over 30 days, for each campaign."""
    UK = "uk"
    """The formula of the former UK annex, over 24 hours: machines that agents report are taken out."""
    OWN = "own"
    """As `US`, over `AbandonCap.own_days`."""


class Guard(StrEnum):
    """What is held under the cap."""

    NONE = "none"
    """The rate itself."""
    STATISTICAL = "statistical"
    """The upper end of its one-sided 95 % confidence interval (Wilson)."""


class AbandonCap(Struct, frozen=True, kw_only=True):
    """How many answered calls may find no agent."""

    percent: float = 3.0
    """Of the calls that a person answered, so many percent at most."""
    formulas: tuple[Formula, ...] = (Formula.US,)
    """The worst of those chosen here is enforced."""
    guard: Guard = Guard.STATISTICAL
    """`statistical`: the upper end of the rate's 95 % interval is held; `none`: the rate itself."""
    own_days: int = 1
    """Days over which the formula `own` counts."""
    patience_s: float = 2.0
    """From the end of the greeting until the safe-harbour message begins."""
    lock_hours: float = 72.0
    """An abandoned number is not dialled again so long, unless an agent is reserved first."""


class Window(Struct, frozen=True, kw_only=True):
    """When people of a region may be called, in their own local time."""

    begin: str = "08:00"
    """By the clock where the number is."""
    end: str = "21:00"
    """Later than `begin`: a window over midnight is two."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """0 is Monday."""
    region: str = ""
    """ISO 3166 country or subdivision such as `US` or `US-FL`; empty: all that no other names."""


class RegionCap(Struct, frozen=True, kw_only=True):
    """A lower limit of attempts for numbers of a region."""

    region: str
    """ISO 3166 country or subdivision such as `US` or `US-FL`."""
    per_24_h: int
    """For a number, in any 24 hours; at least 1."""


_EARLIER: tuple[str, ...] = (
    "US-FL",  # Fla. Stat. 501.616(6)(a)
    "US-MA",  # 201 CMR 12.02(2)
    "US-MD",  # Md. Code, Com. Law 14-4502
    "US-OK",  # Okla. Stat. tit. 15, 775C.4
    "US-WA",  # RCW 19.158.040(2)
)
"""States in which sales calls end at 20:00."""
_THRICE: tuple[str, ...] = ("US-FL", "US-MD", "US-OK")
"""States that allow three calls about one matter in any 24 hours: Fla. Stat. 501.616(6)(b), and as above."""
DEFAULT_WINDOWS: tuple[Window, ...] = (
    Window(),
    *(Window(end="20:00", region=state) for state in _EARLIER),
)
DEFAULT_REGION_CAPS: tuple[RegionCap, ...] = tuple(
    RegionCap(region=state, per_24_h=3) for state in _THRICE
)


class Retry(Struct, frozen=True, kw_only=True):
    """When a record is dialled again after an outcome."""

    after_s: float
    """The pause."""
    times: int = 3
    """So often after this outcome; then the record is done."""
    factor: float = 1.0
    """Each further pause is longer by this factor."""
    next_number: bool = True
    """Go on with the record's next number, if it has one."""


DEFAULT_RETRIES: dict[Outcome, Retry] = {
    Outcome.BUSY: Retry(after_s=600.0, times=4, factor=1.5, next_number=False),
    Outcome.NO_ANSWER: Retry(after_s=7200.0, times=4, factor=1.5),
    Outcome.MACHINE: Retry(after_s=14400.0, times=3),
    Outcome.REJECTED: Retry(after_s=86400.0, times=1),
    Outcome.CONGESTED: Retry(after_s=120.0, times=20, factor=1.5, next_number=False),
    Outcome.ABANDONED: Retry(after_s=259200.0, times=1, next_number=False),
    Outcome.HUNG_UP: Retry(after_s=86400.0, times=1, next_number=False),
    Outcome.AGENT_GONE: Retry(after_s=60.0, times=20, next_number=False),
    Outcome.CANCELLED: Retry(after_s=60.0, times=20, next_number=False),
}
"""Outcomes that are not here end the record."""


class Limits(Struct, frozen=True, kw_only=True):
    """How often and how fast may be dialled. 0: no limit."""

    attempts: int = 6
    """For a record, in its life."""
    per_day: int = 3
    """For a number, in a day of its own zone."""
    per_24_h: int = 3
    """For a number, in any 24 hours."""
    by_region: tuple[RegionCap, ...] = DEFAULT_REGION_CAPS
    """Lower limits of `per_24_h` for some regions: by default 3 in Florida, Maryland and Oklahoma."""
    calls: int = 0
    """In flight and talking together."""
    calls_per_s: float = 5.0
    """Dials of the campaign in a second; the trunk's own limit counts as well."""


class Quota(Struct, frozen=True, kw_only=True):
    """So many records with a fact (a column of the list) are wanted, and no more."""

    column: str
    """A column of the list by its header."""
    value: str
    """What stands in it."""
    goal: int
    """So many; then the others with this value wait."""
    disposition: str = ""
    """Counted are records with this disposition; empty: all that were connected."""


class AnswerRules(Struct, frozen=True, kw_only=True):
    """How an answer is judged (`acd.dialer.answers`, `docs/answers.md`)."""

    classify: bool = True
    """False: every answer goes to an agent at once."""
    early_media: bool = True
    """Listen before the answer as well: busy, congestion and "no such number" that come as sound."""
    decide_within_s: float = 1.9
    """Counted from the first word. From then on less certainty will do."""
    listen_on_s: float = 5.5
    """So long, from the first word, where not even that is there; then `last_machine_certainty` decides."""
    silence_s: float = 2.5
    """Nobody has said a word so long after the answer: "uncertain"."""
    human_certainty: float = 0.95
    """A person is believed from this probability on, in a pause."""
    late_human_certainty: float = 0.85
    """The same from `decide_within_s` on, also while it speaks."""
    patience_s: float = 1.2
    """Whoever has spoken and is then silent so long waits for somebody: a person, if that is likelier."""
    uncertain_after_s: float = 1.6
    """And after so long an agent gets the call, while the law's two seconds run; but for a machine by
    `last_machine_certainty`, whose beep may come."""
    machine_certainty: float = 0.985
    """A machine is believed from this probability on, at any time."""
    last_machine_certainty: float = 0.9
    """The same at `listen_on_s`; below it, it may be a person, and an agent gets the call."""
    congestion_below_ms: int = 300
    """Busy tones shorter than this mean that the network is full, not that the person talks."""
    message: str = ""
    """A prompt that is left after the beep; empty: machines are hung up on."""
    after_beep_s: float = 0.3
    """The message begins so long after the beep, if nobody speaks then."""
    beep_silence_s: float = 4.0
    """No beep, but such a silence behind the greeting: the message begins too."""
    beep_within_s: float = 60.0
    """From the verdict on; after that no message is left."""


class CampaignSettings(Struct, frozen=True, kw_only=True):
    """One campaign."""

    name: CampaignName
    """1 to 63 of a-z, 0-9 and -; it stays."""
    title: str = ""
    """As screens call it; empty: the name."""
    mode: Mode = Mode.PROGRESSIVE
    """Who decides when to dial, and how many."""
    human_initiated: bool = False
    """Each dial needs a click of a person, which is kept (in every mode)."""
    queue: QueueName = QueueName("")
    """Whose agents talk; the campaign shares them with the queue's callers."""
    priority: int = 0
    """In that queue; below 0 the queue's own callers go first."""
    inbound_reserve: int = 0
    """So many free agents are left to the queue's callers while the campaign dials."""
    weight: int = 1
    """Share of free agents where several campaigns use the same queue."""
    trunk: str = ""
    """A trunk or group; empty: by the number plan."""
    caller_ids: tuple[str, ...] = ()
    """Shown in turn; one whose answer rate has fallen is named on the panel."""
    ring_s: float = 25.0
    """From the first sign that it rings (18x), at least 15 s; ten more where none ever comes."""
    preview_s: float = 30.0
    """Preview: so long an agent may read; 0: until it consents."""
    preview_dials_itself: bool = False
    """Preview: dial when the time is up; otherwise the record goes back."""
    flow: str = ""
    """Announcement: the flow that answers."""
    abandon_message: str = "abandoned"
    """The safe-harbour prompt, or a file; names the seller and a number."""
    opt_out_digit: str = "9"
    """During that message and announcements; empty: none."""
    record: bool = True
    """Talks are recorded."""
    script: str = ""
    """Markdown for the agent; `{name}`, `{number}` and `{column}`, any header of the list, are filled in.
    At most 20,000 characters."""
    dispositions: tuple[str, ...] = ()
    """Offered to the agent; empty: those of the centre."""
    retry_dispositions: dict[str, Retry] = {}
    """What an agent chose may ask for another attempt."""
    final_dispositions: tuple[str, ...] = ()
    """What an agent chose may end the record, whatever the outcome."""
    do_not_call_dispositions: tuple[str, ...] = ()
    """The person does not want to be called again by anybody here: as with `opt_out_digit`."""
    machine_dispositions: tuple[str, ...] = ()
    """They say that the agent had a machine on the line, which is no live answer in any abandon rate."""
    windows: tuple[Window, ...] = DEFAULT_WINDOWS
    """When people may be called. By themselves 08:00-21:00, in Florida, Maryland, Massachusetts, Oklahoma and
    Washington until 20:00; who gives others gives them for all regions: also those."""
    limits: Limits = Limits()
    """How often and how fast may be dialled."""
    retries: dict[Outcome, Retry] = {}
    """By outcome, each in place of that of `DEFAULT_RETRIES`; the others stay."""
    cap: AbandonCap = AbandonCap()
    """How many answered calls may find no agent."""
    answers: AnswerRules = AnswerRules()
    """How an answer is judged: a person or a machine."""
    quotas: tuple[Quota, ...] = ()
    """How many records of a kind are wanted."""
    promise_hours: float = 24.0
    """A call-back that one agent promised, and did not make, is anybody's after so long; 0: never."""
    order: str = "priority"
    """`priority`, `list` (as imported), `oldest` (least recently tried), `newest`, `random`."""
    begins: str = ""
    """ISO date and time such as `2026-12-24T18:00`, by the server's clock unless it has a zone (`+01:00`).
    Empty: at once."""
    ends: str = ""
    """The same: then it finishes. Empty: never by the clock."""
    goal: int = 0
    """Records that end with a final disposition or a talk; then it is finished. 0: none."""
    language: str = "en"
    """Of prompts."""


def moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO date and time; None for an empty one.

    Without a zone it is the server's own. Raises ValueError for anything else.
    """
    return datetime.fromisoformat(text).timestamp() if text else None
