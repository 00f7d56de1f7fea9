"""What `switchroom bans list` shows."""

from __future__ import annotations

from cti.cli.bans import listed
from cti.schema_bans import BanView


def ban(source: str, *, datagrams_only: bool = False) -> BanView:
    return BanView(
        source=source,
        reason="flood",
        words="many more messages a second than it may send",
        since=1_800_000_000.0,
        until=1_800_000_600.0,
        times=2,
        dropped=8123,
        datagrams_only=datagrams_only,
    )


def test_columns_have_names_and_the_names_are_explained() -> None:
    head, row, _, *legend = listed([ban("198.51.100.7")])
    assert head.split() == ["SOURCE", "SHUT", "OUT", "UNTIL", "BANS", "DROPPED", "WHY"]
    assert row.startswith("198.51.100.7 ")
    assert row.endswith("   2     8123  many more messages a second than it may send")
    assert head.index("WHY") == row.index("many more")
    assert [line.partition(":")[0] for line in legend] == ["BANS", "DROPPED"]


def test_a_ban_of_datagrams_alone_is_explained() -> None:
    lines = list(listed([ban("198.51.100.7"), ban("198.51.100.8", datagrams_only=True)]))
    assert lines[2].startswith("198.51.100.8 (UDP) ")
    assert "may use TCP" in lines[-1]


def test_nobody_is_said_in_words() -> None:
    assert list(listed([])) == ["Nobody is banned."]
