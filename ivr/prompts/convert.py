"""Audio files of one's own as prompts and music: WAV, FLAC, OGG and MP3 become mu-law, once.

`music/waiting.flac` in the prompt folder becomes `music/waiting.ulaw` beside it, and is converted again
when it is newer than that. Nothing else is done to the sound: its loudness is the owner's choice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ivr.prompts.catalogue import SUFFIX
from ivr.prompts.errors import PromptAudioError

AUDIO_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".oga", ".mp3")
LONGEST_S: Final = 3600.0
RATE_HZ: Final = 8000
_NO_SUCH_FILE: Final = 7
"""What libsndfile says of a file that is no MP3 though its name says so: that there is none."""
_BLOCK: Final = 1 << 16


def pending(folder: Path) -> list[Path]:
    """The audio files that have no mu-law beside them, or an older one; sorted.

    Raises PromptAudioError where two would become the same prompt, OSError.
    """
    found: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO_SUFFIXES or not path.is_file():
            continue
        target = path.with_suffix(SUFFIX)
        if target in found:
            raise PromptAudioError(
                f"{path} and {found[target].name} would both be the prompt {target.name};"
                " rename or remove one"
            )
        found[target] = path
    return [path for target, path in found.items() if _is_older(target, path)]


def convert_all(folder: Path) -> Iterator[tuple[Path, int]]:
    """Convert what is pending, one by one; gives each file and its milliseconds.

    Raises PromptAudioError for a file that is no sound, OSError.
    """
    for path in pending(folder):
        yield path, convert(path)


def convert(path: Path) -> int:
    """Write one file as mu-law beside it; returns its milliseconds. Raises as `convert_all`."""
    # They take a tenth of a second to load, and few starts convert anything.
    import numpy as np
    import soundfile
    import soxr

    from recordings import mulaw

    target = path.with_suffix(SUFFIX)
    half = target.with_name(f".{target.name}.part")
    samples = 0
    try:
        # A path that cannot be opened is explained by the system, not by the library. The library reads it by
        # its name all the same: of an MP3 with something before its first frame only that tells the format.
        with path.open("rb"), soundfile.SoundFile(path) as sound, half.open("wb") as out:
            if sound.frames > LONGEST_S * sound.samplerate:
                raise PromptAudioError(f"{path} is longer than {LONGEST_S / 60:.0f} minutes")
            stream = soxr.ResampleStream(sound.samplerate, RATE_HZ, 1, dtype="float32")
            while True:
                block = sound.read(_BLOCK, dtype="float32", always_2d=True)
                is_last = len(block) < _BLOCK
                if not np.isfinite(block).all():
                    raise PromptAudioError(f"{path} has samples that are no numbers")
                narrow = stream.resample_chunk(block.mean(axis=1), last=is_last)
                linear = np.clip(np.round(narrow * 32767), -32768, 32767).astype(np.int16)
                samples += len(linear)
                out.write(mulaw.encode(linear).tobytes())
                if is_last:
                    break
        if not samples:
            raise PromptAudioError(f"{path} has no sound in it")
        os.replace(half, target)
    except soundfile.LibsndfileError as error:
        why = "Format not recognised." if error.code == _NO_SUCH_FILE else error.error_string
        raise PromptAudioError(f"{path} cannot be read as audio: {why}") from error
    finally:
        half.unlink(missing_ok=True)
    return samples * 1000 // RATE_HZ


def _is_older(target: Path, path: Path) -> bool:
    try:
        return target.stat().st_mtime_ns < path.stat().st_mtime_ns
    except FileNotFoundError:
        return True
