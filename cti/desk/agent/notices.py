"""What the desk tells the agent in passing, in the language of the screen."""

from __future__ import annotations

from collections.abc import Iterable

from cti.desk.state import Notice
from cti.desk.text import Words
from cti.schema import Disposition


def in_words(notice: Notice, words: Words, dispositions: Iterable[Disposition]) -> str:
    """The text of a notice; slugs that the catalogue does not know appear as they are."""
    values = dict(notice.values)
    match notice.key:
        case "":
            return notice.text
        case "notice.cleared" | "notice.party_failed":
            values["reason"] = _reason(str(values["reason"]), words)
        case "notice.dial_failed":
            return _dialled_in_vain(str(values["result"]), str(values["reason"]), words)
        case "notice.not_reached":
            outcome = str(values["outcome"])
            values["outcome"] = words.get(f"outcome.{outcome}", str(values["reason"]) or outcome)
        case "notice.preview_over":
            reason = str(values["reason"])
            values["reason"] = words.get(f"back.{reason}", reason)
        case "notice.disposition":
            titles = {each.code: each.title for each in dispositions}
            code = str(values["title"])
            values["title"] = words.title(titles.get(code, {}), code)
        case _:
            pass
    return words(notice.key, **values)


def _reason(reason: str, words: Words) -> str:
    return words.get(f"reason_end.{reason}", reason.replace("-", " "))


def _dialled_in_vain(result: str, reason: str, words: Words) -> str:
    """The reason where it says more than the result."""
    text = words("notice.dial_failed", reason=_reason(reason, words))
    text = words.get(f"dial_failed.{result}", text)
    return words.get(f"dial_failed.{reason}", text)
