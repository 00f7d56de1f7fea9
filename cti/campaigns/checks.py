"""What types cannot say of a campaign's settings: names that must exist here, and things that go together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from acd.dialer.model import Blocker, Mode
from acd.dialer.settings import CampaignSettings, Formula
from cti.flows import prompt_folders
from cti.paths import shipped
from cti.settings import Settings
from cti.trunk_site import ways_of
from switch.trunks.identity import CallerPolicy
from switch.trunks.settings import TrunkSettings

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_ORDERS: Final = ("priority", "list", "oldest", "newest", "random")
_DIGITS: Final = frozenset("0123456789*#")
_LEAST_RING_S: Final = 15.0
_MOST_RING_S: Final = 120.0
_LONGEST_SCRIPT: Final = 20_000
_MOST_CALLER_IDS: Final = 200
_US_PATIENCE_S: Final = 2.0
PACED: Final = (Mode.PROGRESSIVE, Mode.PREDICTIVE)
"""Modes in which a person may find no agent."""
SPOKEN_DIGIT: Final = "9"
"""The key that the shipped messages ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a campaign stands on: the site's queues, trunks, flows, prompts and outcomes."""

    queues: Collection[str]
    ways: Sequence[str]
    """Trunks and groups that campaigns may use."""
    other_ways: Collection[str]
    """Trunks and groups that they may not."""
    flows: Collection[str]
    prompts: Sequence[Path]
    """Folders."""
    dispositions: Collection[str]
    callers: Mapping[str, CallerPolicy]
    """By trunk, whose numbers it shows."""

    @classmethod
    def of(
        cls, settings: Settings, flows: Collection[str], trunks: Mapping[str, TrunkSettings]
    ) -> Ground:
        """From the configuration; `flows` are those that are loaded."""
        may = {name: way.campaigns for name, way in ways_of(settings).items()}
        return cls(
            queues=frozenset(queue.name for queue in settings.queues),
            ways=[name for name, allowed in may.items() if allowed],
            other_ways={name for name, allowed in may.items() if not allowed},
            flows=frozenset(flows),
            prompts=prompt_folders(settings),
            dispositions=frozenset(each.code for each in settings.dispositions),
            callers={
                trunk.name: trunk.caller for trunk in trunks.values() if trunk.caller is not None
            },
        )

    def shows(self, way: str, number: str) -> bool:
        """Whether a trunk shows this number as the caller's; groups leave that to their members."""
        policy = self.callers.get(way)
        return policy is None or policy.passes_foreign or number in policy.own

    def has_prompt(self, name: str, language: str) -> bool:
        """Whether a prompt is there, in its language or for all."""
        return self._folder_of(name, language) is not None

    def is_shipped(self, name: str, language: str) -> bool:
        """Whether a prompt is the one that comes with the program, and not the site's own."""
        return self._folder_of(name, language) == shipped("prompts")

    def _folder_of(self, name: str, language: str) -> Path | None:
        if not name or name.startswith(("/", ".")) or ".." in name:
            return None
        tried = (
            (folder, f"{each}.ulaw")
            for folder in self.prompts
            for each in (f"{language}/{name}", name)
        )
        return next((folder for folder, file in tried if (folder / file).is_file()), None)


def problems_of(settings: CampaignSettings, ground: Ground) -> list[str]:
    """Everything that is wrong, a sentence each, which begins with the key."""
    return [*_names(settings, ground), *_values(settings), *_times(settings)]


