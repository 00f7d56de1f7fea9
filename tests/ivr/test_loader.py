from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.errors import FlowError
from ivr.loader import load_flow, load_flows, parse_flow
from tests.ivr.scene import CATALOGUE, QUEUES, ROOT, flow_of

GOOD = """\
start: hello
nodes:
  hello:
    verb: say
    prompts: [welcome]
    next: end
  end:
    verb: hang_up
"""


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(FlowError) as caught:
        flow_of(text)
    for problem in caught.value.problems:
        assert str(problem).startswith(f"flow.yaml:{problem.line}: ")
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_a_good_flow_is_read() -> None:
    flow = flow_of(GOOD)
    assert (flow.name, flow.language, flow.start) == ("flow", None, "hello")
    assert [(node.name, node.VERB, node.line) for node in flow.nodes.values()] == [
        ("hello", "say", 3),
        ("end", "hang_up", 7),
    ]


def test_all_problems_are_told_at_once_each_with_its_line() -> None:
    found = problems("""\
language: en
begin: x
start: menu
nodes:
  menu:
    verb: menu
    prompts: [main-menu, no-such-prompt]
    choices:
      "1": sales
      "12": sales
      "2": nowhere
    retries: many
    volume: 11
  sales:
    verb: queue
    queue: no-such-queue
  lost:
    verb: sing
  alone:
    verb: hang_up
    reason: Bad Reason
  deaf:
    verb: collect
    prompts: [main-menu]
    into: account
    max_digits: 4
    min_digits: 6
    next: sales
""")
    expected = {
        2: ["unknown key `begin`"],
        5: ["no time-out edge", "no edge for a wrong digit"],
        7: ["no prompt `en/no-such-prompt`"],
        10: ["`12` is no digit"],
        11: ["no node `nowhere`"],
        12: ["expected a whole number from 0 to 9, not `many`"],
        13: ["unknown key `volume`"],
        16: ["no queue `no-such-queue`"],
        18: ["unknown verb `sing`"],
        19: ["`alone` cannot be reached"],
        21: ["expected a word"],
        22: ["`min_digits` 6 is more", "no time-out edge", "`deaf` cannot be reached"],
    }
    for line, parts in expected.items():
        for part in parts:
            assert any(at == line and part in message for at, message in found), (line, part)
    assert {line for line, _ in found} == set(expected)


def test_a_loop_that_needs_no_input_is_refused() -> None:
    found = problems("""\
start: a
nodes:
  a: {verb: say, prompts: [welcome], next: b}
  b:
    verb: menu
    prompts: [main-menu]
    choices: {"1": end}
    timeout: a
    invalid: end
  end: {verb: hang_up}
""")
    assert found == [(3, "endless loop while the caller does nothing: a -> b -> a")]


def test_a_loop_that_the_caller_asks_for_is_fine() -> None:
    flow_of("""\
start: menu
nodes:
  menu:
    verb: menu
    prompts: [main-menu]
    choices: {"1": menu, "2": hello}
    timeout: end
    invalid: menu
  hello: {verb: say, prompts: [welcome], next: menu}
  end: {verb: hang_up}
""")


def test_prompts_must_exist_in_every_language_the_flow_may_speak() -> None:
    known = {"en/welcome"}
    parse = {"name": "x", "has_queue": QUEUES.__contains__}
    with pytest.raises(FlowError, match="zh/welcome"):
        parse_flow(GOOD.encode(), "f", has_prompt=known.__contains__, **parse)  # type: ignore[arg-type]
    english = b"language: en\n" + GOOD.encode()
    parse_flow(english, "f", has_prompt=known.__contains__, **parse)  # type: ignore[arg-type]


def test_the_prompts_of_spoken_numbers_must_exist_as_well() -> None:
    text = GOOD.replace("[welcome]", "[number: 7]").encode()
    known = CATALOGUE.names() - {"en/number-90", "zh/number-10000"}
    with pytest.raises(FlowError) as caught:
        parse_flow(
            text, "f", name="x", has_prompt=known.__contains__, has_queue=QUEUES.__contains__
        )
    assert [p.message for p in caught.value.problems] == [
        "node `hello`: there is no prompt `en/number-90`",
        "node `hello`: there is no prompt `zh/number-10000`",
    ]


