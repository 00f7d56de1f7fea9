"""The flows that the entries name, checked against the prompts and queues that exist."""

from __future__ import annotations

import logging
from pathlib import Path

from cti.paths import shipped
from cti.settings import Settings, SettingsError
from ivr.errors import FlowError
from ivr.flow import Flow
from ivr.loader import load_flows
from ivr.prompts.convert import convert_all
from ivr.prompts.errors import PromptError
from switch.gateway.protocol import PlayItem, Prompt

log = logging.getLogger(__name__)


def prompt_folders(settings: Settings) -> tuple[Path, ...]:
    """Where prompts are looked for; one's own come before the shipped ones."""
    own = (Path(settings.site.prompts),) if settings.site.prompts else ()
    return (*own, shipped("prompts"))


def flows_of(settings: Settings) -> dict[str, Flow]:
    """Load every flow that an entry names, or campaigns may use.

    Raises:
        SettingsError: flows do not exist, or have errors; each with its file and line.
    """
    wanted: dict[str, Path] = {}
    missing: list[str] = []
    named = [(entry.flow, f"entries[{i}].flow") for i, entry in enumerate(settings.entries)]
    named += [(flow, f"campaigns.flows[{i}]") for i, flow in enumerate(settings.campaigns.flows)]
    for flow, key in named:
        if flow and flow not in wanted:
            try:
                wanted[flow] = _find(settings, flow, key)
            except SettingsError as error:
                missing.append(str(error))
    _convert_own(settings)
    prompts = prompt_folders(settings)
    queues = {queue.name for queue in settings.queues}
    try:
        flows = load_flows(
            list(wanted.values()),
            has_prompt=lambda name: any(_prompt(folder, name).is_file() for folder in prompts),
            has_queue=lambda name: name in queues,
        )
    except FlowError as error:
        raise SettingsError("\n".join((*missing, str(error)))) from error
    if missing:
        raise SettingsError("\n".join(missing))
    return flows


def tunes_of(settings: Settings) -> dict[str, tuple[PlayItem, ...]]:
    """The music that queues and parking places ask for, by its name: one prompt, or all of a folder.

    Raises:
        SettingsError: there is none of that name.
    """
    found: dict[str, tuple[PlayItem, ...]] = {}
    wanted = [(f"queues[{i}].music", queue.music) for i, queue in enumerate(settings.queues)]
    for key, music in (*wanted, ("park.music", settings.park.music)):
        name = music.strip("/")
        if not name or name in found:
            continue
        for folder in prompt_folders(settings):
            if _prompt(folder, name).is_file():
                found[name] = (Prompt(name=name),)
            elif (folder / name).is_dir() and (files := sorted((folder / name).glob("*.ulaw"))):
                found[name] = tuple(Prompt(name=f"{name}/{file.stem}") for file in files)
            else:
                continue
            break
        else:
            places = " or ".join(str(folder) for folder in prompt_folders(settings))
            raise SettingsError(f"{key}: there is no {name} in {places}")
    return found


def _convert_own(settings: Settings) -> None:
    """Make prompts of the audio files in the site's own folder; done already for most starts."""
    folder = Path(settings.site.prompts)
    if not settings.site.prompts or not folder.is_dir():
        return
    try:
        for path, duration_ms in convert_all(folder):
            log.info("prompt %s: %.1f s converted", path.relative_to(folder), duration_ms / 1000)
    except PromptError as error:
        raise SettingsError(f"site.prompts: {error}") from error
    except OSError as error:
        where = error.filename or folder
        raise SettingsError(f"site.prompts: {where}: {error.strerror}") from error


def _prompt(folder: Path, name: str) -> Path:
    return folder / f"{name}.ulaw"


def _find(settings: Settings, name: str, key: str) -> Path:
    folders = [shipped("flows")]
    if settings.site.flows:
        folders.insert(0, Path(settings.site.flows))
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    places = " or ".join(str(folder) for folder in folders)
    raise SettingsError(f"{key}: there is no flow {name}.yaml in {places}")
