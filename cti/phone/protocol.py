"""What the desk and its phone say to each other: one JSON object a line.

Commands go down to the child's standard input, events come up from its standard output. A call is
named by whoever starts it: the parent chooses `call` for `Dial`, the child for `Incoming`. An
order that makes no sense (an unknown call, a digit before the answer) is answered with `Failed`.
"""

from __future__ import annotations

from typing import Final

import msgspec

MAX_LINE: Final = 64 * 1024
"""Longest line either side accepts, in octets."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t"):
    """Base of all messages; `t` on the wire tells which."""


# --- commands -----------------------------------------------------------------------------------


class Register(_Message, frozen=True, tag="register"):
    """Be this number at this registrar, and stay so."""

    user: str
    password: str
    host: str
    port: int = 5060
    transport: str = "udp"
    """`udp`, `tcp` or `tls`; baresip knows `ws` and `wss` as well."""
    expires_s: int = 120

    def __repr__(self) -> str:
        """Leave the password out, since commands may be logged."""
        return f"Register({self.user}@{self.host}:{self.port};{self.transport})"


class Unregister(_Message, frozen=True, tag="unregister"):
    """Give the number up; answered with `Unregistered`."""


class Dial(_Message, frozen=True, tag="dial"):
    """Call a number at the registrar, or any `sip:` URI."""

    call: str
    target: str
    headers: dict[str, str] = {}


class Answer(_Message, frozen=True, tag="answer"):
    """Answer with 200."""

    call: str


class Reject(_Message, frozen=True, tag="reject"):
    """Refuse an incoming call. baresip always says 486, whatever `status` asks for."""

    call: str
    status: int = 486


class HangUp(_Message, frozen=True, tag="hang_up"):
    """End a call at any stage; an incoming one that rings is refused."""

    call: str


class Hold(_Message, frozen=True, tag="hold"):
    """Put the far end on hold with a re-INVITE."""

    call: str


class Resume(_Message, frozen=True, tag="resume"):
    """Take the call off hold."""

    call: str


class Transfer(_Message, frozen=True, tag="transfer"):
    """Ask the far end's side to call a number instead of us (REFER); `Closed` follows where it did.

    With `to_call` it is connected with whom that call is with (Replaces), whatever `target` says.
    Answered with `Failed` where nothing came of it: the call goes on.
    """

    call: str
    target: str = ""
    to_call: str = ""


class SendDigits(_Message, frozen=True, tag="digits"):
    """Press keys (RFC 4733): 0 to 9, A to D, * and #."""

    call: str
    digits: str


class Tone(_Message, frozen=True, tag="tone"):
    """What the microphone hears: a sine, on all calls. Without sound devices only."""

    hz: float = 440.0
    level: int = 8000
    """Peak of the sine, 0 (silence) to 32767."""


class Capture(_Message, frozen=True, tag="capture"):
    """Write what is heard to a WAV file: mono, 16 bit, 8 kHz."""

    call: str
    path: str


class StopCapture(_Message, frozen=True, tag="stop_capture"):
    """Finish the file; answered with `Captured`."""

    call: str


class Quit(_Message, frozen=True, tag="quit"):
    """Hang up, unregister, end the process. The end of input means the same."""


Command = (
    Register
    | Unregister
    | Dial
    | Answer
    | Reject
    | HangUp
    | Hold
    | Resume
    | Transfer
    | SendDigits
    | Tone
    | Capture
    | StopCapture
    | Quit
)


# --- events -------------------------------------------------------------------------------------


class Ready(_Message, frozen=True, tag="ready"):
    """The user agent runs."""

    backend: str
    version: str
    audio: str
    """`device`, or `none` where no sound device was wanted or found."""
    port: int
    """Local SIP port."""


class Registered(_Message, frozen=True, tag="registered"):
    """The registrar took it. Sent again at each refresh."""

    expires_s: int


class RegistrationFailed(_Message, frozen=True, tag="registration_failed"):
    """The registrar refused or did not answer. The user agent tries again by itself."""

    status: int
    """SIP status; 0 when nothing came back."""
    reason: str


class Unregistered(_Message, frozen=True, tag="unregistered"):
    """The number was given up."""


class Incoming(_Message, frozen=True, tag="incoming"):
    """A call arrives and rings."""

    call: str
    from_number: str
    from_name: str = ""
    headers: dict[str, str] = {}
    """Those of `SHOWN_HEADERS` that the INVITE had."""


class Ringing(_Message, frozen=True, tag="ringing"):
    """The far end rings (180, or 183 with sound)."""

    call: str


class Established(_Message, frozen=True, tag="established"):
    """Answered; sound flows."""

    call: str


class Held(_Message, frozen=True, tag="held"):
    """The call is on hold, by us or by the far end."""

    call: str
    by_far_end: bool


class Resumed(_Message, frozen=True, tag="resumed"):
    """The call is off hold."""

    call: str


class Digit(_Message, frozen=True, tag="digit"):
    """The far end pressed a key."""

    call: str
    digit: str


class Captured(_Message, frozen=True, tag="captured"):
    """The file is complete."""

    call: str
    path: str


class Closed(_Message, frozen=True, tag="closed"):
    """The call is over; the last event of this call."""

    call: str
    status: int
    """Final SIP status where the backend knows it; 200 after a normal BYE, 0 when unknown."""
    reason: str


class Failed(_Message, frozen=True, tag="failed"):
    """A command could not be carried out, or something broke without ending the phone."""

    message: str
    call: str = ""
    command: str = ""


class Died(_Message, frozen=True, tag="died"):
    """The child process is gone. Made by the parent; nothing more comes."""

    exit_code: int
    """Negative: killed by that signal."""
    last_words: str = ""


Event = (
    Ready
    | Registered
    | RegistrationFailed
    | Unregistered
    | Incoming
    | Ringing
    | Established
    | Held
    | Resumed
    | Digit
    | Captured
    | Closed
    | Failed
    | Died
)

SHOWN_HEADERS: Final = (
    "Call-Info",
    "Alert-Info",
    "X-Interaction-Id",
    "X-Call-Id",
    "P-Asserted-Identity",
)
"""Headers of an INVITE that `Incoming` passes on."""

_encoder = msgspec.json.Encoder()
_command_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: Command | Event) -> bytes:
    """One line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """Read one command; raises `msgspec.DecodeError` for anything else."""
    return _command_decoder.decode(line)


def decode_event(line: bytes) -> Event:
    """Read one event; raises `msgspec.DecodeError` for anything else."""
    return _event_decoder.decode(line)


def is_quit(commands: list[Command] | None) -> bool:
    """Whether the phone should stop now."""
    return commands is None or any(isinstance(command, Quit) for command in commands)
