"""A real gateway process, real sockets, real time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import (
    NO_SUCH_RECORDING,
    AddLeg,
    ConfigureLeg,
    DigitReceived,
    Gain,
    GatewayStats,
    GetStats,
    LegFailed,
    LegRemoved,
    Play,
    PlayerFinished,
    PortsReserved,
    Prompt,
    RecordingFailed,
    RecordingFinished,
    RemoveLeg,
    ReservePorts,
    SendDigits,
    SetGains,
    StartRecording,
    StopRecording,
    Tone,
)
from switch.ids import LegId, PlayerId, RecordingId
from tests.kit.patience import PATIENCE_S
from tests.kit.ports import free_row
from tests.switch.gateway.house import House, Notes, Phone, child_command, talk, until
from tests.switch.rtp.single import RtpPacket

CALLER, AGENT = LegId("caller"), LegId("agent")
BRIDGE = SetGains(gains=(Gain(listener=CALLER, source=AGENT), Gain(listener=AGENT, source=CALLER)))


async def two_phones(house: House) -> tuple[Phone, Phone]:
    caller = await house.phone("caller", 500)
    agent = await house.phone("agent", 700, codec="PCMA")
    house.client.send(BRIDGE)
    await asyncio.sleep(0.1)
    return caller, agent


async def test_a_call_from_bridge_to_statistics(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        caller, agent = await two_phones(house)
        house.client.send(
            StartRecording(
                recording=RecordingId("r"), path=str(tmp_path / "r"), left=(CALLER,), right=(AGENT,)
            )
        )
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        await talk([caller, agent], 0.4)
        for _ in range(3):
            stranger.sendto(b"\x80\x00" + bytes(170), ("127.0.0.1", caller.gateway_port))
        stranger.close()
        await talk([caller, agent], 0.4)
        assert caller.hears(700)
        assert not caller.hears(500)
        assert agent.hears(500)
        assert not agent.hears(700)

        for end in (False, True, True, True):
            payload = bytes((5, 0x8A if end else 0x0A)) + (800).to_bytes(2)
            packet = RtpPacket(
                payload_type=101, sequence=caller._frame, timestamp=999, ssrc=1, payload=payload
            )
            caller.send(packet.to_bytes())
        digit = await house.notes.wait(DigitReceived)
        assert (digit.leg, digit.digit, digit.duration_ms) == (CALLER, "5", 100)

        house.client.send(StopRecording(recording=RecordingId("r")))
        finished = await house.notes.wait(RecordingFinished)
        assert finished.duration_ms >= 700
        house.client.send(RemoveLeg(leg=CALLER))
        house.client.send(RemoveLeg(leg=AGENT))
        removed = await house.notes.wait(LegRemoved)
        assert removed.leg == CALLER
        assert removed.stats.packets_received >= 40
        assert removed.stats.packets_sent >= 38
        assert removed.stats.packets_lost == 0
        assert removed.stats.packets_stray == 3
        assert removed.stats.jitter_ms < 20
        caller.close()
        agent.close()
    assert house.lost == []
    assert not (tmp_path / "gateway.sock").exists()


async def test_sound_goes_on_without_the_call_agent_and_the_next_one_is_told(
    tmp_path: Path,
) -> None:
    async with House(tmp_path) as house:
        caller, agent = await two_phones(house)
        gateway = house.ready[0]
        music = Play(
            player=PlayerId("m"),
            items=(Tone(frequencies_hz=(400.0,), duration_ms=1000),),
            loop=True,
        )
        house.client.send(music)
        house.client.send(
            StartRecording(recording=RecordingId("r"), path=str(tmp_path / "r"), left=(CALLER,))
        )
        await talk([caller, agent], 0.2)
        promised = house.client.take_port()  # told to a peer, and the gateway never heard of it
        house.client.close()
        await talk([caller, agent], 0.5)
        assert caller.hears(700)
        assert agent.hears(500)
        # What happens meanwhile is kept for the next call agent.
        caller.send(
            RtpPacket(
                payload_type=101, sequence=1, timestamp=9, ssrc=1, payload=b"\x03\x8a\x03\x20"
            ).to_bytes()
        )
        await asyncio.sleep(0.1)

        notes = Notes()
        client = GatewayClient(on_event=notes.add, on_lost=lambda why: None)
        welcome = await client.connect(tmp_path / "gateway.sock")
        assert welcome.gateway == gateway
        assert set(welcome.legs) == {CALLER, AGENT}
        assert welcome.players == ("m",)
        assert welcome.recordings == ("r",)
        assert (await notes.wait(DigitReceived)).digit == "3"
        # It can make the leg that the other died over,
        client.claim_port(promised)
        late = Phone(promised, 900, 0)
        client.send(AddLeg(leg=LegId("late"), port=promised))
        client.send(
            ConfigureLeg(
                leg=LegId("late"),
                remote_address="127.0.0.1",
                remote_port=late.port,
                codec="PCMU",
                payload_type=0,
            )
        )
        client.send(SetGains(gains=(Gain(listener=LegId("late"), source=LegId("late")),)))
        await talk([late], 0.5)
        assert late.hears(900)
        late.close()
        assert promised not in {client.take_port() for _ in range(64)}
        # and end what the other began.
        client.send(RemoveLeg(leg=CALLER))
        await notes.wait(LegRemoved)
        client.close()
        caller.close()
        agent.close()
    assert (tmp_path / "r.count").exists()  # closed at the end of the process


async def test_a_gateway_that_dies_is_reported_and_replaced(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        first = house.process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(house.ready) == 2)
        assert len(house.lost) == 1
        assert house.ready[0] != house.ready[1]
        assert house.process.pid != first
        assert house.client.take_port()
        phone = await house.phone("new", 500)
        house.client.send(SetGains(gains=(Gain(listener=LegId("new"), source=LegId("new")),)))
        await talk([phone], 0.5)
        assert phone.hears(500)
        phone.close()
    assert house.process.pid is None


async def test_a_gateway_that_hangs_is_given_up_and_replaced(tmp_path: Path) -> None:
    async with House(tmp_path, patience_s=1.6) as house:
        first = house.process.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        await until(lambda: len(house.ready) == 2)
        assert len(house.lost) == 1
        assert house.process.pid != first


async def test_a_gateway_without_a_call_agent_ends_by_itself(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(*child_command(tmp_path, linger_s=0.5))
    client = GatewayClient(on_event=lambda event: None, on_lost=lambda why: None)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.connect(tmp_path / "gateway.sock")
                break
            except MediaUnavailableError:
                await asyncio.sleep(0.05)
    client.send(
        StartRecording(recording=RecordingId("r"), path=str(tmp_path / "r"), left=(), right=())
    )
    await asyncio.sleep(0.8)
    assert process.returncode is None
    client.close()
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0
    assert int((tmp_path / "r.count").read_text()) > 0


async def test_a_terminated_gateway_closes_its_recordings(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.client.send(
            StartRecording(recording=RecordingId("r"), path=str(tmp_path / "r"), left=())
        )
        await asyncio.sleep(0.3)
        pid = house.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)  # the terminal's Ctrl-C is not for the gateway
        await asyncio.sleep(0.1)
        assert house.process.pid == pid
        os.kill(pid, signal.SIGTERM)
        assert (await house.notes.wait(RecordingFinished)).recording == "r"


async def test_who_asks_again_is_told_again_how_a_recording_ended(tmp_path: Path) -> None:
    recording = RecordingId("r")
    async with House(tmp_path) as house:
        house.client.send(StartRecording(recording=recording, path=str(tmp_path / "r"), left=()))
        house.client.send(StopRecording(recording=recording))
        house.client.send(StopRecording(recording=recording))  # is being closed: one answer
        told = await house.notes.wait(RecordingFinished)
        house.client.send(StopRecording(recording=recording))
        house.client.send(StopRecording(recording=recording))
        assert (await house.notes.wait(RecordingFailed)).reason == NO_SUCH_RECORDING
        ends = [event for event in house.notes.events if isinstance(event, RecordingFinished)]
        assert ends == [told, told]


async def test_prompts_are_played_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "hello.ulaw").write_bytes(bytes(range(160)) * 10)
    async with House(tmp_path) as house:
        phone = await house.phone("caller", 500)
        house.client.send(
            Play(
                player=PlayerId("p"),
                items=(Prompt(name="en/hello"), Prompt(name="no")),
                listeners=(CALLER,),
            )
        )
        await talk([phone], 0.5)
        finished = await house.notes.wait(PlayerFinished)
        assert (finished.played_ms, finished.missing) == (200, ("no",))
        assert [p.payload for p in phone.packets].count(bytes(range(160))) == 10
        phone.close()


async def test_digits_are_sent(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        phone = await house.phone("caller", 500)
        await talk([phone], 0.1)
        house.client.send(SendDigits(leg=CALLER, digits="42"))
        await talk([phone], 0.6)
        events = [p.payload[0] for p in phone.packets if p.payload_type == 101]
        assert events == [4] * 7 + [2] * 7
        phone.close()


async def test_wrong_commands_are_answered_and_disturb_nothing(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        caller, agent = await two_phones(house)
        send = house.client.send
        send(RemoveLeg(leg=LegId("nobody")))
        send(SetGains(gains=(Gain(listener=CALLER, source=LegId("ghost")),)))
        send(SendDigits(leg=CALLER, digits="1" * 20, duration_ms=2**63))
        send(StartRecording(recording=RecordingId("r"), path="relative", left=()))
        items = (Tone(frequencies_hz=(1e308, float("nan")), duration_ms=2**62),)
        send(Play(player=PlayerId("p"), items=items))
        await house.notes.wait(LegFailed, lambda e: e.leg == "nobody")
        await house.notes.wait(LegFailed, lambda e: e.leg == CALLER and "ghost" in e.reason)
        await house.notes.wait(RecordingFailed, lambda e: "absolute" in e.reason)
        await talk([caller, agent], 0.5)
        assert agent.hears(500)
        caller.close()
        agent.close()


def port_came(client: GatewayClient, ports: list[int]) -> bool:
    """Whether a port could be taken; it stands in `ports` then."""
    with suppress(MediaUnavailableError):
        ports.append(client.take_port())
    return bool(ports)


async def test_ports_are_used_up_given_back_and_rest(tmp_path: Path) -> None:
    first = free_row(12)
    second, last = first + 2, first + 10
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", second))
    command = child_command(tmp_path, ports=(first - 1, last + 1))
    async with House(tmp_path, command, ports_ahead=16) as house:
        ports: list[int] = []
        await until(lambda: port_came(house.client, ports) and len(ports) == 5)
        assert sorted(ports) == [first, *range(second + 2, last + 1, 2)]
        with pytest.raises(MediaUnavailableError):
            house.client.take_port()
        taken.close()
        ports.clear()
        await until(lambda: port_came(house.client, ports))
        assert ports == [second]


async def test_a_gateway_whose_first_ports_are_somebody_elses_is_ready_with_others(
    tmp_path: Path,
) -> None:
    """It looks at some hundred ports at a time: the first requests find none."""
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(1200)]
    neighbours = []
    try:
        for index, other in enumerate(others):
            try:
                other.bind(("127.0.0.1", 12_000 + 2 * index))
            except OSError:  # just as good, but it may be given back meanwhile
                neighbours.append(12_000 + 2 * index)
        command = child_command(tmp_path, ports=(12_000, 15_998))
        async with House(tmp_path, command, ports_ahead=16) as house:
            port = house.client.take_port()
        assert port >= 14_400 or port in neighbours
        assert len(neighbours) < 200
    finally:
        for other in others:
            other.close()


async def test_many_ports_are_there_soon_while_legs_talk(tmp_path: Path) -> None:
    """Eight come at a time: by the tick, these would take thirty ticks."""
    first = free_row(300)
    command = child_command(tmp_path, ports=(first, first + 600))
    async with House(tmp_path, command) as house:
        caller, agent = await two_phones(house)
        house.client.send(GetStats())
        before = await house.notes.wait(GatewayStats, lambda s: s.legs == 2)
        house.client.send(ReservePorts(count=240))
        await house.notes.wait(PortsReserved, lambda reserved: len(reserved.ports) == 240)
        house.notes.events.clear()
        house.client.send(GetStats())
        after = await house.notes.wait(GatewayStats, lambda s: s.legs == 2)
        assert 0 < after.ticks - before.ticks < 25
        caller.close()
        agent.close()


async def test_the_gateway_says_how_it_is(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        caller, agent = await two_phones(house)
        await talk([caller, agent], 1.2)
        stats = await house.notes.wait(GatewayStats, lambda s: s.legs == 2)
        assert stats.ports_free > 100
        stats = await house.notes.wait(GatewayStats, lambda s: s.packets_received > 20)
        assert stats.ticks > 10
        assert stats.packets_sent > 20
        caller.close()
        agent.close()


async def test_a_command_that_starts_nothing_is_an_error_and_leaves_no_child(
    tmp_path: Path,
) -> None:
    client = GatewayClient(on_event=lambda event: None, on_lost=lambda why: None)
    for command in ([str(tmp_path / "missing")], ["/bin/false"]):
        process = GatewayProcess(
            command, tmp_path / "gateway.sock", client,
            on_ready=lambda welcome: None, on_lost=lambda why: None,
        )  # fmt: skip
        with pytest.raises(MediaUnavailableError):
            await process.start()
        assert process.pid is None
        await process.stop()
