"""The control protocol between call agent and media gateway.

Messages are MessagePack maps with a `t` tag, each in a frame of a four-octet big-endian length
and that many octets. Both sides stream; nobody waits for a reply: the gateway answers with events
that carry the ids of what they concern. Ids are chosen by the call agent, so a command can refer
to what an earlier one created without a round trip, and a call agent that comes back after a
restart recognises its legs in `Welcome`.

The whole state of the sound is: legs, players, and the gains from sources (legs and players) to
legs. A bridge, a conference, hold music, monitoring and an echo are gains and nothing else; an echo
is a leg's gain to itself.

Versioning: `VERSION` changes when a field changes meaning. Fields may be added with defaults
within a version; unknown fields are ignored by both sides.
"""

from __future__ import annotations

from typing import Final

from switch.gateway.figures import GatewayStats as GatewayStats
from switch.gateway.figures import LegStats as LegStats
from switch.gateway.leg_keys import Dtls as Dtls
from switch.gateway.leg_keys import Ice as Ice
from switch.gateway.leg_keys import SrtpKeys as SrtpKeys
from switch.gateway.message import Message as Message
from switch.gateway.play_items import PlayItem as PlayItem
from switch.gateway.play_items import Prompt as Prompt
from switch.gateway.play_items import Silence as Silence
from switch.gateway.play_items import Tone as Tone
from switch.ids import LegId, PlayerId, RecordingId

VERSION: Final = 1

MAX_FRAME_OCTETS: Final = 1 << 20
"""A longer frame is a protocol error and ends the connection."""


# --- commands: call agent to gateway ------------------------------------------------------------


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """First message of a connection. Another version than the gateway's is refused with `Refused`."""

    version: int = VERSION
    recordings: str = ""
    """The call agent's folder of recordings, for a gateway that has one of its own."""


class ReservePorts(Message, frozen=True, kw_only=True, tag="reserve_ports"):
    """Open `count` RTP sockets ahead, so that an answer needs no round trip. Answer: `PortsReserved`."""

    count: int


class AddLeg(Message, frozen=True, kw_only=True, tag="add_leg"):
    """Bind a reserved port to a new leg. The leg hears and sends nothing until `ConfigureLeg`."""

    leg: LegId
    port: int
    """One of the ports in an earlier `PortsReserved`."""


class ConfigureLeg(Message, frozen=True, kw_only=True, tag="configure_leg"):
    """Set or change where a leg's RTP goes and how it is coded: after each answer or re-INVITE."""

    leg: LegId
    remote_address: str
    remote_port: int
    codec: str
    """Encoding name: `PCMU`, `PCMA`, `G722` or `OPUS`."""
    payload_type: int
    telephone_event_payload_type: int | None = None
    """Payload type of RFC 4733 events that the peer is sent; None: not agreed."""
    send: bool = True
    """False while the peer asked for `recvonly`-less directions (it does not want to hear)."""
    receive: bool = True
    """False while the peer does not send; then silence from it is no `RtpTimeout`."""
    rtcp: bool = False
    """Exchange RTCP."""
    rtcp_mux: bool = False
    """It goes where RTP goes (RFC 5761); else from the next port to the address below."""
    rtcp_address: str = ""
    """Empty: the address of RTP."""
    rtcp_port: int = 0
    """0: the port after that of RTP."""
    telephone_event_clock_rate: int = 8000
    """Hz."""
    max_bitrate: int = 0
    """Bits a second that the peer wants to be sent at most (Opus); 0: it does not say."""
    use_fec: bool = False
    """The peer makes use of forward error correction (Opus)."""
    digits_elsewhere: bool = False
    """What others key reaches the peer by signalling: it is sent neither events nor tones for it."""
    srtp: SrtpKeys | None = None
    """With the keys that are in use already nothing begins anew. Neither this nor `dtls`: in clear."""
    dtls: Dtls | None = None
    ice: Ice | None = None
    """Then packets go to where an authentic check came from, not to the address above."""
    received_payload_type: int | None = None
    """What the peer's packets carry; None: the same as those it is sent."""
    received_event_payload_type: int | None = None


class RemoveLeg(Message, frozen=True, kw_only=True, tag="remove_leg"):
    """Close the leg and all gains from and to it. Answer: `LegRemoved` with its statistics."""

    leg: LegId


