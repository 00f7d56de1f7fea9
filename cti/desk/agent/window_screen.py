"""A desk whose windows close by themselves once they are of no use: none may cover the next contact."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from textual import work
from textual.screen import Screen

from cti.client import ApiClient
from cti.desk.command_screen import CommandScreen
from cti.desk.state import ASKED, DeskState, allowed_actions
from cti.desk.text import Words
from cti.desk.widgets.window import Window
from cti.schema import InteractionView

Chosen = TypeVar("Chosen")
Use = Callable[[DeskState], bool]
"""Whether a window is of use in this state of the desk."""


class Show(Protocol):
    """Opens a window and gives what is chosen there; None: nothing, or it is of no use any more."""

    def __call__(self, window: Window[Chosen | None], /) -> Awaitable[Chosen | None]: ...


class WindowScreen(CommandScreen):
    """Keeps what each window over it is for, and closes it when that is over."""

    def __init__(self, words: Words, api: ApiClient, state: DeskState) -> None:
        super().__init__(words, api)
        self.state = state
        self._uses: dict[Screen[Any], Use] = {}

    def on_mount(self) -> None:
        """Look also when a window comes up: what it is for may have ended while it was on its way.

        One that another lies over cannot be closed; it is looked at when that one goes.
        """
        self.app.screen_change_signal.subscribe(self, lambda _top: self._close_useless_windows())

    def _show_while(self, use: Use) -> Show:
        """How to open windows that are closed as soon as they are of no use."""

        async def show(window: Window[Chosen | None], /) -> Chosen | None:
            if not use(self.state):
                return None
            self._uses[window] = use
            try:
                return await self.app.push_screen_wait(window)
            finally:
                del self._uses[window]

        return show

    @work(group="window")
    async def _open(self, window: Window[None], use: Use) -> None:
        """Open a window of which nothing comes."""
        await self._show_while(use)(window)

    def _close_useless_windows(self) -> None:
        if not self.is_running or not self.is_attached:
            return  # the desk closes
        while (use := self._uses.get(self.app.screen)) is not None and not use(self.state):
            self.app.screen.dismiss(None)


def always(_state: DeskState) -> bool:
    """It is about no call, or notes something about a contact that may be over."""
    return True


def allowed(verb: str) -> Use:
    """While this can be done, whatever contact is on the card."""
    return lambda state: verb in allowed_actions(state)


def with_contact(state: DeskState, *verbs: str) -> Use:
    """While the card is that of `state`, and one of the verbs, if any is given, makes sense for it."""
    contact = _on_card(state)

    def is_of_use(now: DeskState) -> bool:
        able = not verbs or not allowed_actions(now).isdisjoint(verbs)
        return able and contact is not None and _on_card(now) == contact

    return is_of_use


def with_preview(state: DeskState, verb: str) -> Use:
    """While the record of `state` is before the agent, and this can be done with it."""
    attempt = _previewed(state)
    return lambda now: verb in allowed_actions(now) and _previewed(now) == attempt


def with_parties(state: DeskState) -> Use:
    """While the same colleagues are consulted, or have joined, as in `state`."""
    on_call, parties = with_contact(state, "consult_step"), _parties(state.interaction)
    return lambda now: on_call(now) and _parties(now.interaction) == parties


def _on_card(state: DeskState) -> str | None:
    return state.card.interaction_id if state.card is not None else state.contact_id


def _previewed(state: DeskState) -> str | None:
    return state.preview.attempt_id if state.preview is not None else None


def _parties(view: InteractionView | None) -> frozenset[tuple[str, bool]]:
    """Who takes part besides the customer, and whether each is consulted still."""
    parties = view.parties if view is not None else ()
    return frozenset((party.number, party.state in ASKED) for party in parties)
