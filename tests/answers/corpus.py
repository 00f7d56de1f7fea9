"""The corpus: what a switch hears of those who answer. A plan is made from a seed, and sound from the plan.

Two parts share no voice, no text, no noise and no codec (but for the tones of networks, which come as
G.711): `seen` for the training, `held` for the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cti.paths import shipped
from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, PCMU
from tests.answers import bank, tones
from tests.answers.bank import MACHINES, PEOPLE, Utterance
from tests.answers.channel import CODECS, NOISES, Sound, cached, lose, pcm

RATE_HZ: Final = 8000
SECONDS: Final = 9
"""Of each item."""
SEED: Final = 20
PEOPLE_MIX: Final = {"hello": 0.65, "short": 0.3, "business": 0.05}
MACHINE_MIX: Final = {"personal": 0.45, "carrier": 0.3, "menu": 0.25}
"""How often each kind is drawn."""
_FRAME: Final = RATE_HZ // 100
_PAUSE_FRAMES: Final = 12
"""So many hundredths of a second of silence are a pause."""
OTHERS: Final = (
    "fax", "no-service", "ring-back", "busy", "congestion", "silence", "noise", "music",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One call."""

    label: str
    """`human`, `machine`, or one of `OTHERS`."""
    kind: str
    utterance: int = -1
    """In the bank; -1: nobody speaks."""
    again: int = -1
    """What a person says when nobody answers; of a machine: -1."""
    onset_ms: int = 0
    """From the answer to the first word or tone."""
    pause_ms: int = 0
    """Behind it, until the person says something again or the machine beeps."""
    stretch_ms: int = 0
    """Added to each pause within what is said first."""
    beep_hz: int = 0
    beep_ms: int = 0
    noise: str = ""
    snr_db: float = 60.0
    level_db: float = -20.0
    """Of the speech, dBov."""
    clip: bool = False
    codec: str = "pcmu"
    loss: float = 0.0
    seed: int = 0


def plan(*, is_held: bool, people: int, machines: int, others: int, seed: int = SEED) -> list[Item]:
    """The items of a part; the same for the same seed."""
    random = np.random.default_rng([seed, is_held])
    utterances = bank.read()
    kinds: dict[str, list[int]] = {kind: [] for kind in (*PEOPLE, *MACHINES)}
    for number, utterance in enumerate(utterances):
        if utterance.is_held == is_held:
            kinds[utterance.kind].append(number)
    items = [_person(random, utterances, kinds, is_held=is_held) for _ in range(people)]
    items += [_machine(random, kinds, is_held=is_held) for _ in range(machines)]
    return items + _others(random, kinds, others, is_held=is_held)


def _pick(random: np.random.Generator, mix: dict[str, float]) -> str:
    return str(random.choice(list(mix), p=list(mix.values())))


def _way(random: np.random.Generator, *, is_held: bool) -> dict[str, object]:
    """Noise, level, codec and loss: drawn alike for people and machines."""
    noises = [name for name, (held, _) in NOISES.items() if held == is_held]
    codecs = [name for name, (held, _) in CODECS.items() if held == is_held]
    return {
        "noise": str(random.choice(noises)),
        "snr_db": round(float(random.uniform(15, 45)), 1),
        "level_db": round(float(random.uniform(-34, -14)), 1),
        "clip": bool(random.random() < 0.05),
        "codec": str(random.choice(codecs)),
        "loss": float(random.choice([0.0, 0.0, 0.01, 0.05 if is_held else 0.03])),
        "seed": int(random.integers(1 << 31)),
        # espeak-ng pauses between sentences are all alike; those of people are not.
        "stretch_ms": 0 if is_held else int(random.uniform(0, 500)),
        "onset_ms": int(min(random.lognormal(np.log(600), 0.6), 2300)),
    }


def _person(
    random: np.random.Generator,
    utterances: list[Utterance],
    kinds: dict[str, list[int]],
    *,
    is_held: bool,
) -> Item:
    kind = _pick(random, PEOPLE_MIX)
    number = int(random.choice(kinds[kind]))
    voice = utterances[number].voice
    hellos = [n for n in kinds["hello"] if utterances[n].voice == voice]
    return Item(
        label="human",
        kind=kind,
        utterance=number,
        again=int(random.choice(hellos)),
        pause_ms=int(random.uniform(900, 3000)),
        **_way(random, is_held=is_held),  # type: ignore[arg-type]
    )


def _machine(random: np.random.Generator, kinds: dict[str, list[int]], *, is_held: bool) -> Item:
    kind = _pick(random, MACHINE_MIX)
    has_beep = kind != "menu"
    return Item(
        label="machine",
        kind=kind,
        utterance=int(random.choice(kinds[kind])),
        pause_ms=int(random.uniform(150, 1500)),
        beep_hz=int(random.choice([440, 850, 1000, 1400])) if has_beep else 0,
        beep_ms=int(random.choice([150, 250, 400, 1000])) if has_beep else 0,
        **_way(random, is_held=is_held),  # type: ignore[arg-type]
    )


