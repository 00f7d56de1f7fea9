"""The words of the screens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.binding import Binding

import cti.desk
from cti.desk.catalogue import CATALOGUE
from cti.desk.keys import BOARD_KEYS, CAMPAIGN_KEYS, DESK_KEYS
from cti.desk.text import Words, clock, fit, percent, spaced_number, wrapped


def test_every_word_exists_in_both_languages_with_the_same_places() -> None:
    for key, texts in CATALOGUE.items():
        assert all(texts), key
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert places[0] == places[1], key


def test_every_word_that_the_screens_ask_for_exists() -> None:
    folder = Path(cti.desk.__path__[0])
    asked = set()
    for file in folder.rglob("*.py"):
        if file.name != "catalogue.py":
            asked |= set(
                re.findall(
                    r'"((?:connection|phone|contact|note|today|queues|pick|dial|digits|customer'
                    r'|quit|notice|board|tick|sign_on|help|outbound|later|campaign|find|park)\.[a-z_]+)"',
                    file.read_text("utf-8"),
                )
            )
    own_ids = {"picker.close", "help.close", "dial.close", "digits.close"}
    own_ids |= {"customer.close", "customer.save", "sign_on.quit"}
    own_ids |= {"later.close", "later.save", "later.next"}
    own_ids |= {"find.close", "find.list"}
    assert asked - own_ids <= set(CATALOGUE)
    assert len(asked) > 80


def test_every_key_has_a_word_a_help_an_id_and_a_tooltip() -> None:
    for key in (*DESK_KEYS, *BOARD_KEYS, *CAMPAIGN_KEYS):
        for binding in key.bindings():
            assert isinstance(binding, Binding)
            assert binding.id
            assert binding.tooltip
        for verb in key.verbs:
            assert f"key.{verb}" in CATALOGUE
            assert f"help.{verb}" in CATALOGUE


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")]
)
def test_durations(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("+12025550123", "+1 202 555 0123"),
        ("+441632960123", "+44 1632 960 123"),
        ("4000", "4000"),
        ("", ""),
        ("+1", "+1"),
    ],
)
def test_numbers_are_grouped(number: str, text: str) -> None:
    assert spaced_number(number) == text


def test_lines_are_cut_by_cells_and_lose_control_characters() -> None:
    assert fit("hello", 5) == "hello"
    assert fit("hello world", 8) == "hello w…"
    assert fit("a\x1b[31m\nb", 20) == "a [31m b"
    assert fit("anything", 0) == ""
    for width in range(1, 12):
        assert cell_len(fit("客户名称很长很长", width)) <= width


def test_unknown_words_and_languages() -> None:
    words = Words("fr")
    assert words.language == "en"
    assert words.state("dancing") == "dancing"
    assert words.reason("after-work") == "after work"
    assert words.title({"zh": "订单"}, "order") == "order"
    assert percent(None) == "–"
    with pytest.raises(KeyError):
        words("no.such.key")


def test_a_sentence_is_broken_between_words_and_cut_where_there_is_no_room() -> None:
    assert wrapped("one two three", 20, 3) == ["one two three"]
    assert wrapped("one two three", 7, 3) == ["one two", "three"]
    assert wrapped("one two three four", 7, 2) == ["one two", "three…"]
    assert wrapped("one two three", 7, 1) == ["one tw…"]
    assert wrapped("", 7, 2) == [""]
    chinese = wrapped("活动未运行因为已经暂停", 10, 3)
    assert "".join(chinese) == "活动未运行因为已经暂停"
    assert max(map(cell_len, chinese)) <= 10
