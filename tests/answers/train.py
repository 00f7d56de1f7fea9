"""Makes the model: `python -m tests.answers.train` (needs scikit-learn). It hears the `seen` part alone.

At each report that a judge would look at, from the first word until `_UNTIL_MS` after it, but for the rest
of pauses longer than `_PAUSE_MS`, the features are a row; all rows of a call weigh as much as one, people as
much as machines. What comes out are boosted trees of six leaves. Two features may only speak for one side,
whatever the corpus says: longer speech for a machine, a longer pause for a person.

`--check` leaves out a third of the seen voices and a third of the seen texts at a time, and prints what the
judge makes of those voices with those texts: the place to choose settings, so that the `held` part is looked
at only for the figures.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from acd.dialer.answers.model import Model, Tree
from acd.dialer.answers.timeline import NAMES, Timeline, in_whole_numbers
from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures
from tests.answers import bank
from tests.answers.corpus import SEED, Item, plan
from tests.answers.judging import judged
from tests.answers.listen import listen

CALLS: Final = ((SEED, 1600, 1300), (SEED + 1, 3000, 3000))
"""Seed, people and machines of each plan that is heard."""
_UNTIL_MS: Final = 6000
_PAUSE_MS: Final = 1000
"""Who has been silent for longer has been judged, or speaks again."""
_PAUSE: Final = NAMES.index("pause_ms")
_FOLDS: Final = 3
_UP: Final = "speech_ms"
_DOWN: Final = "pause_ms"
SETTINGS: Final[dict[str, Any]] = {
    "max_iter": 90,
    "learning_rate": 0.1,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 400,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": SEED,
}
MODEL: Final = Path(__file__).parents[2] / "acd/dialer/answers/model.json"
Told = Sequence[Sequence[SoundFeatures]]
Looks = Sequence[Sequence[tuple[float, ...]]]
"""Of each call the features at each report."""


def rows_of(sounds: Sequence[SoundFeatures]) -> list[tuple[float, ...]]:
    """The features at each report of one call."""
    timeline = Timeline()
    rows = []
    for sound in sounds:
        timeline.add(in_whole_numbers(sound))
        onset = timeline.onset_ms
        if onset is not None:
            if sound.at_ms - onset > _UNTIL_MS:
                break
            row = timeline.features(sound.at_ms)
            if row[_PAUSE] <= _PAUSE_MS:
                rows.append(row)
    return rows


def fit(items: Sequence[Item], looks: Looks) -> Model:
    """Learn from these calls."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    table: list[tuple[float, ...]] = []
    labels, weights = [], []
    share = {"human": 0, "machine": 0}
    for item in items:
        share[item.label] += 1
    for item, rows in zip(items, looks, strict=True):
        table += rows
        labels += [item.label == "machine"] * len(rows)
        weights += [1.0 / max(len(rows), 1) / share[item.label]] * len(rows)
    features = np.array(table)
    weight = np.array(weights) * len(weights) / sum(weights)
    sides = [1 if name == _UP else -1 if name == _DOWN else 0 for name in NAMES]
    learner = HistGradientBoostingClassifier(monotonic_cst=sides, **SETTINGS)
    learner.fit(features, np.array(labels), sample_weight=weight)
    model = exported(learner, f"seed {SEED}, {len(items)} calls, {len(table)} looks")
    _compare(learner, model, features)
    return model


def exported(learner: Any, version: str) -> Model:
    """The learner's trees as data."""
    trees = []
    for (predictor,) in learner._predictors:
        nodes = predictor.nodes
        trees.append(
            Tree(
                feature=tuple(-1 if n["is_leaf"] else int(n["feature_idx"]) for n in nodes),
                bound=tuple(
                    _short(n["value"]) if n["is_leaf"] else float(n["num_threshold"]) for n in nodes
                ),
                left=tuple(-1 if n["is_leaf"] else int(n["left"]) for n in nodes),
                right=tuple(-1 if n["is_leaf"] else int(n["right"]) for n in nodes),
            )
        )
    bias = float(np.ravel(learner._baseline_prediction)[0])
    return Model(version=version, features=NAMES, bias=bias, trees=tuple(trees))


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _compare(learner: Any, model: Model, features: NDArray[np.float64]) -> None:
    """The data must say what the learner says."""
    some = features[:: max(len(features) // 2000, 1)]
    ours = [model.machine(row) for row in some.tolist()]
    worst = float(np.abs(np.array(ours) - learner.predict_proba(some)[:, 1]).max())
    if not math.isfinite(worst) or worst > 0.001:
        raise SystemExit(f"the exported trees differ from the learner's by {worst}")


def check(items: Sequence[Item], told: Told) -> None:
    """What the judge makes of voices and texts that were left out."""
    looks = [rows_of(sounds) for sounds in told]
    outcome: dict[tuple[str, str], int] = {}
    late: list[int] = []
    spoken: list[int] = []
    utterances = bank.read()
    for learnt, left_out in folds(items):
        model = fit([items[n] for n in learnt], [looks[n] for n in learnt])
        for item, sounds in ((items[n], told[n]) for n in left_out):
            verdict = judged(sounds, AnswerRules(), model)
            key = (item.label, verdict.kind)
            outcome[key] = outcome.get(key, 0) + 1
            if item.label == "human":
                late.append(verdict.at_ms - item.onset_ms)
                said = utterances[item.utterance].length * 1000 // bank.RATE_HZ
                spoken.append(min(late[-1], said))
    for label, kind in sorted(outcome):
        whole = sum(count for (other, _), count in outcome.items() if other == label)
        print(f"{label:8} {kind:10} {100 * outcome[label, kind] / whole:6.2f} %")  # noqa: T201
    print("people judged after, ms:", np.percentile(late, [50, 90, 95, 99]))  # noqa: T201
    print("and after ms of speech: ", np.percentile(spoken, [50, 90, 95, 99]))  # noqa: T201


def folds(items: Sequence[Item]) -> Iterator[tuple[list[int], list[int]]]:
    """Numbers of the calls to learn from, and of those to judge: they share no voice and no text."""
    said = [bank.read()[item.utterance] for item in items]
    voices = sorted({utterance.voice for utterance in said})
    texts = sorted({(utterance.kind, utterance.text) for utterance in said})
    for some_voices, some_texts in itertools.product(range(_FOLDS), repeat=2):
        out_voices = set(voices[some_voices::_FOLDS])
        out_texts = {text for _, text in texts[some_texts::_FOLDS]}
        outs = [(u.voice in out_voices, u.text in out_texts) for u in said]
        yield (
            [number for number, out in enumerate(outs) if not any(out)],
            [number for number, out in enumerate(outs) if all(out)],
        )


def main() -> None:
    """Learn, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="only try it on voices left out")
    parser.add_argument("--calls", type=float, default=1.0, help="a share of the calls, 0 to 1")
    args = parser.parse_args()
    items = [
        item
        for seed, people, machines in CALLS
        for item in plan(
            is_held=False,
            people=int(people * args.calls),
            machines=int(machines * args.calls),
            others=0,
            seed=seed,
        )
    ]
    told = listen(items)
    if args.check:
        check(items, told)
    else:
        looks = [rows_of(sounds) for sounds in told]
        MODEL.write_bytes(msgspec.json.encode(fit(items, looks)) + b"\n")


if __name__ == "__main__":
    main()