class Gain(Message, frozen=True, kw_only=True, tag="gain", array_like=True):
    """One entry of the gain matrix: `listener` hears `source` multiplied by `gain`; 0 removes it."""

    listener: LegId
    source: LegId | PlayerId
    gain: float = 1.0


class SetGains(Message, frozen=True, kw_only=True, tag="set_gains"):
    """Change entries of the gain matrix, all at the same tick."""

    gains: tuple[Gain, ...]


class Play(Message, frozen=True, kw_only=True, tag="play"):
    """Start a player and let `listeners` hear it. Answer: `PlayerFinished` unless it loops."""

    player: PlayerId
    items: tuple[PlayItem, ...]
    listeners: tuple[LegId, ...] = ()
    loop: bool = False


class StopPlayer(Message, frozen=True, kw_only=True, tag="stop_player"):
    """Stop and remove a player. Answer: `PlayerFinished` with `stopped`. Unknown players: ignored."""

    player: PlayerId


class SendDigits(Message, frozen=True, kw_only=True, tag="send_digits"):
    """Send digits to a leg's peer as RFC 4733 events."""

    leg: LegId
    digits: str
    """Of `0-9 * # A-D`."""
    duration_ms: int = 100
    gap_ms: int = 60


class WatchSound(Message, frozen=True, kw_only=True, tag="watch_sound"):
    """Tell what the sound that a leg's peer sends is like. Answer: `SoundFeatures`, until it is off."""

    leg: LegId
    on: bool = True


class StartRecording(Message, frozen=True, kw_only=True, tag="start_recording"):
    """Start a stereo recording of what `left` and `right` send into the switch."""

    recording: RecordingId
    path: str
    """Absolute path of the file to be, without suffix; its folder is made by the recorder."""
    left: tuple[LegId, ...]
    """Legs mixed into the left channel: the customer."""
    right: tuple[LegId, ...] = ()
    """Legs mixed into the right channel: the agent. May be empty for a time."""


class SetRecordingLegs(Message, frozen=True, kw_only=True, tag="set_recording_legs"):
    """Change the legs that feed a running recording: consult, transfer, second agent."""

    recording: RecordingId
    left: tuple[LegId, ...]
    right: tuple[LegId, ...]


NO_SUCH_RECORDING: Final = "no-such-recording"


class StopRecording(Message, frozen=True, kw_only=True, tag="stop_recording"):
    """End a recording. Answer: `RecordingFinished` or `RecordingFailed`, which can be asked for again, once.

    `RecordingFailed(NO_SUCH_RECORDING)`: nothing is known of it.
    """

    recording: RecordingId


class LookForPrompts(Message, frozen=True, kw_only=True, tag="look_for_prompts"):
    """Ask which of these prompts do not exist. Answer: `PromptsMissing`."""

    names: tuple[str, ...]


class GetStats(Message, frozen=True, kw_only=True, tag="get_stats"):
    """Ask for `GatewayStats` now; the gateway also sends them every second by itself."""


class Shutdown(Message, frozen=True, kw_only=True, tag="shutdown"):
    """Close all recordings and end the process."""


Command = (
    Hello
    | ReservePorts
    | AddLeg
    | ConfigureLeg
    | RemoveLeg
    | SetGains
    | Play
    | StopPlayer
    | SendDigits
    | WatchSound
    | StartRecording
    | SetRecordingLegs
    | StopRecording
    | LookForPrompts
    | GetStats
    | Shutdown
)


# --- events: gateway to call agent --------------------------------------------------------------


class Refused(Message, frozen=True, kw_only=True, tag="refused"):
    """The connection cannot be used; the gateway closes it."""

    reason: str


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """Answer to `Hello`: who I am and what is still running here."""

    version: int
    gateway: str
    """Unique per gateway process; another value means that all legs of the old one are gone."""
    pid: int
    rtp_address: str
    """The address to put into SDP."""
    advertise: str = ""
    """What a NAT forwards to it, to be put there instead; only of a gateway on another host."""
    dtls_fingerprint: str | None = None
    """Of its own certificate, empty: it has none; None: it has the call agent's."""
    legs: tuple[LegId, ...] = ()
    players: tuple[PlayerId, ...] = ()
    recordings: tuple[RecordingId, ...] = ()


