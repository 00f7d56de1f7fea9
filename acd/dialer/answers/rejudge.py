"""Judge again what was kept: by other rules, or by another model."""

from __future__ import annotations

from acd.dialer.answers.judge import Judge
from acd.dialer.answers.model import Model
from acd.dialer.answers.record import read
from acd.dialer.answers.verdict import Verdict
from acd.dialer.settings import AnswerRules


def rejudge(record: str, rules: AnswerRules, model: Model | None = None) -> Verdict | None:
    """The verdict on a record by these rules; None: they would have listened on.

    With the rules and the model of then it is the verdict of then; but who spoke and was "uncertain" by an
    old record is a person in doubt now, for agents as well. Raises ValueError: no record.
    """
    kept = read(record)
    judge = Judge(rules, model)
    is_answered = False
    for heard in kept.heard:
        if kept.answered_ms is not None and not is_answered and heard.at_ms >= kept.answered_ms:
            judge.answered_ms(kept.answered_ms)
            is_answered = True
        judge.take(heard)
    if kept.answered_ms is not None and not is_answered:
        judge.answered_ms(kept.answered_ms)
    judge.look_until(kept.decided_ms)
    return judge.verdict
