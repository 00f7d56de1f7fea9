"""The model: small decision trees that are added up, read from `model.json`.

`python -m tests.answers.train` makes that file from the corpus. At run time nothing but its numbers is
needed: some hundred comparisons a look.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from importlib.resources import files

import msgspec
from msgspec import Struct

from acd.dialer.answers.timeline import NAMES


class Tree(Struct, frozen=True, array_like=True):
    """Nodes in four columns. A leaf has feature -1, and its value in `bound`."""

    feature: tuple[int, ...]
    bound: tuple[float, ...]
    """Up to it, the left branch is taken."""
    left: tuple[int, ...]
    right: tuple[int, ...]

    def value(self, features: Sequence[float]) -> float:
        """What this tree adds."""
        node = 0
        feature = self.feature[0]
        while feature >= 0:
            node = self.left[node] if features[feature] <= self.bound[node] else self.right[node]
            feature = self.feature[node]
        return self.bound[node]


class Model(Struct, frozen=True, kw_only=True):
    """Turns features into the probability that a machine speaks."""

    version: str
    """Of the corpus and the settings it was made with."""
    features: tuple[str, ...]
    bias: float
    trees: tuple[Tree, ...]

    def machine(self, features: Sequence[float]) -> float:
        """The probability of a machine, 0 to 1."""
        score = self.bias + sum([tree.value(features) for tree in self.trees])
        return 1.0 / (1.0 + math.exp(-max(min(score, 30.0), -30.0)))


def read_model(text: bytes) -> Model:
    """Read a model. Raises ValueError when it is none, or one of other features or with broken trees."""
    try:
        model = msgspec.json.decode(text, type=Model)
    except msgspec.DecodeError as error:
        raise ValueError(f"this is no model of answers: {error}") from error
    if model.features != NAMES:
        raise ValueError(f"the model knows {model.features}, the judge has {NAMES}")
    for number, tree in enumerate(model.trees):
        if not _is_sound(tree):
            raise ValueError(f"tree {number} of the model is broken")
    return model


@functools.cache
def shipped_model() -> Model:
    """The model that comes with this version."""
    return read_model((files("acd.dialer.answers") / "model.json").read_bytes())


def _is_sound(tree: Tree) -> bool:
    """Whether every walk ends at a leaf: branches lead forward."""
    size = len(tree.feature)
    if not size or not all(len(column) == size for column in (tree.bound, tree.left, tree.right)):
        return False
    return all(
        feature < 0
        or (
            feature < len(NAMES)
            and node < tree.left[node] < size
            and node < tree.right[node] < size
        )
        for node, feature in enumerate(tree.feature)
    )
