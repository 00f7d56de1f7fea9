import weakref

from hypothesis import given
from hypothesis import strategies as st

from switch.sip.deadlines import Deadlines


def test_the_earliest_comes_first_and_each_key_once() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 3.0)
    deadlines.set("b", 2.0)
    deadlines.set("a", 1.0)
    assert deadlines.next_due() == 1.0
    assert deadlines.pop_due(0.9) is None
    assert [deadlines.pop_due(5.0), deadlines.pop_due(5.0), deadlines.pop_due(5.0)] == [
        "a",
        "b",
        None,
    ]
    assert deadlines.next_due() is None


def test_moving_a_deadline_over_and_over_does_not_grow_the_heap() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for turn in range(10_000):
        deadlines.set("a", 3600.0 + turn)
        deadlines.set("b", 1.0)
        deadlines.cancel("b")
    assert len(deadlines._heap) < 100
    assert deadlines.pop_due(3600.0 + 9998) is None
    assert deadlines.pop_due(3600.0 + 9999) == "a"


MOVES = st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 20)))


@given(st.lists(MOVES, max_size=200))
def test_it_is_a_dictionary_of_times(moves: list[tuple[str, int | None]]) -> None:
    deadlines: Deadlines[str] = Deadlines()
    model: dict[str, int] = {}
    for key, when in moves:
        if when is None:
            deadlines.cancel(key)
            model.pop(key, None)
        else:
            deadlines.set(key, when)
            model[key] = when
        assert deadlines.next_due() == min(model.values(), default=None)
        assert len(deadlines) == len(model)
    fired = []
    while (due := deadlines.pop_due(20)) is not None:
        fired.append(model.pop(due))
    assert fired == sorted(fired)
    assert not model


def test_what_is_cancelled_is_let_go_also_when_nothing_is_set_any_more() -> None:
    class Session:
        """Stands for what a key leads to."""

    deadlines: Deadlines[Session] = Deadlines()
    sessions = [Session() for _ in range(2000)]
    alive = [weakref.ref(session) for session in sessions]
    for number, session in enumerate(sessions):
        deadlines.set(session, 1800.0 + number)
    for session in sessions:
        deadlines.cancel(session)
    del session
    sessions.clear()
    assert sum(each() is not None for each in alive) <= 64
