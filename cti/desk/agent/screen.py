"""The agent's working screen: draws the state, turns keys into commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from cti.client import (
    ApiClient,
    ApiError,
    ServerUnreachableError,
    SignedOnAgain,
    StreamEnded,
    StreamItem,
)
from cti.desk.agent.contact_card import ContactCard
from cti.desk.agent.customer_form import ask_customer
from cti.desk.agent.dial_dialog import DialDialog
from cti.desk.agent.digits_dialog import DigitsDialog
from cti.desk.agent.disposition_dialog import ask_disposition
from cti.desk.agent.find_dialog import ask_found
from cti.desk.agent.note_editor import NoteEditor
from cti.desk.agent.notices import in_words
from cti.desk.agent.options import DeskOptions
from cti.desk.agent.outbound_screen import OutboundScreen
from cti.desk.agent.parked_dialog import ask_parked
from cti.desk.agent.party_dialogs import ask_step, ask_target
from cti.desk.agent.phone_keeper import PhoneKeeper
from cti.desk.agent.queue_strip import QueueStrip
from cti.desk.agent.script_panel import ScriptPanel
from cti.desk.agent.today_panel import TodayPanel
from cti.desk.agent.top_bar import TopBar
from cti.desk.agent.window_screen import allowed, always, with_contact, with_parties
from cti.desk.keys import DESK_KEYS, hints, verb_of
from cti.desk.outbound import is_under_way
from cti.desk.phone_state import PhoneNews, PhoneStage, PhoneView
from cti.desk.reduce import reduce
from cti.desk.state import OFFERED, ON_A_CALL, DeskState, allowed_actions
from cti.desk.text import Words, spaced_number
from cti.desk.widgets.alert_line import AlertLine
from cti.desk.widgets.help_screen import HelpScreen
from cti.desk.widgets.key_bar import KeyBar
from cti.desk.widgets.panel import StatePanel
from cti.desk.widgets.picker import Choice, Picker
from cti.desk.widgets.queue_table import QueueTable
from cti.phone.protocol import Died, RegistrationFailed
from cti.schema import Event, ScreenPop, SignOnReply, Snapshot

QUIT: Final = "quit"
"""Workers that ask whether to leave."""
_SECRET_REFUSED: Final = (401, 403, 407)
_RENEWAL_PAUSE_S: Final = 20.0
"""A phone that is refused asks for a new secret no more often than this."""
_ASKS: Final = frozenset(
    {"not_ready", "dial", "find", "consult", "consult_step", "parked", "disposition", "customer"}
    | {"skip", "take", "click", "later"}
)
"""Verbs that open a window first."""


class DeskScreen(OutboundScreen):
    """Everything an agent works with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for key in DESK_KEYS for binding in key.bindings()
    ]
    HELP = "The agent's desk. F1 shows all keys."

    def __init__(
        self, words: Words, api: ApiClient, options: DeskOptions, signed_on: SignOnReply
    ) -> None:
        external = options.phone == "external" or signed_on.phone is None
        stage = PhoneStage.EXTERNAL if external else PhoneStage.STARTING
        phone = PhoneView(stage=stage)
        super().__init__(words, api, DeskState(me=signed_on.agent_id, phone=phone))
        self._options = options
        self._signed_on = signed_on
        self._keeper: PhoneKeeper | None = None
        self._mode = ""
        self._next_renewal = 0.0
        self._wants_ready = options.ready
        self._identifies = False
        """The agent is asked who the customer is; the answer is taken until the wrap-up ends."""
        self._waits_for: str | None = None
        """The contact whose wrap-up waits for that answer."""
        self._doubts_calls = False
        """The next snapshot tells whether the server still knows the phone's calls."""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        words, now = self._words, self._api.server_time
        yield TopBar(words, now)
        yield AlertLine(words, now)
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield ContactCard(words, now)
                yield NoteEditor(words, id="note")
            with Vertical(id="right"):
                yield TodayPanel(words, now)
                yield ScriptPanel(words, id="script")
                yield QueueTable(words, now)
        yield QueueStrip(words, now)
        yield KeyBar(words, now)

    def on_mount(self) -> None:
        """Start the phone, the stream and the clock."""
        if self.state.phone.stage is not PhoneStage.EXTERNAL:
            options = self._options
            self._keeper = PhoneKeeper(
                self.take,
                backend=options.phone,
                audio="device" if options.audio else "none",
                auto_answer=options.auto_answer,
            )
            self._start_phone()
        self._draw()
        self._read_stream()
        self.set_interval(1.0, self._tick)

    async def leave(self) -> None:
        """Save what is written, end the phone and sign off, for the end of the program."""
        editor = self.query_one(NoteEditor)
        text, contact = editor.text.strip(), editor.contact
        if text and contact is not None:
            await self._try(self._api.note(contact, text))
        await self.stop_phone()
        await self._try(self._api.sign_off())

    async def stop_phone(self) -> None:
        """End the phone's process. May be called twice."""
        if self._keeper is not None:
            await self._keeper.stop()

    # --- news ---

    @work(exclusive=True, group="stream")
    async def _read_stream(self) -> None:
        async for item in self._api.stream():
            if isinstance(item, SignedOnAgain):
                # The server forgot us: it may have been restarted.
                self._wants_ready = self._options.ready or self.state.mode == "available"
                self._doubts_calls = True
                if self._keeper is not None:
                    self._keeper.renew(item.reply.phone)
            self.take(item)

    def take(self, item: StreamItem | PhoneNews) -> None:
        """Let one piece of news change the state, and draw it."""
        if not self.is_running or not self.is_attached:
            return  # news may come while the desk closes
        self.state = reduce(self.state, item, self._api.server_time())
        self._draw()
        if isinstance(item, RegistrationFailed) and item.status in _SECRET_REFUSED:
            self._renew_secret()
        if isinstance(item, Died) and self.state.lost_contact is not None:
            self._give_up_lost_call(self.state.lost_contact)
        if isinstance(item, StreamEnded):
            self._end_phone()
        if isinstance(item, Snapshot) and self._doubts_calls:
            self._doubts_calls = False
            if self._keeper is not None and self.state.mode not in ON_A_CALL | OFFERED:
                self._keeper.drop_calls()
        if isinstance(item, Event) and isinstance(item.data, ScreenPop):
            self.call_after_refresh(self._acknowledge, item.seq)
        for notice in self.state.notices:
            self._say(in_words(notice, self._words, self.state.dispositions), notice.severity)
        if self._wants_ready and self.state.mode == "not-ready" and self._phone_is_there():
            self._wants_ready = False
            self._command(lambda: self._api.set_state("available"))

    @work(group="secret")
    async def _renew_secret(self) -> None:
        """The phone's secret is void, e.g. after a restart of the server: get another."""
        now = self._api.server_time()
        if self._keeper is None or now < self._next_renewal:
            return
        self._next_renewal = now + _RENEWAL_PAUSE_S
        with contextlib.suppress(ApiError, ServerUnreachableError):
            reply = await self._api.renew_sign_on()
            if reply is not None:
                self._keeper.renew(reply.phone)

    @work(group="commands")
    async def _give_up_lost_call(self, interaction_id: str) -> None:
        """The phone's call is gone, so the customer hears nobody: no talk time may run on."""
        # The server may know already, or be away itself.
        with contextlib.suppress(ApiError, ServerUnreachableError):
            await self._api.phone_lost(interaction_id)

    @work(group="phone")
    async def _end_phone(self) -> None:
        """Nobody works at this desk any more: its phone is not to ring."""
        await self.stop_phone()

    def _phone_is_there(self) -> bool:
        return self.state.phone.stage in (PhoneStage.REGISTERED, PhoneStage.EXTERNAL)

    @work(group="ack")
    async def _acknowledge(self, seq: int) -> None:
        await self._api.ack(seq)

    # --- drawing ---

    def _tick(self) -> None:
        for panel in self.query(StatePanel):
            panel.tick()

    def _draw(self) -> None:
        state = self.state
        for panel in self.query(StatePanel):
            panel.show(state)
        editor = self.query_one(NoteEditor)
        editor.follow(
            state.contact_id, may_write=state.mode in ON_A_CALL or state.mode == "wrap-up"
        )
        self.query_one(ScriptPanel).follow(state.outbound.script if state.outbound else "")
        self.query_one(KeyBar).show_hints(hints(DESK_KEYS, allowed_actions(state)))
        self._close_useless_windows()
        self._let_wrap_up_wait()
        if state.shown_mode != self._mode:
            self._mode_changed(state.shown_mode)
        self.refresh_bindings()

    def _let_wrap_up_wait(self) -> None:
        """Stop its clock while the agent types who the customer is: later nobody could take it."""
        contact = self.state.contact_id
        can_wait = self._identifies and "extend" in allowed_actions(self.state)
        if can_wait and contact != self._waits_for:
            self._waits_for = contact
            self._command(self._api.extend_wrap_up)

    def _mode_changed(self, mode: str) -> None:
        self.remove_class(f"mode-{self._mode}")
        self.add_class(f"mode-{mode}")
        if mode in ("ringing", "preview"):
            self.app.bell()
        if mode in ON_A_CALL and self._mode not in ON_A_CALL:
            self.query_one(NoteEditor).focus()
        elif mode not in ON_A_CALL and mode != "wrap-up":
            self.set_focus(None)
        self._mode = mode

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing now are not taken from whoever has the focus."""
        if action in ("press", "press_unless_typing"):
            return verb_of(str(parameters[0]), allowed_actions(self.state)) is not None
        return super().check_action(action, parameters)

    def action_press(self, key_id: str) -> None:
        """A key of the desk was pressed."""
        verb = verb_of(key_id, allowed_actions(self.state))
        if verb is not None and not (verb in _ASKS and self._is_asking):
            self._verbs()[verb]()

    def action_press_unless_typing(self, key_id: str) -> None:
        """No field has the focus; but it may just have been taken from under the agent's fingers."""
        if not self.query_one(NoteEditor).was_typed_lately:
            self.action_press(key_id)

    def _verbs(self) -> dict[str, Callable[[], object]]:
        api, contact = self._api, self.state.contact_id or ""
        return {
            "answer": self._answer,
            "refuse": self._refuse,
            "ready": lambda: self._command(lambda: api.set_state("available")),
            "finish": lambda: self._command(api.finish_wrap_up),
            "extend": lambda: self._command(api.extend_wrap_up),
            "not_ready": self._choose_reason,
            "dial": self._ask_number,
            "find": self._find_customer,
            "hold": lambda: self._hold(True),
            "resume": lambda: self._hold(False),
            "mute": lambda: self._command(lambda: api.mute(contact, True)),
            "unmute": lambda: self._command(lambda: api.mute(contact, False)),
            "hang_up": self._hang_up,
            "digits": self._show_keypad,
            "consult": self._ask_target,
            "consult_step": self._ask_step,
            "park": lambda: self._command(lambda: api.park(contact)),
            "parked": self._ask_parked,
            "disposition": self._choose_disposition,
            "customer": self._choose_customer,
            "save_note": self.query_one(NoteEditor).hand_over,
            "restart_phone": self._start_phone,
            "help": lambda: self.app.push_screen(HelpScreen(self._words, DESK_KEYS)),
            "quit": self.ask_quit,
            **self._outbound_verbs(),
        }

    # --- commands ---

    def _start_phone(self) -> None:
        signed_on = self._api.signed_on or self._signed_on
        if self._keeper is not None and signed_on.phone is not None:
            self._keeper.start(signed_on.phone)

    def _answer(self) -> None:
        if self._keeper is not None:
            self._keeper.answer()

    def _refuse(self) -> None:
        if self._keeper is not None:
            self._keeper.refuse()

    def _hang_up(self) -> None:
        """Through the switch; by the phone itself when there is no interaction to name."""
        interaction = self.state.interaction
        if is_under_way(self.state.preview):
            self._command(lambda: self._api.skip_preview("given-up"))
        elif interaction is not None:
            interaction_id = interaction.interaction_id
            self._command(lambda: self._api.hang_up(interaction_id))
        elif self._keeper is not None:
            self._keeper.hang_up()

    def _hold(self, held: bool) -> None:
        """Through the switch, or by the phone itself, as hanging up."""
        contact, api = self.state.contact_id, self._api
        if contact is not None:
            self._command(lambda: api.hold(contact) if held else api.resume(contact))
        elif self._keeper is not None:
            (self._keeper.hold if held else self._keeper.resume)()

    @work(group="dialog")
    async def _choose_reason(self) -> None:
        choices = [Choice(each, self._words.reason(each)) for each in self.state.not_ready_reasons]
        title = self._words("pick.reason")
        reason = await self._show_while(always)(Picker(self._words, title, choices))
        if reason is not None:
            await self._try(self._api.set_state("not-ready", reason))

    @work(group="dialog")
    async def _choose_disposition(self) -> None:
        show = self._show_while(always)
        await ask_disposition(show, self._words, self._api, self.state, self._try)

    @work(group="dialog")
    async def _choose_customer(self) -> None:
        pop = self.state.pop
        if pop is None:
            return
        self._identifies = True
        self._let_wrap_up_wait()
        try:
            show = self._show_while(with_contact(self.state))
            await ask_customer(show, self._words, self._api, pop, self._try)
        finally:
            self._identifies = False

    @work(group="dialog")
    async def _ask_parked(self) -> None:
        show, parked = self._show_while(allowed("parked")), self.state.parked.values()
        await ask_parked(show, self._words, self._api, parked, self._try)

    @work(group="dialog")
    async def _ask_number(self) -> None:
        number = await self._show_while(allowed("dial"))(DialDialog(self._words))
        if number is not None:
            await self._dial(number)

    @work(group="dialog")
    async def _find_customer(self) -> None:
        show = self._show_while(allowed("find"))
        number = await ask_found(show, self._words, self._api, lambda: self.state)
        if number is not None:
            await self._dial(number)

    async def _dial(self, number: str) -> None:
        """Call out; the agent's own phone comes first."""
        if self._keeper is not None:
            self._keeper.expect_own_call()
        if await self._try(self._api.dial(number)):
            self._say(self._words("notice.dialling", number=spaced_number(number)))

    @work(group="dialog")
    async def _ask_target(self) -> None:
        contact = self.state.contact_id
        if contact is not None:
            show = self._show_while(with_contact(self.state, "consult", "consult_step"))
            await ask_target(show, self._words, self._api, contact, self._try)

    @work(group="dialog")
    async def _ask_step(self) -> None:
        view = self.state.interaction
        if view is not None:
            show, again = self._show_while(with_parties(self.state)), self._ask_target
            await ask_step(show, self._words, self._api, view, self._try, again)

    def _show_keypad(self) -> None:
        self._open(DigitsDialog(self._words), with_contact(self.state, "digits"))

    @work(group=QUIT)
    async def ask_quit(self) -> None:
        """Leave if the agent means it."""
        words = self._words
        warning = words("quit.on_call") if self.state.mode in ON_A_CALL else ""
        choices = [Choice("yes", words("quit.yes"), warning), Choice("no", words("quit.no"))]
        if await self._show_while(always)(Picker(words, words("quit.title"), choices)) == "yes":
            await self.leave()
            self.app.exit()

    # --- messages of widgets ---

    def send_digit(self, digit: str) -> None:
        """Send one key to the far end."""
        contact = self.state.contact_id
        if contact is not None:
            self._command(lambda: self._api.digits(contact, digit))

    def on_note_editor_finished(self, message: NoteEditor.Finished) -> None:
        """Save a note; put it back when that fails."""
        self._save_note(message.interaction_id, message.text)

    @work(group="notes")
    async def _save_note(self, interaction_id: str, text: str) -> None:
        if await self._try(self._api.note(interaction_id, text)):
            self._say(self._words("note.saved"))
        else:
            self.query_one(NoteEditor).put_back(interaction_id, text)
