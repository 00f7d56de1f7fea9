"""The media gateways of a node: started, connected, watched and stopped, each by itself.

One that dies takes its own calls with it and is started anew; the others never notice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.flows import prompt_folders
from cti.ranges import port_range, port_shares
from cti.schema import GatewayStatus
from cti.settings import MediaSection, Settings
from cti.shared_secret import read_secret
from switch.calls.control import Calls
from switch.calls.gateways import FIRST, Gateways, Member
from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.place import TcpPlace, read_tcp
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import Event, Hello, LookForPrompts, PromptsMissing, Welcome
from switch.gateway.remote import RemoteGateway

log = logging.getLogger(__name__)

GatewayEvents = Callable[[str, Event], None]
"""Takes the name of a gateway and what it says."""


_TOLD: Final = 10
"""Missing prompts that are named."""


_LOOKED_FOR: Final = ("(not known yet)",)
"""The prompts of a gateway that was just connected."""


@dataclass(frozen=True, slots=True)
class _Remote:
    """A gateway on another machine."""

    name: str
    place: TcpPlace
    client: GatewayClient
    connection: RemoteGateway


@dataclass(frozen=True, slots=True)
class _Local:
    """A process of ours."""

    name: str
    client: GatewayClient
    process: GatewayProcess


class MediaGateways:
    """All of them. `calls` must be set before `start`."""

    calls: Calls

    def __init__(
        self,
        settings: Settings,
        data: Path,
        *,
        certificate: Path,
        on_event: GatewayEvents,
        remotes: Mapping[str, TcpPlace],
    ) -> None:
        """`certificate` is what all processes of ours show in DTLS, if they speak it.

        `remotes` are the places of the gateways on other machines, by their names.
        """
        self._settings = settings
        self._data = data
        self._certificate = certificate
        self._on_event = on_event
        media = settings.media
        self.advertised = {media.address: media.advertise} if media.advertise else {}
        """What SDP says instead of a gateway's own address."""
        shares = local_shares(media)
        self._locals = [self._local(*each) for each in enumerate(shares, 1)]
        self.local_ports = dict(zip(self.local_names, shares, strict=True))
        """The RTP ports of each gateway on this machine, first and last."""
        self._remotes = [self._remote(name, place) for name, place in remotes.items()]
        weights = {each.name: each.weight for each in settings.gateways}
        self.registry = Gateways(
            [
                *(Member(each.name, each.client) for each in self._locals),
                *(
                    Member(each.name, each.client, weight=weights[each.name], is_remote=True)
                    for each in self._remotes
                ),
            ]
        )
        self._prompts: tuple[str, ...] = ()

    @property
    def pids(self) -> dict[str, int]:
        """The processes on this machine that are connected, also those that an earlier node left."""
        return {
            each.name: welcome.pid
            for each in self._locals
            if (welcome := each.client.welcome) is not None
        }

    def view(self) -> tuple[GatewayStatus, ...]:
        """How each of them stands."""
        pids = self.pids
        places = {each.name: str(each.place) for each in self._remotes}
        return tuple(
            GatewayStatus(
                name=member.name,
                state=_state(member),
                address=member.address if member.is_connected else "",
                control=places.get(member.name, ""),
                process=member.process if member.is_connected else "",
                pid=pids.get(member.name),
                legs=member.legs,
                weight=member.weight,
                lacks=member.lacks[:_TOLD],
            )
            for member in self.registry
        )

    @property
    def why_no_calls(self) -> str:
        """In words, while new calls are refused for want of a gateway."""
        if self.registry.is_any_connected:
            return "no media gateway takes new calls; see `switchroom gateway list`"
        return "no media gateway is connected"

    @property
    def local_names(self) -> tuple[str, ...]:
        """The gateways that run on this machine, in their order."""
        return tuple(each.name for each in self._locals)

    async def start(self) -> None:
        """Start all of ours at once, or connect to those that an earlier node left; and to the others.

        Raises MediaUnavailableError when one of ours does not come up. On other machines it may be later.
        """
        if self._remotes:
            self._prompts = await asyncio.to_thread(prompt_names, self._settings)
        try:
            async with asyncio.TaskGroup() as starting:
                for remote in self._remotes:
                    starting.create_task(remote.connection.start())
                for each in self._locals:
                    starting.create_task(_started(each.process))
        except* MediaUnavailableError as group:
            raise _first(group) from None

    def leave(self) -> None:
        """Let go of those that an earlier process started: they linger for the next one."""
        for remote in self._remotes:
            remote.client.close()
        for each in self._locals:
            if each.process.pid is None:
                each.client.close()

    async def stop(self) -> None:
        """End all processes of ours; let go of the others."""
        async with asyncio.TaskGroup() as stopping:
            for remote in self._remotes:
                stopping.create_task(remote.connection.stop())
            for each in self._locals:
                stopping.create_task(each.process.stop())

    # --- inside ---------------------------------------------------------------------------------

    def _local(self, number: int, ports: tuple[int, int]) -> _Local:
        name = f"local-{number}"
        socket = self._data / ("gateway.sock" if name == FIRST else f"gateway-{number}.sock")
        client = GatewayClient(
            on_event=lambda event: self._on_event(name, event),
            on_lost=lambda detail: process.lost(detail),
            ports_ahead=self._settings.media.reserve,
        )
        process = GatewayProcess(
            self._command(socket, ports),
            socket,
            client,
            on_ready=lambda welcome: self.calls.gateway_ready(welcome, name),
            on_lost=lambda detail: self.calls.gateway_lost(detail, name),
        )
        return _Local(name, client, process)

    def _remote(self, name: str, place: TcpPlace) -> _Remote:
        client = GatewayClient(
            on_event=lambda event: self._heard(name, event),
            on_lost=lambda detail: connection.lost(detail),
            ports_ahead=self._settings.media.reserve,
        )
        connection = RemoteGateway(
            name,
            place,
            client,
            hello=Hello(recordings=str(self._data / "recordings")),
            on_ready=lambda welcome: self._remote_ready(name, client, welcome),
            on_away=lambda detail: self.calls.gateway_away(detail, name),
            on_lost=lambda detail: self.calls.gateway_lost(detail, name),
        )
        return _Remote(name, place, client, connection)

    def _remote_ready(self, name: str, client: GatewayClient, welcome: Welcome) -> None:
        member = self.registry[name]
        member.fingerprint = welcome.dtls_fingerprint
        member.lacks = _LOOKED_FOR
        if welcome.advertise:
            self.advertised[welcome.rtp_address] = welcome.advertise
        client.send(LookForPrompts(names=self._prompts))
        self.calls.gateway_ready(welcome, name)

    def _heard(self, name: str, event: Event) -> None:
        if isinstance(event, PromptsMissing):
            self.registry[name].lacks = event.names
            if event.names:
                log.error(
                    "media gateway %s takes no calls: it lacks %d prompts, such as %s; copy them there",
                    name,
                    len(event.names),
                    ", ".join(event.names[:_TOLD]),
                )
        self._on_event(name, event)

    def _command(self, socket: Path, ports: tuple[int, int]) -> Sequence[str]:
        media = self._settings.media
        command = [
            sys.executable,
            "-m",
            "cti.cli.main",
            "gateway",
            "--socket",
            str(socket),
            "--rtp-address",
            media.address,
            "--rtp-ports",
            f"{ports[0]}-{ports[1]}",
            "--rtp-timeout",
            str(media.rtp_timeout_s),
            "--linger",
            str(media.linger_s),
        ]
        if media.dtls:
            command += ["--dtls-certificate", str(self._certificate)]
        for folder in prompt_folders(self._settings):
            command += ["--prompts", str(folder)]
        return command


