"""Errors of the switch.

SwitchError
├── LocalProtocolError     we misused a protocol: a fault of this program
├── RemoteProtocolError    the peer did; carries the status to answer with
└── MediaUnavailableError  no gateway or no free RTP port

How a leg ended is not an error but a value: see `switch.calls.causes`.
"""


class SwitchError(Exception):
    """Base of the errors of the switch."""


class LocalProtocolError(SwitchError):
    """We tried what the protocol forbids in this state. A fault of this program."""


class RemoteProtocolError(SwitchError):
    """The peer broke the protocol.

    `status` is the SIP status to answer with; 0 means: answer nothing. `slug` is what records say, where
    one word tells more than the status.
    """

    def __init__(self, message: str, *, status: int = 400, slug: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.slug = slug


class MediaUnavailableError(SwitchError):
    """No media gateway is connected, or it has no free RTP port."""
