from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers.geodata import GEOCODE_DATA

from acd.dialer.compliance_places import NOWHERE, is_in, is_zone, place_of
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE

STATES = {"Florida": "FL", "Texas": "TX", "California": "CA", "Oklahoma": "OK", "Ohio": "OH"}


@pytest.mark.parametrize(
    ("number", "region", "zones"),
    [
        ("+12025550109", "US-DC", ("America/New_York",)),
        ("+13055550100", "US-FL", ("America/New_York",)),
        ("+14165550100", "CA", ("America/Toronto",)),
        ("+441632960123", "GB", ("Europe/London",)),
        ("+861000000000", "CN", ("Asia/Shanghai",)),
    ],
)
def test_a_number_says_where_it_is(number: str, region: str, zones: tuple[str, ...]) -> None:
    place = place_of(number)
    assert (place.regions, place.zones) == ((region,), zones)


def test_a_number_of_a_whole_country_has_all_its_zones() -> None:
    free = place_of("+18005550199")
    assert free.regions == ("US",)
    assert {"America/New_York", "Pacific/Honolulu", "Pacific/Guam"} <= set(free.zones)
    assert str(free) == "US America/Adak America/Anchorage America/Anguilla and 39 more"


@pytest.mark.parametrize("number", ["", "junk", "+", "12", "+882165550100", "+999" * 9])
def test_what_is_nowhere_has_no_zone(number: str) -> None:
    assert place_of(number).zones == ()
    assert place_of("junk") == NOWHERE


def test_what_the_list_says_counts_as_well() -> None:
    moved = place_of("+12125550100", region="US-FL", zone="America/Chicago")
    assert moved.regions == ("US-NY", "US-FL")
    assert moved.zones == ("America/Chicago", "America/New_York")
    assert str(moved) == "US-NY US-FL America/Chicago America/New_York"
    free = place_of("+18005550199", zone="America/Denver")
    assert free.zones == ("America/Denver",)


@pytest.mark.parametrize(
    ("number", "region", "regions"),
    [
        ("+13055550100", "US-TX", ("US-FL", "US-TX")),  # the rules of Florida do not go away
        ("+13055550100", "US-FL", ("US-FL",)),
        ("+13055550100", "US", ("US-FL",)),
        ("+18005550199", "US-TX", ("US-TX",)),
        ("+441632960123", "US-TX", ("GB", "US-TX")),
        ("+882165550100", "FR", ("FR",)),
        ("+441632960123", "", ("GB",)),
    ],
)
def test_of_regions_in_each_other_the_narrower_counts(
    number: str, region: str, regions: tuple[str, ...]
) -> None:
    assert place_of(number, region=region).regions == regions


def test_regions_lie_in_others() -> None:
    assert is_in("US-FL", "US")
    assert is_in("US-FL", "")
    assert not is_in("US", "US-FL")
    assert not is_in("USA", "US")


def test_zones_are_known_by_their_iana_names() -> None:
    assert is_zone("Asia/Shanghai")
    assert not any(is_zone(name) for name in ("EST5EDT5", "Mars/North", "../etc/passwd", "", "\0"))


def test_the_table_of_area_codes_is_that_of_the_library() -> None:
    for name, state in STATES.items():
        theirs = {
            prefix[1:]
            for prefix, names in GEOCODE_DATA.items()
            if len(prefix) == 4 and prefix[0] == "1" and names.get("en") == name
        }
        ours = {code for code, each in STATE_OF_AREA_CODE.items() if each == state}
        assert theirs, name
        assert theirs <= ours
    for code in STATE_OF_AREA_CODE:
        number = phonenumbers.parse(f"+1{code}5550100")
        assert phonenumbers.region_code_for_number(number) == "US", code
    assert len(set(STATE_OF_AREA_CODE.values())) == 51
