"""`switchroom prompts`: render prompts from their texts, convert audio files, or list them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cti.paths import shipped


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "prompts",
        help="render the prompts from their texts, convert audio files, or list them",
        epilog="Example: switchroom prompts render --language en --missing",
    )
    what = parser.add_subparsers(dest="what", required=True)
    render = what.add_parser(
        "render", help="make the audio anew (needs `pip install switchroom[speech]`)"
    )
    render.add_argument(
        "--language",
        action="append",
        metavar="LANG",
        help="only this language; `music` for music and tones; may be given several times",
    )
    render.add_argument("--missing", action="store_true", help="only what has no audio yet")
    converting = what.add_parser(
        "convert", help="make prompts of audio files of your own: WAV, FLAC, OGG, MP3"
    )
    listing = what.add_parser("list", help="show each prompt, its length and its text")
    for each in (render, converting, listing):
        each.add_argument(
            "--folder", type=Path, default=None, help="prompt folder (default: the shipped one)"
        )


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from ivr.prompts.errors import PromptError

    folder: Path = args.folder or shipped("prompts")
    try:
        match args.what:
            case "list":
                return _list(folder)
            case "convert":
                return _convert(folder)
            case _:
                return _render(folder, args)
    except PromptError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or folder}: {error.strerror}", file=sys.stderr)
    return 1


def _render(folder: Path, args: argparse.Namespace) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ivr.prompts.render import plan, render

    jobs = plan(folder, args.language, only_missing=args.missing)
    total_ms = 0
    with Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), transient=True
    ) as progress:
        task = progress.add_task("loading the voices", total=len(jobs))
        for job, duration_ms in render(folder, jobs):
            total_ms += duration_ms
            progress.update(task, advance=1, description=job.name)
    print(f"{len(jobs)} prompts, {total_ms / 1000:.0f} s of sound, in {folder}")
    return 0


def _convert(folder: Path) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ivr.prompts.convert import convert, pending

    files = pending(folder)
    with Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), transient=True
    ) as progress:
        task = progress.add_task("", total=len(files))
        for path in files:
            progress.update(task, description=path.name)
            convert(path)
            progress.advance(task)
    print(f"{len(files)} audio files converted in {folder}")
    return 0


def _list(folder: Path) -> int:
    from rich.console import Console
    from rich.table import Table

    from ivr.prompts.catalogue import PromptCatalogue, read_texts
    from ivr.prompts.render import languages

    texts = {
        f"{language}/{name}": text
        for language in languages(folder)
        for name, text in read_texts(folder / language).items()
    }
    catalogue = PromptCatalogue(folder)
    table = Table("prompt", "seconds", "text")
    for name in sorted(texts.keys() | catalogue.names()):
        duration_ms = catalogue.duration_ms(name)
        length = "missing" if duration_ms is None else f"{duration_ms / 1000:.1f}"
        table.add_row(name, length, texts.get(name, ""))
    Console().print(table)
    return 0