def _others(
    random: np.random.Generator, kinds: dict[str, list[int]], count: int, *, is_held: bool
) -> list[Item]:
    """Tones, silence, noise and music; `count` of each label."""
    items = []
    for label in (
        "fax",
        "no-service",
        "ring-back",
        "busy",
        "congestion",
        "silence",
        "noise",
        "music",
    ):
        for number in range(count):
            way = _way(random, is_held=is_held)
            if label != "no-service":
                way["level_db"] = -20.0
            if label not in ("silence", "noise", "music"):
                way["codec"] = str(random.choice(("pcma", "pcmu", "tandem")))
            kind = {
                "fax": ("cng", "ced", "ansam"),
                "no-service": tones.SIT,
                "ring-back": tuple(str(n) for n in range(len(tones.RING_BACK))),
                "busy": tuple(str(n) for n in range(len(tones.BUSY))),
                "congestion": tuple(str(n) for n in range(len(tones.CONGESTION))),
                "noise": (str(way["noise"]),),
            }.get(label, (label,))
            announced = int(random.choice(kinds["carrier"])) if label == "no-service" else -1
            items.append(
                Item(label=label, kind=kind[number % len(kind)], utterance=announced, **way)  # type: ignore[arg-type]
            )
    return items


# --- the sound --------------------------------------------------------------------------------------


def wave_of(item: Item, utterances: list[Utterance]) -> Sound:
    """The sound of an item as the switch decodes it, from the answer on; amplitude 1."""
    random = np.random.default_rng(item.seed)
    length = SECONDS * RATE_HZ
    wave = np.zeros(length)
    at = at_beep = item.onset_ms * RATE_HZ // 1000
    for part, pause_ms in _parts(item, utterances):
        at_beep = at
        part = part[: max(length - at, 0)]
        wave[at : at + len(part)] += part
        at = min(at + len(part) + pause_ms * RATE_HZ // 1000, length)
    wave *= 10 ** ((item.level_db + 20) / 20)
    if item.label in ("human", "machine", "noise"):
        # A greeting was recorded with its noise; the beep behind it and the network's tones are clean.
        noisy = at_beep if item.beep_hz else length
        noise = NOISES[item.noise][1](length, random)[:noisy]
        wave[:noisy] += noise * 10 ** ((item.level_db - item.snr_db) / 20)
    wave += random.normal(0, 10 ** (-75 / 20), length)
    if item.clip:
        wave = np.clip(4 * wave, -0.9, 0.9)
    return lose(CODECS[item.codec][1](wave), item.loss, random)


def _parts(item: Item, utterances: list[Utterance]) -> list[tuple[Sound, int]]:
    """What sounds, one behind the other, and the pauses between."""
    if item.label in ("human", "machine"):
        first = stretched(_said(utterances[item.utterance]), item.stretch_ms)
        said = [(first, item.pause_ms)]
        if item.again >= 0:
            said += 4 * [(_said(utterances[item.again]), item.pause_ms)]
        if item.beep_hz:
            said.append((tones.tone((float(item.beep_hz),), item.beep_ms), 0))
        return said
    number = int(item.kind) if item.kind.isdigit() else 0
    match item.label:
        case "fax":
            made = {"cng": tones.cng, "ced": tones.ced, "ansam": tones.ansam}
            return [(made[item.kind](8), 0)]
        case "no-service":
            return [(tones.sit(item.kind), 300), (_said(utterances[item.utterance]), 0)]
        case "ring-back":
            return [(tones.cadence(tones.RING_BACK[number], 8), 0)]
        case "busy":
            return [(tones.cadence(tones.BUSY[number], 8), 0)]
        case "congestion":
            return [(tones.cadence(tones.CONGESTION[number], 8), 0)]
        case "music":
            return [(_music()[item.seed % 40000 :][: 8 * RATE_HZ], 0)]
        case _:
            return []


def _said(utterance: Utterance) -> Sound:
    return cached(utterance.voice)[utterance.begin : utterance.begin + utterance.length]


def stretched(sound: Sound, extra_ms: int) -> Sound:
    """With each of its pauses longer by so much."""
    if not extra_ms:
        return sound
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME)
    quiet = np.abs(frames).max(axis=1) < 0.01
    parts: list[Sound] = []
    run = begin = 0
    for number, is_quiet in enumerate(quiet):
        run = run + 1 if is_quiet else 0
        if run == _PAUSE_FRAMES:
            parts += [sound[begin * _FRAME : number * _FRAME], tones.silence(extra_ms)]
            begin = number
    return np.concatenate([*parts, sound[begin * _FRAME :]])


def _music() -> Sound:
    octets = next(iter(sorted((shipped("prompts") / "music").glob("*.ulaw")))).read_bytes()
    wave: Sound = DECODE[PCMU][np.frombuffer(octets, np.uint8)] / 32768.0
    return wave


def frames_of(wave: Sound) -> NDArray[np.uint8]:
    """As mu-law, (frames, 160)."""
    octets: NDArray[np.uint8] = ENCODE[PCMU][pcm(wave).view(np.uint16)]
    return octets[: len(octets) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
