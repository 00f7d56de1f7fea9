"""What `trunks route` says of each step."""

from __future__ import annotations

import pytest

from cti.trunk_desk import _step
from switch.trunks.steps import Step


@pytest.mark.parametrize(
    ("what", "subject", "detail", "words"),
    [
        ("dialled", "4000", "4000", "4000 is dialled"),
        (
            "international",
            "+441632960123",
            "+441632960123",
            "it is in its international form, by which costs are found",
        ),
        (
            "international",
            "01632960123",
            "+441632960123",
            "its international form, by which costs are found, is +441632960123",
        ),
        ("international", "4000", "none", "it has no international form: no cost can be found"),
        ("rate", "out", "none", "out has no rate for it"),
        (
            "written-blocked",
            "out",
            "+1900",
            "out is left out: as it writes the number it is blocked (+1900)",
        ),
    ],
)
def test_a_step_is_told_in_words_that_fit(what: str, subject: str, detail: str, words: str) -> None:
    assert _step(Step(what, subject, detail)).words == words
