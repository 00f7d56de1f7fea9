"""Who is calling: the customer, how the contact came, and what happened before."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.agent import customer_rows, outbound_rows
from cti.desk.attended import in_words
from cti.desk.outbound import READING, shown_step
from cti.desk.phone_state import PhoneStage
from cti.desk.state import ASKED, OFFERED, shown_since
from cti.desk.text import clock, fit, name_and_number, spaced_number
from cti.desk.widgets.panel import StatePanel
from cti.schema import PartyView, ScreenPop

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
        place = state.rings_for
        if place is not None:
            key = "park.rings_external" if state.phone.is_external else f"park.rings_{place.state}"
            text = fit(words(key, key="F5", slot=place.slot), width - 4)
            rows.insert(0, Text(f"  {text}  ", f"bold {looks.BACKGROUND} on {looks.AMBER}"))
        elif state.phone.ringing is not None and state.mode not in OFFERED:
            caller = words("contact.direct_ring", caller=self._peer(state.phone.rings_from))
            rows.insert(0, Text(fit(f"☎ {caller}", width), f"bold {looks.AMBER}"))
        return rows

    def _parties(self, width: int) -> list[Text]:
        """Who else is on the call, and which supervisors hear it."""
        interaction = self.state.interaction
        if interaction is None:
            return []
        rows = [self._party(party, width) for party in interaction.parties]
        attended = in_words(self.words, self.state.attended.get(interaction.interaction_id, ()))
        if attended:
            rows.append(Text(fit(f"◉ {attended}", width), f"bold {looks.AMBER}"))
        return rows

    def _party(self, party: PartyView, width: int) -> Text:
        who = name_and_number(party.name, party.number)
        colour = looks.AMBER if party.state in ASKED else looks.BLUE
        return Text(
            fit(f"+ {self.words(f'party.{party.state}', who=who)}", width), f"bold {colour}"
        )

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
        if interaction.recording_failed:
            line.append(f"   ✗ {words('contact.not_recorded')}", f"bold {looks.RED}")
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
        points = [number]
        points += [
            f"{spaced_number(each.value)} {each.label}".strip()
            for each in customer.contact_points
            if each.value != pop.caller_number
        ]
        known = Text(fit("  ·  ".join(points), width), looks.DIM)
        name = customer_rows.name_line(customer, words, width)
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
            rows += outbound_rows.why(pop.outbound, self.words, width, customer_rows.LABEL_CELLS)
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
            lines = customer_rows.past_contacts(customer, words, self.now(), self._titles)
            return customer_rows.history(words("contact.recent"), lines, width, room)
        if pop.outbound is not None and pop.outbound.recent:
            lines = outbound_rows.past_calls(pop.outbound, words, self.now(), self._titles)
            return customer_rows.history(words("outbound.recent"), lines, width, room)
        return customer_rows.history(words("contact.first"), [], width, room) if customer else []

    @property
    def _titles(self) -> dict[str, str]:
        return customer_rows.outcome_titles(self.state.dispositions, self.words)

    def _labelled(self, key: str, value: str, width: int, colour: str = looks.TEXT) -> Text:
        return customer_rows.labelled(self.words(key), value, width, colour)
