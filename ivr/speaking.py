"""What a flow says, put together from prompts: texts, numbers and digits by the language's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from switch.gateway.protocol import PlayItem, Prompt, Silence


@dataclass(frozen=True, slots=True)
class SayPrompt:
    """A prompt by name: of the flow's language, or as it is when the name has a folder (`tones/beep`)."""

    name: str


@dataclass(frozen=True, slots=True)
class SayNumber:
    """A whole number, as a quantity: `value` is one, or `$name` of a variable."""

    value: str


@dataclass(frozen=True, slots=True)
class SayDigits:
    """Digits one by one: `value` is a string of them, or `$name` of a variable."""

    value: str


@dataclass(frozen=True, slots=True)
class SayPause:
    """A silence."""

    milliseconds: int


Say = SayPrompt | SayNumber | SayDigits | SayPause

_DIGIT_NAMES: Final = {
    **{str(n): f"digit-{n}" for n in range(10)},
    "*": "digit-star",
    "#": "digit-hash",
}

_NOTHING: Final = (Silence(duration_ms=20),)


def number_words_en(number: int, *, counting: bool = True) -> list[str]:
    """Return the prompts of a number up to 999,999,999 in English, without `and`."""
    if number < 0:
        return ["minus", *number_words_en(-number)]
    for unit in (1_000_000, 1000, 100):
        if number >= unit:
            count, rest = divmod(number, unit)
            words = [*number_words_en(count), f"number-{unit}"]
            return words + (number_words_en(rest) if rest else [])
    if number > 20 and number % 10:
        return [f"number-{number - number % 10}", f"number-{number % 10}"]
    return [f"number-{number}"]


def number_words_zh(number: int, *, counting: bool = True) -> list[str]:
    """Return the prompts of a number below 10**12 in Chinese.

    A two that counts is 两 before a measure word, 千, 万 and 亿, and 二 elsewhere; as an ordinal
    (`counting` false: 第二位) it is 二. A gap of zeros is one 零; ten to nineteen begin with 十.
    """
    if number < 0:
        return ["minus", *number_words_zh(-number, counting=counting)]
    if number == 2 and counting:
        return ["number-2-counting"]
    words = _zh(number)
    return words[1:] if words[:2] == ["number-1", "number-10"] else words


def _zh(number: int) -> list[str]:
    for unit in (100_000_000, 10_000, 1000, 100, 10):
        if number >= unit:
            count, rest = divmod(number, unit)
            two = unit >= 1000 and count == 2
            words = [*(["number-2-counting"] if two else _zh(count)), f"number-{unit}"]
            if not rest:
                return words
            return words + (["number-0"] if rest < unit // 10 else []) + _zh(rest)
    return [f"number-{number}"]


_NUMBERS: Final[Mapping[str, tuple[Callable[..., list[str]], int]]] = {
    "en": (number_words_en, 1_000_000_000),
    "zh": (number_words_zh, 1_000_000_000_000),
}


def number_words(number: int, language: str, *, counting: bool = True) -> list[str]:
    """Return the prompts of a number, without the language; beyond the rules digit by digit."""
    rule, limit = _NUMBERS.get(language, _NUMBERS["en"])
    if abs(number) >= limit:
        return digit_words(str(abs(number)))
    return rule(number, counting=counting)


def digit_words(digits: str) -> list[str]:
    """Return the prompts of digits one by one; other characters are passed over."""
    return [_DIGIT_NAMES[digit] for digit in digits if digit in _DIGIT_NAMES]


def has_number_rule(language: str) -> bool:
    """Return whether numbers can be said in a language."""
    return language in _NUMBERS


def needed_prompts(item: Say, language: str) -> list[str]:
    """Return the full names of all prompts that an item may come to need."""
    match item:
        case SayPrompt(name):
            names = [name]
        case SayDigits():
            names = list(_DIGIT_NAMES.values())
        case SayNumber():
            rule, limit = _NUMBERS.get(language, _NUMBERS["en"])
            samples = [*range(101), -1, *(10**n for n in range(3, len(str(limit)) - 1))]
            names = sorted({word for number in samples for word in rule(number)})
        case SayPause():
            names = []
    return [full_name(name, language) for name in names]


def full_name(name: str, language: str) -> str:
    """Return a prompt's name below the prompt folder."""
    return name if "/" in name else f"{language}/{name}"


def to_play(
    items: Sequence[Say], language: str, variables: Mapping[str, str]
) -> tuple[PlayItem, ...]:
    """Return what is to be played; never empty, so that its end is always reported."""
    played: list[PlayItem] = []
    for item in items:
        match item:
            case SayPrompt(name):
                played.append(Prompt(name=full_name(name, language)))
            case SayPause(milliseconds):
                played.append(Silence(duration_ms=milliseconds))
            case SayDigits(value):
                played += prompts(digit_words(_value(value, variables)), language)
            case SayNumber(value):
                text = _value(value, variables)
                words = (
                    number_words(int(text), language)
                    if text.removeprefix("-").isdecimal() and len(text) < 20
                    else digit_words(text)
                )
                played += prompts(words, language)
    return tuple(played) or _NOTHING


def prompts(names: Sequence[str], language: str) -> list[PlayItem]:
    """Return prompts of a language as play items."""
    return [Prompt(name=full_name(name, language)) for name in names]


def _value(value: str, variables: Mapping[str, str]) -> str:
    return variables.get(value[1:], "") if value.startswith("$") else value
