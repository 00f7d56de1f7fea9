from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.numbers import normalise


@pytest.mark.parametrize(
    ("raw", "region", "value"),
    [
        ("+1 202 555 0101", "US", "+12025550101"),
        ("(202) 555-0101", "US", "+12025550101"),
        ("2025550101", "US", "+12025550101"),
        ("011 44 1632 960106", "US", "+441632960106"),
        ("01632 960106", "GB", "+441632960106"),
        ("00 1 202 555 0101", "GB", "+12025550101"),
        ("+44 1632 960106", "CN", "+441632960106"),
        ("tel:+1-202-555-0101", "US", "+12025550101"),
    ],
)
def test_numbers_become_e164(raw: str, region: str, value: str) -> None:
    number = normalise(raw, region)
    assert (number.value, number.is_e164) == (value, True)


@pytest.mark.parametrize("raw", ["1001", "5550101", "anonymous", "", "   ", "12", "9" * 40])
def test_what_is_no_full_number_stays_as_it_is(raw: str) -> None:
    number = normalise(raw, "US")
    assert not number.is_e164
    assert number.raw == raw.strip()


def test_local_forms_match_by_their_last_digits() -> None:
    local = normalise("555 0101", "US")
    full = normalise("+1 202 555 0101", "US")
    assert local.matches(full)
    assert full.matches(local)
    assert not normalise("556 0101", "US").matches(full)
    assert not normalise("1001", "US").matches(normalise("21001", "US"))


def test_longer_local_forms_must_agree_further() -> None:
    with_area = normalise("01632 960106", "")
    assert not with_area.is_e164
    assert with_area.matches(normalise("+44 1632 960106", ""))
    assert not with_area.matches(normalise("+44 1633 960106", ""))


def test_two_full_numbers_match_only_when_equal() -> None:
    one = normalise("+1 202 555 0101", "US")
    other = normalise("+1 303 555 0101", "US")
    assert one.tail == other.tail
    assert not one.matches(other)


@given(st.text(max_size=80), st.sampled_from(["US", "GB", "CN", "", "??"]))
def test_any_text_can_be_read_and_read_again(raw: str, region: str) -> None:
    number = normalise(raw, region)
    if number.is_e164:
        assert normalise(number.value, region).value == number.value
        assert number.value.startswith("+")
    assert len(number.value) <= 64
    assert len(number.tail) in (0, 7)
