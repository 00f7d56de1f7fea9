"""Campaigns on the wallboard: how they do, why they do not more, and the keys to steer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from cti.client import ApiClient
from cti.desk.campaigns.blockers import BlockersPanel
from cti.desk.campaigns.change_screen import ChangeScreen
from cti.desk.campaigns.changes import patch
from cti.desk.campaigns.log_screen import LogScreen
from cti.desk.campaigns.panel import CampaignPanel, in_order, title_of
from cti.desk.campaigns.progress import ProgressPanel
from cti.desk.campaigns.rates import RatesPanel
from cti.desk.campaigns.table import CampaignTable
from cti.desk.campaigns.why_screen import WhyScreen
from cti.desk.command_screen import CommandScreen
from cti.desk.keys import CAMPAIGN_KEYS, hints, verb_of
from cti.desk.state import DeskState
from cti.desk.text import Words
from cti.desk.widgets.alert_line import AlertLine
from cti.desk.widgets.board_bar import BoardBar
from cti.desk.widgets.help_screen import HelpScreen
from cti.desk.widgets.key_bar import KeyBar
from cti.desk.widgets.panel import StatePanel
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import CampaignView
from cti.schema_campaign_requests import AuditView
from cti.schema_campaigns import WhyCampaignView

_STEPS: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset({"start_campaign", "finish_campaign"}),
    "running": frozenset({"pause_campaign", "finish_campaign"}),
    "paused": frozenset({"start_campaign", "finish_campaign"}),
    "finished": frozenset({"start_campaign"}),
}
"""What can be done to a campaign as it stands."""
_ALWAYS: Final = frozenset({"help", "leave_campaigns"})
_OF_ONE: Final = frozenset({"change_campaign", "why_campaign", "log_campaign"})
_OF_SEVERAL: Final = frozenset({"campaign_up", "campaign_down"})


def allowed(campaign: CampaignView | None, count: int = 1) -> frozenset[str]:
    """The keys that make sense for the chosen campaign, of so many."""
    if campaign is None:
        return _ALWAYS
    others = _OF_SEVERAL if count > 1 else frozenset[str]()
    return _ALWAYS | _OF_ONE | others | _STEPS.get(campaign.state, frozenset())


class CampaignScreen(CommandScreen):
    """Lies over the wallboard, which goes on reading the stream and hands its state on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for key in CAMPAIGN_KEYS for binding in key.bindings()
    ]
    HELP = "Campaigns. F1 shows all keys."

    def __init__(self, words: Words, api: ApiClient, state: DeskState) -> None:
        super().__init__(words, api)
        self.state = state
        self.chosen = ""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        words, now = self._words, self._api.server_time
        yield BoardBar(words, now)
        yield AlertLine(words, now)
        yield CampaignTable(words, now)
        yield RatesPanel(words, now)
        with Horizontal(id="campaign"), Vertical():
            yield ProgressPanel(words, now)
            yield BlockersPanel(words, now)
        yield KeyBar(words, now)

    def on_mount(self) -> None:
        """Draw what is known."""
        self.show(self.state)
        self.set_interval(1.0, self._tick)

    def show(self, state: DeskState) -> None:
        """The wallboard's state is this one now."""
        self.state = state
        if not self.is_attached:
            return
        campaigns = in_order(state)
        if self.chosen not in state.campaigns:
            self.chosen = campaigns[0].name if campaigns else ""
        room = max(4, self.size.height // 3 - 1)
        self.query_one(CampaignTable).styles.height = min(max(1, len(campaigns)) + 3, room)
        for panel in self.query(CampaignPanel):
            panel.chosen = self.chosen
        for each in self.query(StatePanel):
            each.show(state)
        self.query_one(KeyBar).show_hints(hints(CAMPAIGN_KEYS, self._allowed()))
        self.refresh_bindings()

    def _tick(self) -> None:
        for panel in self.query(StatePanel):
            panel.tick()

    @property
    def _campaign(self) -> CampaignView | None:
        return self.state.campaigns.get(self.chosen)

    def _allowed(self) -> frozenset[str]:
        return allowed(self._campaign, len(self.state.campaigns))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing now do nothing."""
        if action == "press":
            return verb_of(str(parameters[0]), self._allowed()) is not None
        return super().check_action(action, parameters)

    def action_press(self, key_id: str) -> None:
        """A key of the screen was pressed."""
        verb = verb_of(key_id, self._allowed())
        if verb is not None and not self._is_asking:
            self._verbs()[verb]()

    def _verbs(self) -> dict[str, Callable[[], object]]:
        return {
            "start_campaign": lambda: self._step("start"),
            "pause_campaign": lambda: self._step("pause"),
            "finish_campaign": lambda: self._step("finish"),
            "change_campaign": self._change,
            "why_campaign": self._why,
            "log_campaign": self._log,
            "campaign_up": lambda: self._move(-1),
            "campaign_down": lambda: self._move(1),
            "help": self._help,
            "leave_campaigns": lambda: self.dismiss(None),
        }

    def _help(self) -> None:
        self.app.push_screen(HelpScreen(self._words, CAMPAIGN_KEYS, "help.more_campaigns"))

    def _move(self, by: int) -> None:
        names = [each.name for each in in_order(self.state)]
        if self.chosen in names:
            at = names.index(self.chosen) + by
            self.chosen = names[max(0, min(len(names) - 1, at))]
            self.show(self.state)

    @work(group="dialog")
    async def _step(self, what: str) -> None:
        """Start, pause or finish; asked again, since it calls people or stops to."""
        campaign, words, api = self._campaign, self._words, self._api
        if campaign is None:
            return
        choices = [
            Choice("yes", words(f"campaign.{what}_yes"), words(f"campaign.{what}_means")),
            Choice("no", words("campaign.leave_it")),
        ]
        title = words(f"campaign.{what}_title", campaign=title_of(campaign))
        if await self.app.push_screen_wait(Picker(words, title, choices)) != "yes":
            return
        commands: dict[str, Callable[[], Awaitable[object]]] = {
            "start": lambda: api.start_campaign(campaign.name),
            "pause": lambda: api.pause_campaign(campaign.name),
            "finish": lambda: api.finish_campaign(campaign.name),
        }
        if await self._try(commands[what]()):
            self._say(words(f"notice.campaign_{what}", campaign=title_of(campaign)))

    @work(group="dialog")
    async def _change(self) -> None:
        campaign = self._campaign
        if campaign is None:
            return
        settings: dict[str, Any] = {}
        log: list[AuditView] = []

        async def load() -> None:
            settings.update((await self._api.campaign(campaign.name)).settings)
            log.extend(await self._api.campaign_audit(campaign.name))

        if not await self._try(load()):
            return
        last = next((each for each in log if each.what == "change"), None)
        changes = await self.app.push_screen_wait(
            ChangeScreen(self._words, title_of(campaign), settings, last, self._api.server_time())
        )
        if changes and await self._try(self._api.change_campaign(campaign.name, patch(changes))):
            self._say(self._words("notice.campaign_changed", count=len(changes)))

    @work(group="dialog")
    async def _why(self) -> None:
        campaign = self._campaign
        if campaign is None:
            return
        found: list[WhyCampaignView] = []

        async def load() -> None:
            found.append(await self._api.why_campaign(campaign.name))

        if await self._try(load()):
            now, name = self._api.server_time(), campaign.name
            screen = WhyScreen(self._words, title_of(campaign), found[0], now)
            screen.again = lambda: self._why_again(screen, name)
            self.app.push_screen(screen)

    @work(group="again", exclusive=True)
    async def _why_again(self, screen: WhyScreen, name: str) -> None:
        found: list[WhyCampaignView] = []

        async def load() -> None:
            found.append(await self._api.why_campaign(name))

        if await self._try(load()) and screen.is_attached:
            screen.show(found[0], self._api.server_time())

    @work(group="dialog")
    async def _log(self) -> None:
        campaign = self._campaign
        if campaign is None:
            return
        found: list[AuditView] = []

        async def load() -> None:
            found.extend(await self._api.campaign_audit(campaign.name))

        if await self._try(load()):
            now = self._api.server_time()
            self.app.push_screen(LogScreen(self._words, title_of(campaign), found, now))
