"""What a campaign needs of its site: the names in its settings must exist here, and go together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acd.dialer import settings_check
from acd.dialer.model import PACED, Blocker, Mode
from acd.dialer.settings import CampaignSettings, Window, moment
from cti.campaigns.settings_body import BadSettingsError
from cti.flows import prompt_folders
from cti.paths import shipped
from cti.settings import Settings
from cti.trunk_site import ways_of
from switch.trunks.identity import CallerPolicy
from switch.trunks.settings import TrunkSettings

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
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
    return [*_names(settings, ground), *settings_check.problems_of(settings)]


def further_problems(bad: BadSettingsError, given: Collection[str], ground: Ground) -> list[str]:
    """What is wrong besides in settings of which a part cannot be read; `given` are their keys.

    What cannot be read has its default here. Where that is the mode, nothing is said of what is not given:
    another mode asks for other settings.
    """
    if bad.rest is None:
        return []
    told = {problem.partition(": ")[0] for problem in bad.problems}
    return [
        problem
        for problem in problems_of(bad.rest, ground)
        if problem.partition(": ")[0] not in told
        and ("mode" not in told or re.split(r"[.:\[]", problem)[0] in given)
    ]


def past_end(settings: CampaignSettings, now: float) -> list[str]:
    """An end that is given and has been already: the campaign would be over before it begins."""
    try:
        end = moment(settings.ends)
    except ValueError:
        return []  # told as no date
    return [f"ends: {settings.ends} is past"] if end is not None and end <= now else []


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
    return [*_generic_message(settings, ground), *_night(settings)]


def _generic_message(settings: CampaignSettings, ground: Ground) -> Iterator[Blocker]:
    message = settings.abandon_message
    if settings.mode not in PACED or not ground.is_shipped(message, settings.language):
        return
    words = (
        f"People for whom no agent comes hear the shipped prompt {message}, which says neither who called "
        "nor a number, as the US rule asks: record one, and name it as abandon_message."
    )
    yield Blocker(code="generic-message", words=words)


def _night(settings: CampaignSettings) -> Iterator[Blocker]:
    """Hours beyond those of the US rule (47 CFR 64.1200(c)(1)), which are the defaults of a window."""
    day = Window()
    for number, window in enumerate(settings.windows):
        if window.begin < day.begin or window.end > day.end:  # both are checked: HH:MM
            words = (
                f"windows[{number}] lets people be called from {window.begin} to {window.end} by their "
                f"clock; the US rule allows {day.begin} to {day.end}, and other countries' are narrower: "
                "make sure that yours allows it."
            )
            yield Blocker(code="night-window", words=words)


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


def _listed(names: Collection[str]) -> str:
    found = sorted(names)
    shown = ", ".join(found[:12])
    return f"{shown}, and {len(found) - 12} more" if len(found) > 12 else shown or "none"
