"""The floor: what may be commanded in which state, and what each role sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti.api.ports import Account
from cti.errors import Conflict, DomainError, Invalid, NotFound
from cti.floor import Floor
from cti.schema import Role
from tests.kit.joined import Centre, agent

BOSS = Account(login="boss", name="Boss", role=Role.SUPERVISOR)
ANN = agent("1001")


def talks(centre: Centre) -> str:
    """A caller who talks to agent 1001; gives the interaction."""
    centre.ready("1001")
    caller = centre.call()
    centre.passes(0.1)
    centre.answers(centre.calls.to("1001"))
    centre.answers(caller)
    found = centre.translator.agents.agent("1001").interaction_id
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("command", "error", "slug"),
    [
        (lambda floor: floor.set_state("9", "available", ""), NotFound, "unknown-agent"),
        (lambda floor: floor.set_state("1001", "available", ""), Conflict, "agent-not-signed-on"),
        (lambda floor: floor.set_state("1001", "not-ready", "tired"), Invalid, "unknown-reason"),
        (lambda floor: floor.set_state("1001", "talking", ""), Invalid, "unknown-state"),
        (lambda floor: floor.finish_wrap_up("1001"), Conflict, "no-wrap-up"),
        (lambda floor: floor.extend_wrap_up("1001"), Conflict, "no-wrap-up"),
        (lambda floor: floor.dial("9", "1002"), NotFound, "unknown-agent"),
        (lambda floor: floor.dial("1001", "1001"), Conflict, "cannot-dial"),
        (lambda floor: floor.hold("i-9", ANN), NotFound, "unknown-interaction"),
        (lambda floor: floor.interaction_agent("i-9"), NotFound, "unknown-interaction"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    command: Callable[[Floor], object], error: type[DomainError], slug: str
) -> None:
    with pytest.raises(error) as caught:
        command(Centre().floor)
    assert caught.value.error_id == slug


def test_a_conversation_that_is_over_takes_no_commands() -> None:
    centre = Centre()
    interaction = talks(centre)
    centre.floor.hold(interaction, ANN)
    centre.floor.mute(interaction, True, ANN)
    centre.ends(centre.calls.to("1001"), "callee-hung-up")
    for command in (centre.floor.hold, centre.floor.resume, centre.floor.hang_up):
        with pytest.raises(Conflict) as caught:
            command(interaction, ANN)
        assert caught.value.error_id == "interaction-over"
    centre.floor.extend_wrap_up("1001")
    centre.passes(60.0)
    assert centre.state("1001") == "wrap-up"
    centre.floor.finish_wrap_up("1001")
    assert centre.state("1001") == "available"


def test_a_break_that_is_asked_for_in_a_conversation_begins_afterwards() -> None:
    centre = Centre(wrap_up_s=0.0)
    talks(centre)
    view = centre.floor.set_state("1001", "not-ready", "break")
    assert (view.state, view.next_state) == ("talking", "not-ready")
    centre.ends(centre.calls.to("1001"), "callee-hung-up")
    assert centre.state("1001") == "not-ready"


def test_agents_see_their_own_and_supervisors_all() -> None:
    centre = Centre()
    interaction = talks(centre)
    everything = centre.floor.snapshot(BOSS)
    assert [view.agent_id for view in everything.agents] == ["1001", "1002"]
    assert [view.interaction_id for view in everything.interactions] == [interaction]
    assert (everything.figures, everything.pop) == (None, None)
    own = centre.floor.snapshot(ANN)
    assert [view.agent_id for view in own.agents] == ["1001"]
    assert own.pop is not None
    other = centre.floor.snapshot(agent("1002"))
    assert (other.interactions, other.pop) == ((), None)
    assert [queue.queue for queue in other.queues] == ["sales"]


def test_a_desk_that_comes_twice_signs_on_once_and_goes_once() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.floor.desk_connected("1001", "another")
    assert centre.floor.has_desk("1001")
    centre.floor.desk_gone("1001")
    centre.floor.desk_gone("1001")
    assert centre.state("1001") == "logged-out"
    assert not centre.translator.agents.agent("1001").desk_connected
    centre.floor.desk_connected("9", "nobody's")
    assert not centre.floor.has_desk("9")


def test_an_agent_without_a_phone_of_ours_gets_no_credentials() -> None:
    assert Centre().floor.phone_credentials("1001") is None