class PortsReserved(Message, frozen=True, kw_only=True, tag="ports_reserved"):
    """RTP ports that are open and wait for `AddLeg`. Fewer than asked: the range is used up."""

    ports: tuple[int, ...]


class PromptsMissing(Message, frozen=True, kw_only=True, tag="prompts_missing"):
    """Answer to `LookForPrompts`: those that cannot be played."""

    names: tuple[str, ...]


class LegRemoved(Message, frozen=True, kw_only=True, tag="leg_removed"):
    """A leg is closed."""

    leg: LegId
    stats: LegStats


class LegQuality(Message, frozen=True, kw_only=True, tag="leg_quality"):
    """How good a leg sounds has changed noticeably; a leg that is always good is never spoken of."""

    leg: LegId
    mos: float
    """Of the last few seconds, the worse direction."""
    rtt_ms: float | None = None


class LegFailed(Message, frozen=True, kw_only=True, tag="leg_failed"):
    """A command for a leg could not be carried out; the leg may be unusable."""

    leg: LegId
    reason: str


class DigitReceived(Message, frozen=True, kw_only=True, tag="digit_received"):
    """A digit ended at a leg (RFC 4733); one event however often its packets came."""

    leg: LegId
    digit: str
    duration_ms: int


class SoundFeatures(Message, frozen=True, kw_only=True, tag="sound_features"):
    """The sound of a watched leg has changed, or it is time to tell that it has not.

    That is ten times a second while somebody speaks and until a second after, else twice a second.
    Nothing is judged: who answered is for the call agent to tell. Times count from `WatchSound`. From
    `mean_dbov` on: of the frames since the report before.
    """

    leg: LegId
    at_ms: int
    level_dbov: float
    speaking: bool
    since_ms: int
    """When this speech or silence began."""
    bursts: int
    """Bursts of speech so far, the present one included."""
    tone: str = ""
    """Recognised now: `beep`, `sit`, `fax-cng`, `fax-ced`, `ring-back` or `busy`; empty: none."""
    tone_hz: float = 0.0
    """Without a name: a tone sounds, and what it is will be seen."""
    tone_ms: int = 0
    """How long it sounded, up to now; of several tones the last."""
    floor_dbov: float = 0.0
    """The noise beneath."""
    mean_dbov: float = 0.0
    spread_db: float = 0.0
    """How far the levels of single frames lie around their mean (standard deviation)."""
    voiced: float = 0.0
    """The share of frames that have the pitch of a voice, 0 to 1."""
    voice_hz: float = 0.0
    """The mean of those pitches; 0: none."""
    crossings: float = 0.0
    """The share of samples at which the wave changes its sign: hissing is high, humming low."""
    levels: tuple[int, ...] = ()
    """Of each frame the level without its low notes, dBov; -96 where a tone sounds."""


class RtpTimeout(Message, frozen=True, kw_only=True, tag="rtp_timeout"):
    """No RTP for `silent_ms` on a leg that should receive. Sent once per silence."""

    leg: LegId
    silent_ms: int


class PlayerFinished(Message, frozen=True, kw_only=True, tag="player_finished"):
    """A player has played all its items or was stopped."""

    player: PlayerId
    played_ms: int
    stopped: bool = False
    missing: tuple[str, ...] = ()
    """Names of prompts that do not exist; they were passed over."""


class RecordingFinished(Message, frozen=True, kw_only=True, tag="recording_finished"):
    """A recording is whole on disk."""

    recording: RecordingId
    path: str
    """Absolute path of the file, with suffix."""
    duration_ms: int
    octets: int
    sha256: str


class RecordingFailed(Message, frozen=True, kw_only=True, tag="recording_failed"):
    """A recording could not be written on (disk full, no rights). What was written is kept."""

    recording: RecordingId
    reason: str


Event = (
    Refused
    | Welcome
    | PortsReserved
    | PromptsMissing
    | LegRemoved
    | LegQuality
    | LegFailed
    | DigitReceived
    | SoundFeatures
    | RtpTimeout
    | PlayerFinished
    | RecordingFinished
    | RecordingFailed
    | GatewayStats
)