def _names(settings: CampaignSettings, ground: Ground) -> Iterator[str]:
    if not NAME.fullmatch(settings.name):
        yield "name: has 1 to 63 of a-z, 0-9 and -, and begins with a letter or digit"
    if settings.mode is Mode.ANNOUNCEMENT:
        if not settings.flow:
            yield "flow: an announcement needs the flow that answers"
    elif not settings.queue:
        yield f"queue: whose agents talk? There are {_listed(ground.queues)}"
    if settings.queue and settings.queue not in ground.queues:
        yield f"queue: no queue is named {settings.queue}; there are {_listed(ground.queues)}"
    if settings.flow and settings.flow not in ground.flows:
        words = "name it in campaigns.flows of the configuration, and start the server anew"
        yield f"flow: no flow {settings.flow} is loaded; {words}"
    yield from _trunk(settings, ground)
    for key, prompt in (
        ("abandon_message", settings.abandon_message),
        ("answers.message", settings.answers.message),
    ):
        if prompt and not ground.has_prompt(prompt, settings.language):
            places = " or ".join(str(folder) for folder in ground.prompts)
            yield f"{key}: there is no prompt {prompt} ({settings.language}) in {places}"
    yield from _abandon_message(settings, ground)
    wanted = {
        *settings.dispositions,
        *settings.final_dispositions,
        *settings.do_not_call_dispositions,
        *settings.retry_dispositions,
        *settings.machine_dispositions,
    }
    if unknown := sorted(wanted - set(ground.dispositions)):
        words = f"the centre has {_listed(ground.dispositions)}"
        yield f"dispositions: {', '.join(unknown)}: no such outcome; {words}"


def _abandon_message(settings: CampaignSettings, ground: Ground) -> Iterator[str]:
    message, digit = settings.abandon_message, settings.opt_out_digit
    if not message and settings.mode in PACED:
        yield "abandon_message: people for whom no agent comes must hear who called; name a prompt"
    if digit != SPOKEN_DIGIT and ground.is_shipped(message, settings.language):
        words = f"the shipped prompt {message} asks for {SPOKEN_DIGIT}"
        yield f"opt_out_digit: {words}; record a message of your own for {digit or 'none'}"


def warnings_of(settings: CampaignSettings, ground: Ground) -> list[Blocker]:
    """What lets it dial, and is to be mended all the same."""
    message = settings.abandon_message
    if settings.mode not in PACED or not ground.is_shipped(message, settings.language):
        return []
    words = (
        f"People for whom no agent comes hear the shipped prompt {message}, which says neither who called "
        "nor a number, as the US rule asks: record one, and name it as abandon_message."
    )
    return [Blocker(code="generic-message", words=words)]


def _trunk(settings: CampaignSettings, ground: Ground) -> Iterator[str]:
    may = f"those that may be used are {_listed(ground.ways)}"
    allow = "set campaigns = true on one that has a proxy, in the configuration"
    if not ground.ways:
        yield f"trunk: no trunk may be used by campaigns; {allow}"
    elif settings.trunk in ground.other_ways:
        yield f"trunk: campaigns may not use {settings.trunk}: it has no campaigns = true; {may}"
    elif settings.trunk and settings.trunk not in ground.ways:
        yield f"trunk: no trunk or group is named {settings.trunk}; {may}"
    foreign = [each for each in settings.caller_ids if not ground.shows(settings.trunk, each)]
    if foreign:
        words = f"trunk {settings.trunk} shows its own numbers alone (pass_foreign = false)"
        yield f"caller_ids: {_listed(foreign)} would not be shown: {words}"


