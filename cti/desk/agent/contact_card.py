"""Who is calling: the customer, how the contact came, and what happened before."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.agent import outbound_rows
from cti.desk.outbound import READING, shown_step
from cti.desk.phone_state import PhoneStage
from cti.desk.state import ASKED, OFFERED, shown_since
from cti.desk.text import clock, day_and_time, fit, spaced_number
from cti.desk.widgets.panel import StatePanel
from cti.schema import PastInteraction, ScreenPop

_LABEL_CELLS = 9

_POOR = 3.6
"""Mean opinion score below which many are dissatisfied (ITU-T G.107 annex B)."""


class ContactCard(StatePanel):
    """The middle of the desk. What is longest ago is cut first when there is no room."""

    def drawing(self, width: int, height: int) -> RenderableType:
        """The card of the contact, or what to do while there is none."""
        pop = self.state.card
        if pop is None:
            return self._without_pop(width, height)
        rows: list[RenderableType] = [*self._headline(pop, width)]
        if height >= 12:
            rows.append(Text(""))
        rows += self._customer(pop, width)
        rows += self._facts(pop, width)
        if pop.outbound is not None:
            most = max(1, (height - len(rows)) // 2)
            rows += outbound_rows.facts(pop.outbound, self.words, width, most)
        rows += self._notes(width, max(1, (height - len(rows)) // 3))
        room = height - len(rows)
        if room > 2:
            rows += self._before(pop, width, room)
        return Group(*rows[:height])

    # --- no card ---

    def _without_pop(self, width: int, height: int) -> RenderableType:
        mode, words = self.state.mode, self.words
        interaction = self.state.interaction
        hint = ""
        if interaction is not None:
            peer = interaction.caller_number
            other = interaction.called if peer == self.state.me else peer
            title = words("contact.call_of", number=spaced_number(other) or other)
            stage = words.get(f"stage.{interaction.stage}", interaction.stage)
            if interaction.stage == "direct":
                stage = words("contact.direct")
            hint = f"{stage}  {clock(self.now() - shown_since(interaction))}"
        elif self.state.direct_ring:
            return self._direct_ring(width, height)
        elif self.state.direct_talk:
            title = words("contact.call_of", number=self._peer(self.state.phone.talks_to))
            hint = words.state("held") if self.state.phone.is_held else words("contact.direct")
        elif mode == "available":
            title = words("contact.none_available")
        elif mode == "not-ready":
            title = words("contact.none_not_ready")
            hint = words("contact.none_hint", key="F2")
        elif mode == "logged-out":
            title = words("connection.connecting")
        else:
            title = words.state(mode)
        top = max(0, height // 2 - 2)
        return Group(
            *(Text("") for _ in range(top)),
            Text(fit(title, width), f"bold {looks.DIM}", justify="center"),
            Text(fit(hint, width), looks.FAINT, justify="center"),
        )

    def _peer(self, peer: tuple[str, str]) -> str:
        number, name = peer
        shown = f"{name if name != number else ''}  {spaced_number(number)}".strip()
        return shown or self.words("contact.withheld")

    def _direct_ring(self, width: int, height: int) -> RenderableType:
        words = self.words
        keys = words("contact.direct_keys", answer="F5", refuse="F8")
        caller = words("contact.direct_ring", caller=self._peer(self.state.phone.rings_from))
        return Group(
            *(Text("") for _ in range(max(0, height // 2 - 2))),
            Text(fit(caller, width), f"bold {looks.TEXT}", justify="center"),
            Text(fit(words("contact.direct"), width), looks.DIM, justify="center"),
            Text(fit(keys, width), f"bold {looks.AMBER}", justify="center"),
        )

    # --- parts of the card ---

    def _headline(self, pop: ScreenPop, width: int) -> list[Text]:
        words, state = self.words, self.state
        parts = [pop.queue_title or pop.queue or words("contact.direct")]
        if pop.outbound is not None:
            parts = outbound_rows.headline(pop.outbound, words)
        if pop.call_back_of is not None:
            parts.insert(0, words("contact.call_back"))
        if pop.waited_s >= 1:
            parts.append(words("contact.waited", time=clock(pop.waited_s)))
        if pop.called and pop.outbound is None:
            parts.append(words("contact.called", number=spaced_number(pop.called)))
        if pop.late and self.state.preview is None:  # before a preview nothing has rung
            parts.append(words("contact.late"))
        line = Text(fit("  ·  ".join(parts), width), looks.DIM)
        rows = [line]
        rows[:0] = self._parties(width)
        call = self._call_line(width)
        if call is not None:
            rows.insert(0, call)
        if state.phone.ringing is not None and state.mode not in OFFERED:
            caller = words("contact.direct_ring", caller=self._peer(state.phone.rings_from))
            rows.insert(0, Text(fit(f"☎ {caller}", width), f"bold {looks.AMBER}"))
        return rows

    def _parties(self, width: int) -> list[Text]:
        """Who else is on the call."""
        interaction = self.state.interaction
        return [
            Text(
                fit(f"+ {self.words(f'party.{party.state}', who=party.number)}", width),
                f"bold {looks.AMBER}" if party.state in ASKED else f"bold {looks.BLUE}",
            )
            for party in (interaction.parties if interaction is not None else ())
        ]

    def _call_line(self, width: int) -> Text | None:
        words, state = self.words, self.state
        preview = state.preview
        if preview is not None and preview.step == READING:
            return outbound_rows.reading_line(preview, words, self.now(), width)
        if preview is not None and shown_step(preview) and state.phone.ringing is None:
            return outbound_rows.under_way_line(preview, words, self.now(), width)
        if state.mode in OFFERED:
            if state.phone.stage is PhoneStage.EXTERNAL:
                text = words("contact.answer_external")
            elif state.phone.ringing is not None:
                text = words("contact.answer", key="F5")
            else:
                text = words.state("ringing") + " …"
            text = fit(text, width - 4)
            return Text(f"  {text}  ", f"bold {looks.BACKGROUND} on {looks.AMBER}")
        if state.mode == "wrap-up":
            return self._wrap_up_line(width)
        interaction = state.interaction
        if interaction is None:
            return None
        line = Text()
        colour = looks.STAGE_COLOURS.get(interaction.stage, looks.BLUE)
        stage = words.get(f"stage.{interaction.stage}", interaction.stage)
        line.append(f"{stage} {clock(self.now() - shown_since(interaction))}", f"bold {colour}")
        if interaction.stage == "held" and interaction.answered is not None:
            talk = words("contact.talk_time", time=clock(self.now() - interaction.answered))
            line.append(f"   {talk}", looks.DIM)
        if interaction.muted:
            line.append(f"   ● {words('contact.muted')}", f"bold {looks.RED}")
        if interaction.recorded:
            line.append(f"   ● {words('contact.recorded')}", looks.RED)
        if interaction.mos is not None:
            colour = looks.RED if interaction.mos < _POOR else looks.DIM
            line.append(f"   {words('contact.sound', mos=f'{interaction.mos:.1f}')}", colour)
        line.append_text(self._outcome())
        return line

    def _wrap_up_line(self, width: int) -> Text:
        words, agent = self.words, self.state.agent
        until = agent.until if agent is not None else None
        if until is None:
            text = words("contact.wrap_up_open")
        else:
            text = words("contact.wrap_up_left", time=clock(until - self.now() + 0.999))
        line = Text.assemble((fit(text, width), f"bold {looks.TEAL}"))
        line.append_text(self._outcome())
        return line

    def _outcome(self) -> Text:
        words, state = self.words, self.state
        code = state.disposition
        if code is None:
            return Text(f"   {words('contact.disposition_missing')}", looks.FAINT)
        title = self._titles.get(code, code)
        return Text(f"   {words('contact.disposition')}: {title}", looks.GREEN)

    def _customer(self, pop: ScreenPop, width: int) -> list[Text]:
        words = self.words
        number = spaced_number(pop.caller_number) or words("contact.withheld")
        if pop.outbound is not None:
            number = outbound_rows.number_there(pop.outbound, words, self.now())
            if pop.customer is None and not pop.candidates:
                title = pop.outbound.name or words("contact.unknown")
                return [Text(fit(title, width), f"bold {looks.TEXT}"), Text(fit(number, width))]
        if pop.customer is None:
            if pop.lookup_failed:
                title, hint = words("contact.lookup_failed"), ""
            elif pop.candidates:
                title = words("contact.several", count=len(pop.candidates))
                hint = words("contact.several_hint", key="Ctrl+K")
            else:
                title, hint = words("contact.unknown"), words("contact.unknown_hint", key="Ctrl+K")
            caller = f"{number}  {pop.caller_name}".strip()
            rows = [
                self._vouched(Text(fit(caller, width), f"bold {looks.TEXT}"), width),
                Text.assemble((fit(title, width), looks.AMBER), ("  " + hint, looks.FAINT)),
            ]
            names = [f"{each.name}  {each.company}".strip() for each in pop.candidates]
            return rows + [Text(fit(f"  {name}", width), looks.TEXT) for name in names[:4]]
        customer = pop.customer
        name = Text.assemble((fit(customer.name, width), f"bold {looks.TEXT}"))
        extras = [customer.company, customer.tier]
        if customer.language:
            extras.append(words("customer.language", language=customer.language))
        tail = "  ·  ".join(filter(None, extras))
        name.append(fit(f"   {tail}", max(0, width - name.cell_len)), looks.DIM)
        points = [number]
        points += [
            f"{spaced_number(each.value)} {each.label}".strip()
            for each in customer.contact_points
            if each.value != pop.caller_number
        ]
        known = Text(fit("  ·  ".join(points), width), looks.DIM)
        rows = [name, self._vouched(known, width)]
        if customer.remarks:
            rows.append(self._labelled("contact.remark", customer.remarks, width, looks.AMBER))
        return rows

    def _vouched(self, line: Text, width: int) -> Text:
        """Behind the number: whether it is the caller's own, where a trunk asks for signatures."""
        interaction = self.state.interaction
        verstat = interaction.verstat if interaction is not None else ""
        if interaction is None or not verstat:
            return line
        text = self.words.get(f"verstat.{verstat}", verstat)
        if interaction.attestation:
            text += f" ({interaction.attestation})"
        colour = looks.VERSTAT_COLOURS.get(verstat, looks.DIM)
        mark = Text("   " + text, colour)
        line.truncate(max(0, width - mark.cell_len), overflow="ellipsis")
        line.append_text(mark)
        return line

    def _facts(self, pop: ScreenPop, width: int) -> list[Text]:
        rows = []
        if pop.facts and pop.outbound is None:
            facts = "  ".join(
                value if name == "menu" else f"{name}: {value}" for name, value in pop.facts.items()
            )
            rows.append(self._labelled("contact.menu", facts, width))
        why = self._why(pop)
        if pop.outbound is not None:
            promise = outbound_rows.promise(pop.outbound, self.words, self.now())
            if promise:
                rows.append(self._labelled("outbound.promised", promise, width, looks.AMBER))
            rows += outbound_rows.why(pop.outbound, self.words, width, _LABEL_CELLS)
        elif why:
            rows.append(self._labelled("contact.why", why, width))
        return rows

    def _why(self, pop: ScreenPop) -> str:
        """In this screen's language; a rule it has no words for in those of the server."""
        words, chosen = self.words, pop.chosen
        if chosen is None or not words.get(f"why.{chosen.rule}", ""):
            return pop.why
        skills = (words("why.skill", skill=s, level=level) for s, level in chosen.skills.items())
        return words(f"why.{chosen.rule}", time=clock(chosen.idle_s)) + "".join(skills)

    def _notes(self, width: int, most: int) -> list[Text]:
        notes = self.state.notes[-most:]
        return [self._labelled("contact.notes", note.text, width) for note in notes]

    def _before(self, pop: ScreenPop, width: int, room: int) -> list[RenderableType]:
        """What happened before: the customer's contacts; of who has none, the calls of its record."""
        words, customer = self.words, pop.customer
        if customer is not None and customer.recent:
            lines = [self._past(past) for past in customer.recent]
            return self._history(words("contact.recent"), lines, width, room)
        if pop.outbound is not None and pop.outbound.recent:
            titles = self._titles
            lines = outbound_rows.past_calls(pop.outbound, words, self.now(), titles)
            return self._history(words("outbound.recent"), lines, width, room)
        return self._history(words("contact.first"), [], width, room) if customer else []

    @staticmethod
    def _history(head: str, lines: list[list[str]], width: int, room: int) -> list[RenderableType]:
        """When, outcome, note, who, how long; newest first."""
        rows: list[RenderableType] = [Text(""), Text(head, f"bold {looks.FAINT}")]
        if not lines or room < 3:
            return rows
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(no_wrap=True, style=looks.DIM)
        table.add_column(no_wrap=True, style=looks.TEXT)
        table.add_column(no_wrap=True, ratio=1, style=looks.TEXT, overflow="ellipsis")
        if width >= 60:
            table.add_column(no_wrap=True, style=looks.FAINT)
            table.add_column(no_wrap=True, style=looks.FAINT, justify="right")
        for cells in lines[: room - 2]:
            table.add_row(*(cells if width >= 60 else cells[:3]))
        return [*rows, table]

    @property
    def _titles(self) -> dict[str, str]:
        """Outcomes in this screen's language, by code."""
        title = self.words.title
        return {each.code: title(each.title, each.code) for each in self.state.dispositions}

    def _past(self, past: PastInteraction) -> list[str]:
        outcome = past.disposition or ""
        return [
            day_and_time(past.at, self.now()),
            self._titles.get(outcome, outcome),
            past.note or self._what_happened(past),
            past.agent_name or past.queue or "",
            clock(past.talked_s) if past.talked_s else "",
        ]

    def _what_happened(self, past: PastInteraction) -> str:
        key = f"past.{past.result or 'open'}"
        if not self.words.get(key, ""):
            return past.summary
        return self.words(key, waited=clock(past.waited_s))

    def _labelled(self, key: str, value: str, width: int, colour: str = looks.TEXT) -> Text:
        label = self.words(key)
        text = Text(label, looks.FAINT)
        text.append(" " * max(1, _LABEL_CELLS - text.cell_len))
        text.append(fit(value, width - text.cell_len), colour)
        return text