def remote_places(settings: Settings) -> dict[str, TcpPlace]:
    """Where gateways on other machines are, by their names. Raises SettingsError."""
    found = {}
    for index, each in enumerate(settings.gateways):
        host, port = read_tcp(each.address)
        secret = read_secret(Path(each.secret_file), f"gateways[{index}].secret_file")
        found[each.name] = TcpPlace(host, port, secret)
    return found


def prompt_names(settings: Settings) -> tuple[str, ...]:
    """All prompts that flows, queues and announcements can ask for."""
    return tuple(
        sorted(
            {
                path.relative_to(folder).as_posix().removesuffix(path.suffix)
                for folder in prompt_folders(settings)
                for path in folder.rglob("*.ulaw")
            }
        )
    )


def local_count(media: MediaSection) -> int:
    """How many gateways run on this machine; with `auto` a core is left for the call agent."""
    if media.gateways == "auto":
        return max(1, len(os.sched_getaffinity(0)) - 1)
    return media.gateways


def local_shares(media: MediaSection) -> list[tuple[int, int]]:
    """The RTP ports of each gateway on this machine. Raises SettingsError."""
    count = local_count(media)
    low, high = port_range(media.ports, "media.ports")
    return port_shares(low, high, count) if count > 1 else [(low, high)] * count


def _state(member: Member) -> str:
    if member.is_away:
        return "away"
    if not member.is_connected:
        return "down"
    if member.is_draining:
        return "draining"
    return "unfit" if member.lacks else "up"


async def _started(process: GatewayProcess) -> None:
    await process.start()


def _first(group: BaseExceptionGroup[MediaUnavailableError]) -> MediaUnavailableError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, MediaUnavailableError)
    return error
