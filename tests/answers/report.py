"""The figures of docs/answers.md: `python -m tests.answers.report` judges the `held` part and writes them.

`--print` prints them instead.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from acd.dialer.answers.message_start import Cue
from acd.dialer.answers.model import shipped_model
from acd.dialer.answers.verdict import FOR_AGENTS, AnswerKind, Verdict
from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures
from tests.answers import bank
from tests.answers.corpus import OTHERS, Item, plan
from tests.answers.judging import cue_of, judged
from tests.answers.listen import listen

PEOPLE: Final = 800
MACHINES: Final = 700
EACH_OTHER: Final = 30
PAGE: Final = Path(__file__).parents[2] / "docs/answers.md"
BEGIN, END = "<!-- figures: begin, by tests/answers/report.py -->", "<!-- figures: end -->"
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Result:
    """One call and what became of it."""

    item: Item
    verdict: Verdict
    sounds: Sequence[SoundFeatures]

    @property
    def late_ms(self) -> int:
        """From the true beginning of the first word to the verdict."""
        return self.verdict.at_ms - self.item.onset_ms

    def spoken_ms(self, said_ms: int) -> int:
        """How much of its first `said_ms` of speech was over by then."""
        return min(self.late_ms, said_ms)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, in percent."""
    if not of:
        return 0.0, 100.0
    share = hits / of
    middle = share + _Z * _Z / (2 * of)
    reach = _Z * math.sqrt(share * (1 - share) / of + _Z * _Z / (4 * of * of))
    base = 1 + _Z * _Z / of
    return 100 * max(middle - reach, 0) / base, 100 * min((middle + reach) / base, 1.0)


def share(hits: int, of: int) -> str:
    """A share with its interval."""
    low, high = wilson(hits, of)
    return f"{100 * hits / max(of, 1):.1f} % ({low:.1f}–{high:.1f})"


def results(rules: AnswerRules, *, scale: float = 1.0) -> list[Result]:
    """The held part, judged."""
    items = plan(
        is_held=True,
        people=int(PEOPLE * scale),
        machines=int(MACHINES * scale),
        others=int(EACH_OTHER * scale),
    )
    return [
        Result(item, judged(sounds, rules), sounds)
        for item, sounds in zip(items, listen(items), strict=True)
    ]


def page(found: Sequence[Result], rules: AnswerRules) -> str:
    """The figures as Markdown."""
    people = [r for r in found if r.item.label == "human"]
    machines = [r for r in found if r.item.label == "machine"]
    parts = [
        f"Model: {shipped_model().version}; {len(shipped_model().trees)} trees. Held part: "
        f"{len(people)} people, {len(machines)} machines, {EACH_OTHER} of each other sound.",
        _headline(people, machines),
        "### What was judged as what\n\n" + _matrix(found),
        "### How soon\n\nSeconds. Below 0 behind the last word: decided while they still spoke.\n\n"
        + _latency(people, machines),
        "### By kind, codec, noise, language and voice\n\nShare judged right, with its 95 % interval.\n\n"
        + _breakdown(people, machines),
        "### The message behind the beep\n\n" + _beeps(machines, rules),
    ]
    return "\n\n".join(parts)


def _is_right(result: Result) -> bool:
    return str(result.verdict.kind) == result.item.label


def _headline(people: Sequence[Result], machines: Sequence[Result]) -> str:
    right = sum(map(_is_right, people))
    likely = sum(_is_right(r) and r.verdict.probability > 0.5 for r in people)
    agent = sum(r.verdict.kind in FOR_AGENTS for r in people)
    caught = sum(map(_is_right, machines))
    lengths = _lengths(people)
    late = np.percentile([r.late_ms for r in people], 95) / 1000
    spoken = np.percentile([r.spoken_ms(said) for r, said in zip(people, lengths, strict=True)], 95)
    waited = np.percentile([r.late_ms - said for r, said in zip(people, lengths, strict=True)], 95)
    return (
        "| | |\n|---|---|\n"
        f"| people judged a person | {share(right, len(people))} |\n"
        f"| judged a person, who was the likelier | {share(likely, len(people))} |\n"
        f"| people who reach an agent (person or uncertain) | {share(agent, len(people))} |\n"
        f"| machines judged a machine | {share(caught, len(machines))} |\n"
        f"| people: 95 % are decided within | {spoken / 1000:.2f} s of speech |"
        f"\n| the same from the first word, pauses included | {late:.2f} s |"
        f"\n| the same from the last word of their greeting | {waited / 1000:.2f} s |"
    )


