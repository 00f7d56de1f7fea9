"""The wallboard's screen: draws the state, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from cti.client import ApiClient, StreamItem
from cti.client_requests import ApiError
from cti.desk.agent.parked_dialog import ask_parked
from cti.desk.campaigns.screen import CampaignScreen
from cti.desk.command_screen import CommandScreen
from cti.desk.keys import BOARD_KEYS, hints
from cti.desk.reduce import reduce
from cti.desk.state import DeskState
from cti.desk.supervisor.agent_table import AgentTable
from cti.desk.supervisor.contact_list import ContactList
from cti.desk.supervisor.role_dialogs import ask_phone, ask_role
from cti.desk.supervisor.summary import Summary
from cti.desk.supervisor.ticker import Ticker
from cti.desk.text import Words
from cti.desk.widgets.alert_line import AlertLine
from cti.desk.widgets.board_bar import BoardBar
from cti.desk.widgets.help_screen import HelpScreen
from cti.desk.widgets.key_bar import KeyBar
from cti.desk.widgets.panel import StatePanel
from cti.desk.widgets.queue_table import QueueTable

_VERBS: Final = frozenset({"supervise", "parked", "help", "leave_board"})


class WallboardScreen(CommandScreen):
    """Queues, agents, contacts and events, live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for key in BOARD_KEYS for binding in key.bindings()
    ]
    HELP = "The wallboard. F1 shows all keys."

    def __init__(self, words: Words, api: ApiClient) -> None:
        super().__init__(words, api)
        self.state = DeskState()
        signed_on = api.signed_on
        self._phone = "" if signed_on is None else signed_on.agent_id or ""
        """The supervisor's own phone, as said last."""
        self._campaigns: CampaignScreen | None = None
        """Lies over the wallboard while it is open."""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        words, now = self._words, self._api.server_time
        yield BoardBar(words, now)
        yield AlertLine(words, now)
        yield Summary(words, now)
        yield QueueTable(words, now)
        with Horizontal(id="floor"):
            yield AgentTable(words, now)
            with Vertical(id="side"):
                yield ContactList(words, now)
                yield Ticker(words, now)
        yield KeyBar(words, now)

    def on_mount(self) -> None:
        """Start the stream and the clock."""
        self.take(None)
        self._read_stream()
        self.set_interval(1.0, self._tick)

    @work(exclusive=True, group="stream")
    async def _read_stream(self) -> None:
        async for item in self._api.stream(is_desk=False):
            self.take(item)

    def take(self, item: StreamItem | None) -> None:
        """Let one piece of news change the state, and draw it."""
        if item is not None:
            self.state = reduce(self.state, item, self._api.server_time())
        # One line a queue, with heading and frame, as long as the agents keep half the screen.
        rows = min(len(self.state.queues) + 3, max(4, self.size.height // 3))
        self.query_one(QueueTable).styles.height = rows
        for panel in self.query(StatePanel):
            panel.show(self.state)
        has_campaigns = self.state.campaigns or self.state.are_campaigns_loading
        verbs = _VERBS | {"campaigns"} if has_campaigns else _VERBS
        self.query_one(KeyBar).show_hints(hints(BOARD_KEYS, verbs))
        if self._campaigns is not None:
            self._campaigns.show(self.state)

    def _tick(self) -> None:
        for panel in self.query(StatePanel):
            panel.tick()

    def action_press(self, key_id: str) -> None:
        """A key of the wallboard was pressed."""
        if self._is_asking:
            return
        if key_id == "help":
            self.app.push_screen(HelpScreen(self._words, BOARD_KEYS, "help.more_board"))
        elif key_id == "supervise":
            self._supervise()
        elif key_id == "parked":
            self._fetch()
        elif key_id == "campaigns":
            self._show_campaigns()
        else:
            self.app.exit()

    def _show_campaigns(self) -> None:
        self._campaigns = CampaignScreen(self._words, self._api, self.state)
        self.app.push_screen(self._campaigns, self._campaigns_closed)

    def _campaigns_closed(self, _result: None) -> None:
        self._campaigns = None

    @work(group="dialog")
    async def _supervise(self) -> None:
        async def ask() -> None:
            self._phone = await ask_role(
                self.app,
                self._words,
                self._api,
                self.state,
                self._phone,
            )

        await self._try_by_phone(ask())

    async def _try_by_phone(self, command: Awaitable[object]) -> bool:
        return await self._try(self._unless_unreached(command))

    async def _unless_unreached(self, command: Awaitable[object]) -> None:
        """Where the phone cannot be called the supervisor may sit at another one: ask next time."""
        try:
            await command
        except ApiError as error:
            if error.problem.details.get("number") == self._phone:
                self._phone = ""
            raise

    @work(group="dialog")
    async def _fetch(self) -> None:
        """A parked call, or one that rings, to the supervisor's own phone."""

        async def own_phone() -> str:
            self._phone = await ask_phone(self.app, self._words, self._phone)
            return self._phone

        parked = self.state.parked.values()
        show = self.app.push_screen_wait
        await ask_parked(show, self._words, self._api, parked, self._try_by_phone, own_phone)
