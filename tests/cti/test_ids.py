"""Ids and tokens."""

from __future__ import annotations

from cti.ids import Ids, Tokens


def test_ids_differ_and_bear_their_kind() -> None:
    new_id = Ids()
    ids = {new_id("leg") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(id_.startswith("leg-") for id_ in ids)


def test_two_processes_that_start_together_make_different_ids() -> None:
    assert Ids()("leg") != Ids()("leg")


def test_tokens_are_64_bits_in_hex_and_never_come_twice() -> None:
    new_token, other = Tokens(), Tokens()
    tokens = [new_token() for _ in range(2000)] + [other() for _ in range(2000)]
    assert len(set(tokens)) == len(tokens)
    assert all(len(token) == 16 and int(token, 16) >= 0 for token in tokens)
