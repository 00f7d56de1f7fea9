"""From the configuration to what each package wants to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.contact import Entry
from acd.dialled_codes import PARK, PICK_UP
from acd.model import AgentId, AgentSettings, QueueName, QueueSettings, SkillNeed
from acd.pending_call_back import CallBackSettings
from acd.ports import Destination, NoRoute
from acd.ports import ToPhone as CallPhone
from acd.ports import ToTrunk as CallTrunk
from cti.park_settings import park_slots
from cti.schema import Disposition
from cti.settings import AgentSection, Settings, expand
from cti.trunk_site import emergency_of, groups_of, routes_of, trunks_of
from switch.trunks.number_plan import NumberPlan, Refused, ToEntry, ToPhone, ToTrunk
from switch.trunks.settings import (
    EntrySettings,
    NumberPlanSettings,
    PhoneRange,
    TrunkSettings,
)
from switch.trunks.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that follows from the configuration alone."""

    agents: tuple[AgentSettings, ...]
    queues: tuple[QueueSettings, ...]
    entries: Mapping[str, Entry]
    trunks: Mapping[str, TrunkSettings]
    plan: NumberPlanSettings
    call_backs: Mapping[QueueName, CallBackSettings]
    """The queues that call back whom our side cut off."""
    dispositions: tuple[Disposition, ...]
    queue_titles: dict[str, str]
    agent_names: dict[str, str]
    agent_queues: dict[str, tuple[str, ...]]


def site_of(settings: Settings) -> Site:
    """Derive all of it.

    Raises:
        SettingsError: a trunk's proxy or address makes no sense.
    """
    agents = tuple(
        agent
        for index, section in enumerate(settings.agents)
        for agent in _agents(section, f"agents[{index}]")
    )
    queues = tuple(
        QueueSettings(
            queue=QueueName(queue.name),
            title=queue.title or queue.name,
            service_level_s=queue.service_level_s,
            skills=tuple(SkillNeed(skill=k, level=v) for k, v in queue.skills.items()),
            announce_every_s=queue.announce_every_s,
            announce_first_s=queue.announce_first_s,
            max_wait_s=queue.max_wait_s,
            priority=queue.priority,
        )
        for queue in settings.queues
    )
    trunks = trunks_of(settings)
    return Site(
        agents=agents,
        queues=queues,
        entries=_entries(settings),
        trunks=trunks,
        plan=_plan(settings, trunks),
        call_backs={
            QueueName(queue.name): CallBackSettings(
                attempts=queue.call_back_attempts, pause_s=queue.call_back_pause_s
            )
            for queue in settings.queues
            if queue.call_back_when_lost
        },
        dispositions=tuple(
            Disposition(code=d.code, title={"en": d.en, "zh": d.zh or d.en})
            for d in settings.dispositions
        ),
        queue_titles={queue.queue: queue.title for queue in queues},
        agent_names={agent.agent: agent.name for agent in agents},
        agent_queues={agent.agent: tuple(agent.queues) for agent in agents},
    )


def _agents(section: AgentSection, key: str) -> list[AgentSettings]:
    return [
        AgentSettings(
            agent=AgentId(number),
            name=section.name.replace("{number}", number),
            queues=tuple(QueueName(queue) for queue in section.queues),
            skills=section.skills,
            ring_timeout_s=section.ring_timeout_s,
            wrap_up_s=section.wrap_up_s,
            static=section.static,
            retry_s=section.retry_s,
        )
        for number in expand(section.numbers, f"{key}.numbers")
    ]


def _entries(settings: Settings) -> dict[str, Entry]:
    return {
        entry.number: Entry(
            number=entry.number,
            flow=entry.flow or None,
            queue=QueueName(entry.queue) if entry.queue else None,
            record=entry.record,
            language=entry.language,
            priority=entry.priority,
        )
        for entry in settings.entries
    }


def _plan(settings: Settings, trunks: Mapping[str, TrunkSettings]) -> NumberPlanSettings:
    phones = []
    for index, section in enumerate(settings.phones):
        numbers = expand(section.numbers, f"phones[{index}].numbers")
        phones.append(PhoneRange(first=numbers[0], last=numbers[-1]))
    return NumberPlanSettings(
        entries=(
            *(EntrySettings(name=e.number, numbers=(e.number,)) for e in settings.entries),
            *_codes(settings),
        ),
        phones=tuple(phones),
        routes=routes_of(settings),
        trunks=trunks,
        groups=groups_of(settings),
        region=settings.site.region,
        blocked=settings.numbering.blocked,
        emergency=emergency_of(settings),
    )


def _codes(settings: Settings) -> list[EntrySettings]:
    """What phones dial to park, to fetch and to pick up."""
    park, slots = settings.park, park_slots(settings.park)
    codes = []
    if park.pick_up != "nobody":
        codes.append(EntrySettings(name=PICK_UP, codes=(park.pick_up_code,)))
    if slots:
        codes.append(EntrySettings(name=PARK, numbers=slots, codes=(park.code,)))
    return codes


class Routes:
    """Where a number leads; satisfies `acd.ports.Routes` and `acd.ports.CallBackRoutes`."""

    def __init__(self, plan: NumberPlan) -> None:
        self._plan = plan

    def destination(self, dialled_by: AgentId | None, number: str) -> Destination:
        """Resolve a number by the number plan, with the rights of the agent's phone."""
        found = self._plan.resolve(Source.PHONE, str(dialled_by or ""), number)
        match found:
            case ToPhone():
                return CallPhone(phone=found.number)
            case ToTrunk():
                return CallTrunk(trunk=found.trunk, number=found.number)
            case ToEntry():
                return NoRoute(reason="That number is an entry for callers; dial it with the phone")
            case Refused():
                if found.status == 403:
                    return NoRoute(reason="You may not call that number")
                return NoRoute(reason="Nobody has that number")

    def call_back(self, number: str) -> Destination:
        """Where a customer is called back who called from this number; the reason is a slug."""
        found = self._plan.call_back(number)
        match found:
            case ToPhone():
                return CallPhone(phone=found.number)
            case ToTrunk():
                return CallTrunk(trunk=found.trunk, number=found.number)
            case Refused():
                return NoRoute(reason=found.reason)
            case ToEntry():
                return NoRoute(reason="unknown-number")
