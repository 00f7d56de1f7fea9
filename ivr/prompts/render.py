"""Render prompts from their texts into the files that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ivr.prompts import levels, music
from ivr.prompts.catalogue import SUFFIX, TEXT_FILE, read_texts
from ivr.prompts.errors import PromptTextError
from ivr.prompts.speech import Voice, voice_for

LANGUAGELESS = "music"
"""The name under which music and tones are asked for, in place of a language."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to render."""

    language: str
    """LANGUAGELESS for music and tones."""
    name: str
    """Below the prompt folder, without suffix: `en/welcome`."""
    text: str


def languages(folder: Path) -> list[str]:
    """Return the languages that have texts."""
    return sorted(path.parent.name for path in folder.glob(f"*/{TEXT_FILE}"))


def plan(folder: Path, wanted: list[str] | None = None, *, only_missing: bool = False) -> list[Job]:
    """Return what is to be rendered: of the languages wanted, else of all, music included.

    Raises PromptTextError.
    """
    there = languages(folder)
    for language in wanted or ():
        if language not in there and language != LANGUAGELESS:
            raise PromptTextError(
                f"{folder / language / TEXT_FILE} does not exist; there are texts in: "
                f"{', '.join(there) or 'no language'}"
            )
    jobs = [
        Job(language, f"{language}/{name}", text)
        for language in (wanted or there)
        if language != LANGUAGELESS
        for name, text in read_texts(folder / language).items()
    ]
    if not wanted or LANGUAGELESS in wanted:
        jobs += [Job(LANGUAGELESS, "music/default", ""), Job(LANGUAGELESS, "tones/beep", "")]
    return [job for job in jobs if not only_missing or not _file(folder, job).exists()]


def render(folder: Path, jobs: list[Job]) -> Iterator[tuple[Job, int]]:
    """Render one prompt after the other and yield each with its length in milliseconds.

    Raises SpeechMissingError, PromptTextError, OSError.
    """
    voices: dict[str, Voice] = {}
    for job in jobs:
        if job.language == LANGUAGELESS:
            sound = music.hold_music() if job.name == "music/default" else music.beep()
        else:
            if job.language not in voices:
                voices[job.language] = voice_for(job.language)
            sound = levels.to_telephone(*voices[job.language].speak(job.text))
            if not sound.size:
                raise PromptTextError(f"{job.name}: the voice says nothing for `{job.text}`")
        path = _file(folder, job)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(levels.to_octets(sound))
        draft.replace(path)
        yield job, 1000 * sound.size // levels.RATE_HZ


def _file(folder: Path, job: Job) -> Path:
    return folder / (job.name + SUFFIX)