def _lengths(group: Sequence[Result]) -> list[int]:
    """How long they speak before their first pause for an answer, ms."""
    utterances = bank.read()
    return [utterances[r.item.utterance].length * 1000 // bank.RATE_HZ for r in group]


def _matrix(found: Sequence[Result]) -> str:
    kinds = [str(kind) for kind in AnswerKind]
    lines = ["| heard | calls | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 2) + "|"]
    for label in ("human", "machine", *OTHERS):
        of_label = [r for r in found if r.item.label == label]
        counts = Counter(str(r.verdict.kind) for r in of_label)
        cells = " | ".join(str(counts[kind]) if counts[kind] else "" for kind in kinds)
        lines.append(f"| {label} | {len(of_label)} | {cells} |")
    return "\n".join(lines)


def _latency(people: Sequence[Result], machines: Sequence[Result]) -> str:
    lengths = _lengths(people)
    pairs = list(zip(people, lengths, strict=True))
    rows = [
        ("people, speech heard", [r.spoken_ms(said) for r, said in pairs]),
        ("people, from the first word", [r.late_ms for r in people]),
        ("people, from the last word", [r.late_ms - said for r, said in pairs]),
        ("machines, from the first word", [r.late_ms for r in machines]),
    ]
    lines = ["| | median | 90 % | 95 % | 99 % | longest |", "|---|---|---|---|---|---|"]
    for name, times in rows:
        late = np.array(times) / 1000
        cells = " | ".join(f"{value:.2f}" for value in np.percentile(late, [50, 90, 95, 99, 100]))
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def _breakdown(people: Sequence[Result], machines: Sequence[Result]) -> str:
    utterances = bank.read()
    looks: list[tuple[str, Callable[[Item], str]]] = [
        ("kind", lambda item: item.kind),
        ("codec", lambda item: item.codec),
        ("noise", lambda item: item.noise),
        ("loss", lambda item: f"{100 * item.loss:.0f} % lost"),
        ("speech above noise", lambda item: f"{item.snr_db // 10:.0f}0 to {item.snr_db // 10:.0f}9 dB"),
        ("language", lambda item: utterances[item.utterance].language),
        ("voice", lambda item: utterances[item.utterance].voice),
    ]  # fmt: skip
    lines = ["| | | people | machines |", "|---|---|---|---|"]
    for name, of in looks:
        values = sorted({of(r.item) for r in (*people, *machines)})
        for value in values:
            cells = []
            for group in (people, machines):
                inside = [r for r in group if of(r.item) == value]
                cells.append(share(sum(map(_is_right, inside)), len(inside)) if inside else "")
            lines.append(f"| {name} | {value} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _beeps(machines: Sequence[Result], rules: AnswerRules) -> str:
    """How often a message begins behind the beep, and how far behind."""
    utterances = bank.read()
    with_beep = [r for r in machines if r.item.beep_hz and r.verdict.kind is AnswerKind.MACHINE]
    behind: list[float] = []
    early = 0
    silent = 0
    for r in with_beep:
        cue, at = cue_of(r.sounds, rules, r.verdict)
        greeting = utterances[r.item.utterance].length / bank.RATE_HZ
        over = (r.item.onset_ms + r.item.pause_ms + r.item.beep_ms) / 1000 + greeting
        if at < over:
            early += 1
        elif cue is Cue.BEEP:
            behind.append(at - over)
        else:
            silent += 1
    late = np.percentile(behind, [50, 95]) if behind else np.zeros(2)
    return (
        f"Of {len(with_beep)} greetings with a beep that were judged a machine: the message begins behind "
        f"the beep in {share(len(behind), len(with_beep))}, {late[0]:.2f} s after its end (median; 95 %: "
        f"{late[1]:.2f} s); behind the silence that follows, because the beep was not heard, in "
        f"{share(silent, len(with_beep))}; before the beep is over in {share(early, len(with_beep))}."
    )


def main() -> None:
    """Judge, and write or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--print", action="store_true", dest="only_print")
    parser.add_argument("--calls", type=float, default=1.0, help="a share of the calls, 0 to 1")
    args = parser.parse_args()
    rules = AnswerRules()
    text = page(results(rules, scale=args.calls), rules)
    if args.only_print:
        print(text)  # noqa: T201
        return
    old = PAGE.read_text()
    before, after = old.split(BEGIN)[0], old.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