def _values(settings: CampaignSettings) -> Iterator[str]:
    for number in settings.caller_ids:
        if not _E164.fullmatch(number):
            yield f"caller_ids: {number[:40]!r} is no international number, as +12025550100"
    if len(settings.caller_ids) > _MOST_CALLER_IDS:
        yield f"caller_ids: at most {_MOST_CALLER_IDS}"
    if not _LEAST_RING_S <= settings.ring_s <= _MOST_RING_S:
        yield f"ring_s: from {_LEAST_RING_S:.0f} (US rule: 15 s or 4 rings) to {_MOST_RING_S:.0f}"
    if settings.order not in _ORDERS:
        yield f"order: one of {', '.join(_ORDERS)}"
    if settings.opt_out_digit and (
        len(settings.opt_out_digit) != 1 or settings.opt_out_digit not in _DIGITS
    ):
        yield "opt_out_digit: one of 0-9, * and #, or nothing"
    if len(settings.script) > _LONGEST_SCRIPT:
        yield f"script: at most {_LONGEST_SCRIPT} characters"
    cap, limits, answers = settings.cap, settings.limits, settings.answers
    if Formula.US in cap.formulas and cap.patience_s > _US_PATIENCE_S:
        words = f"at most {_US_PATIENCE_S:g} where the us formula is chosen (47 CFR 64.1200(a)(7))"
        yield f"cap.patience_s: {words}, not {cap.patience_s:g}"
    if answers.listen_on_s < answers.decide_within_s:
        yield "answers.listen_on_s: not less than answers.decide_within_s"
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("cap.percent", cap.percent, 0.0, 100.0),
        ("cap.own_days", cap.own_days, 1, 30),
        ("cap.patience_s", cap.patience_s, 0.5, 30.0),
        ("cap.lock_hours", cap.lock_hours, 0.0, 8760.0),
        ("limits.attempts", limits.attempts, 0, 1000),
        ("limits.per_day", limits.per_day, 0, 100),
        ("limits.per_24_h", limits.per_24_h, 0, 100),
        ("limits.calls", limits.calls, 0, 100_000),
        ("limits.calls_per_s", limits.calls_per_s, 0.0, 1000.0),
        ("answers.decide_within_s", answers.decide_within_s, 0.2, 6.0),
        ("answers.listen_on_s", answers.listen_on_s, 0.2, 6.0),
        ("answers.silence_s", answers.silence_s, 0.2, 6.0),
        ("answers.patience_s", answers.patience_s, 0.2, 6.0),
        ("answers.human_certainty", answers.human_certainty, 0.5, 1.0),
        ("answers.late_human_certainty", answers.late_human_certainty, 0.0, 1.0),
        ("answers.machine_certainty", answers.machine_certainty, 0.5, 1.0),
        ("answers.congestion_below_ms", answers.congestion_below_ms, 0, 2000),
        ("answers.after_beep_s", answers.after_beep_s, 0.0, 10.0),
        ("answers.beep_silence_s", answers.beep_silence_s, 0.5, 30.0),
        ("answers.beep_within_s", answers.beep_within_s, 1.0, 300.0),
        ("preview_s", settings.preview_s, 0.0, 3600.0),
        ("inbound_reserve", settings.inbound_reserve, 0, 10_000),
        ("weight", settings.weight, 1, 1000),
        ("goal", settings.goal, 0, 1_000_000_000),
    )
    for key, value, least, most in bounds:
        if not least <= value <= most:
            yield f"{key}: from {least:g} to {most:g}, not {value:g}"
    if not cap.formulas:
        yield "cap.formulas: choose one at least: us, uk, own"


def _times(settings: CampaignSettings) -> Iterator[str]:
    if not settings.windows:
        yield "windows: without one nobody may ever be called"
    for index, window in enumerate(settings.windows):
        key = f"windows[{index}]"
        if not (_CLOCK.fullmatch(window.begin) and _CLOCK.fullmatch(window.end)):
            yield f"{key}: begin and end are times of the day, as 08:00"
        elif window.begin >= window.end:
            yield f"{key}: it is never open: {window.end} is not after {window.begin}"
        if not window.days or not set(window.days) <= set(range(7)):
            yield f"{key}.days: days of the week, from 0 (Monday) to 6"
    moments = {}
    for key, text in (("begins", settings.begins), ("ends", settings.ends)):
        try:
            moments[key] = moment(text)
        except ValueError:
            yield f"{key}: {text[:40]!r} is no date and time, as 2026-12-24T18:00"
    begins, ends = moments.get("begins"), moments.get("ends")
    if begins is not None and ends is not None and ends <= begins:
        yield "ends: it would be over before it begins"


def moment(text: str) -> float | None:
    """Seconds since 1970 of a date and time; without a zone as of this machine. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp() if text else None


def _listed(names: Collection[str]) -> str:
    found = sorted(names)
    shown = ", ".join(found[:12])
    return f"{shown}, and {len(found) - 12} more" if len(found) > 12 else shown or "none"
