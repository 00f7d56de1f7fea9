"""Parameters that can simply be split are read as those that cannot."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switch.sip.uri import format_params, parse_params

NAMES = st.text(alphabet="abTAG019-.!%*_+`'~", min_size=1, max_size=8)
VALUES = st.none() | st.text(alphabet="abZ019-.=:[]@/?\\", min_size=1, max_size=8)


def outcome(text: str) -> object:
    try:
        return parse_params(text)
    except ValueError:
        return "refused"


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
@example([("lr", None), ("LR", "on")])
def test_both_ways_of_reading_agree(params: list[tuple[str, str | None]]) -> None:
    plain = "".join(f";{name}" if v is None else f";{name}={v}" for name, v in params)
    spaced = "".join(f" ;{name}" if v is None else f" ;{name}={v}" for name, v in params)
    assert outcome(plain) == outcome(spaced)


@given(st.text(alphabet=';;==ab"\\ ,<>\t', max_size=20))
def test_what_is_read_can_be_written_and_read_again(text: str) -> None:
    found = outcome(text)
    if isinstance(found, dict):
        assert parse_params(format_params(found)) == found


@pytest.mark.parametrize("text", [";", ";;a", ";a=", ";a;", "a=1", ";a=1,b", ';a="x";b', ";a b"])
def test_hard_cases(text: str) -> None:
    spaced = text.replace(";", " ;")
    assert outcome(text) == outcome(spaced)
