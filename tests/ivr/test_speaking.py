from __future__ import annotations

import pytest

from ivr.announcements import announce, please_hold, spoken_minutes
from ivr.speaking import (
    Say,
    SayDigits,
    SayNumber,
    SayPause,
    SayPrompt,
    number_words,
    to_play,
)
from switch.gateway.protocol import Prompt, Silence
from tests.ivr.scene import CATALOGUE

WORDS_EN = {100: "hundred", 1000: "thousand", 1_000_000: "million"}
WORDS_ZH = dict(
    zip(
        [*(str(n) for n in range(11)), "2-counting", "100", "1000", "10000", "100000000"],
        "零一二三四五六七八九十两百千万亿",
        strict=True,
    )
)


def chinese(number: int, *, counting: bool = True) -> str:
    words = number_words(number, "zh", counting=counting)
    return "".join("负" if w == "minus" else WORDS_ZH[w.removeprefix("number-")] for w in words)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"), (2, "两"), (10, "十"), (12, "十二"), (20, "二十"), (22, "二十二"), (100, "一百"),
        (101, "一百零一"), (110, "一百一十"), (200, "二百"), (1000, "一千"), (1001, "一千零一"),
        (1010, "一千零一十"), (2000, "两千"), (2222, "两千二百二十二"), (10_000, "一万"),
        (10_002, "一万零二"), (20_000, "两万"), (100_000, "十万"), (100_020, "十万零二十"),
        (120_000, "十二万"), (20_010_000, "两千零一万"), (200_000_000, "两亿"), (-3, "负三"),
        (100_000_001, "一亿零一"),
    ],
)  # fmt: skip
def test_chinese_numbers(number: int, said: str) -> None:
    assert chinese(number) == said


def test_a_chinese_ordinal_two_is_not_a_counting_two() -> None:
    assert chinese(2, counting=False) == "二"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"), (13, "13"), (20, "20"), (21, "20 1"), (100, "1 100"), (342, "3 100 40 2"),
        (1000, "1 1000"), (12_005, "12 1000 5"), (999_999, "9 100 90 9 1000 9 100 90 9"),
        (2_000_010, "2 1000000 10"), (-7, "minus 7"),
    ],
)  # fmt: skip
def test_english_numbers(number: int, said: str) -> None:
    words = " ".join(number_words(number, "en")).replace("number-", "")
    assert words == said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_number_has_its_prompts(language: str) -> None:
    numbers = [*range(-3, 1200), 10**5 + 7, 10**8 + 10**4, 10**9, 10**11 + 3, 10**15]
    for number in numbers:
        for counting in (True, False):
            for word in number_words(number, language, counting=counting):
                assert CATALOGUE.has(f"{language}/{word}"), (number, word)


def test_what_is_said_becomes_prompts_and_silence() -> None:
    items: list[Say] = [
        SayPrompt("welcome"),
        SayPrompt("tones/beep"),
        SayPause(250),
        SayDigits("$account"),
        SayNumber("$count"),
        SayNumber("21"),
    ]
    played = to_play(items, "en", {"account": "+4*x#", "count": "not a number 5"})
    names = [item.name if isinstance(item, Prompt) else None for item in played]
    assert names == [
        "en/welcome", "tones/beep", None, "en/digit-4", "en/digit-star", "en/digit-hash",
        "en/digit-5", "en/number-20", "en/number-1",
    ]  # fmt: skip
    assert to_play([SayDigits("$unset")], "en", {}) == (Silence(duration_ms=20),)


def said(position: int, wait_s: float | None, language: str) -> list[str]:
    names = []
    for item in announce(position, wait_s, language):
        assert isinstance(item, Prompt)
        assert CATALOGUE.has(item.name)
        names.append(item.name.removeprefix(f"{language}/"))
    return names


def test_the_place_in_line_and_the_wait_are_told() -> None:
    assert said(3, 110.0, "en") == [
        "you-are-number", "number-3", "in-line", "expected-wait", "about", "number-2", "minutes",
    ]  # fmt: skip
    assert said(2, 110.0, "zh") == [
        "you-are-number", "number-2", "in-line", "expected-wait", "about", "number-2-counting",
        "minutes",
    ]  # fmt: skip
    assert said(1, None, "en") == ["you-are-next"]
    assert said(1, float("inf"), "zh") == ["you-are-next"]
    assert said(120, 59, "en")[-2:] == ["expected-wait", "less-than-a-minute"]
    assert said(4, 60, "en")[-3:] == ["about", "number-1", "minute"]
    assert said(4, 1801, "zh")[-1] == "more-than-thirty-minutes"
    assert please_hold("zh") == [Prompt(name="zh/hold-next-agent")]


@pytest.mark.parametrize(
    ("wait_s", "minutes"),
    [
        (0, 0),
        (59.9, 0),
        (60, 1),
        (61, 2),
        (600, 10),
        (601, 15),
        (1320, 25),
        (1800, 30),
        (1801, None),
    ],
)
def test_no_caller_is_promised_less_than_is_expected(wait_s: float, minutes: int | None) -> None:
    assert spoken_minutes(wait_s) == minutes
