"""Scripts with the facts of a record."""

from __future__ import annotations

from acd.dialer.script import fill, plain


def test_columns_are_filled_in_whatever_their_case() -> None:
    facts = {"First Name": "Ada", "plan": "M"}
    assert fill("Hello {first name}, your plan is {PLAN}.", facts) == "Hello Ada, your plan is M."


def test_a_column_that_the_list_has_not_is_left_to_be_seen() -> None:
    assert fill("Hello {nick}, {", {}) == "Hello {nick}, {"


def test_facts_are_no_markdown_and_are_not_filled_again() -> None:
    facts = {"note": "*loud* [x](http://example.com)\n# head", "a": "{b}", "b": "c"}
    assert fill("{note}", facts) == r"\*loud\* \[x\]\(http://example\.com\) \# head"
    assert fill("{a}", facts) == r"\{b\}"


def test_a_novel_is_cut() -> None:
    assert len(plain("x" * 5000)) == 200