def test_variables_must_be_set_somewhere() -> None:
    (found,) = problems(GOOD.replace("[welcome]", "[digits: $accuont]"))
    assert found == (5, "no node sets the variable `$accuont`")
    flow_of(GOOD.replace("[welcome]", "[digits: $caller, pause_ms: 300, number: -12]"))


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 1, "the file is empty"),
        ("- a\n- b\n", 1, "expected `key: value`"),
        ("start: [a]\nnodes: {}\n", 1, "expected one word"),
        ("start: a\n", 1, "`nodes` is missing"),
        ("nodes:\n  a: {verb: hang_up}\n", 1, "`start` is missing"),
        ("start: a\nnodes:\n  a: {verb: hang_up}\n  a: {verb: hang_up}\n", 4, "there twice"),
        ("start: b\nnodes:\n  a: {verb: hang_up}\n", 1, "there is no node `b`"),
        ("start: a\nnodes:\n  a: hang_up\n", 3, "expected `key: value`"),
        ("start: a\nnodes:\n  a: {prompts: [welcome]}\n", 3, "`verb` is missing"),
        ("start: a\nnodes:\n  a: {verb: say\n  b: c\n", 4, "no YAML"),
        ("start: a\nnodes:\n  a: *unknown\n", 3, "no YAML"),
        ("start: a\n\tnodes: b\n", 2, "no YAML"),
        (GOOD.replace("[welcome]", "[]"), 5, "is empty"),
        (GOOD.replace("[welcome]", "[{shout: 1}]"), 5, "expected a prompt"),
        (GOOD.replace("[welcome]", "[{number: many}]"), 5, "is no number"),
        (GOOD.replace("[welcome]", "[{pause_ms: 99999}]"), 5, "expected a prompt"),
        (GOOD.replace("next: end", "next: end\n    barge_in: maybe"), 7, "expected true or false"),
        ("start: &a [*a]\nnodes: *a\n", 1, "expected"),
        ("start: " + "[" * 5000, 1, "no YAML"),
    ],
)
def test_a_bad_file_is_told_with_its_line(text: str, line: int, part: str) -> None:
    assert any(at == line and part in message for at, message in problems(text))


def test_a_file_that_is_no_text_or_too_long_or_missing() -> None:
    def parse(octets: bytes) -> None:
        parse_flow(octets, "f", name="x", has_prompt=CATALOGUE.has, has_queue=QUEUES.__contains__)

    with pytest.raises(FlowError, match="no YAML"):
        parse(b"\xff\xfe\xfa")
    with pytest.raises(FlowError, match="longer than"):
        parse(b"#" * (1 << 20) + b"\n")
    with pytest.raises(FlowError, match="cannot be read"):
        load_flow(Path("/nonexistent.yaml"), has_prompt=CATALOGUE.has, has_queue=bool)


def test_several_files_tell_all_their_problems(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD.replace("[welcome]", "[nope]"))
    (tmp_path / "two.yaml").write_text("flow: three\n" + GOOD)
    (tmp_path / "three.yaml").write_text(GOOD)
    with pytest.raises(FlowError) as caught:
        load_flows(
            sorted(tmp_path.iterdir()), has_prompt=CATALOGUE.has, has_queue=QUEUES.__contains__
        )
    said = str(caught.value)
    assert "one.yaml:5" in said
    assert "another flow named `three`" in said


LINES = (ROOT / "config/flows/main-menu.yaml").read_text().split("\n")
PIECES = st.sampled_from([*LINES, "&a *a", "{", "]", "? :", "!!x"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=30).map("\n".join), st.text()).map(str.encode))
def test_any_text_is_a_flow_or_a_flow_error(octets: bytes) -> None:
    try:
        parse_flow(octets, "f", name="x", has_prompt=CATALOGUE.has, has_queue=QUEUES.__contains__)
    except FlowError as error:
        assert error.problems  # noqa: PT017 - that there is an error is not what is tested
