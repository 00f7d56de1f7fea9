"""The account at the registrar, by way of PJSIP, which answers one digest challenge: SHA-256 before MD5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pjsua2 as pj

from cti.phone.ports import Emit, PhoneError, PhoneSettings
from cti.phone.protocol import Register, Registered, RegistrationFailed, Unregistered

_SRTP_USE: Final = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}
_RETRY_S: Final = 3
"""A registration that failed is tried again after this."""


class Account(pj.Account):  # type: ignore[misc]  # the library publishes no types
    """Without a registrar until `register`; calls come in and go out all the same."""

    def __init__(
        self,
        settings: PhoneSettings,
        transports: Mapping[str, int],
        *,
        emit: Emit,
        guard: Callable[..., None],
        on_incoming: Callable[[Account, Any], None],
    ) -> None:
        """`transports` are the library's numbers of `udp`, `tcp`, `tls`; `guard` runs every callback."""
        pj.Account.__init__(self)
        self._settings = settings
        self._transports = transports
        self._emit = emit
        self._guard = guard
        self._on_incoming = on_incoming
        self._domain = ""
        self._transport = "udp"
        self.is_registered = False

    def open(self, port: int) -> None:
        """Take calls to this port."""
        host = self._settings.bind or "127.0.0.1"
        self.create(self._config(f"sip:{self._settings.number}@{host}:{port}"))

    def register(self, command: Register) -> None:
        """Register, and keep the registration alive."""
        transport = command.transport if command.transport in self._transports else "udp"
        self._transport = transport
        self._domain = f"{command.host}:{command.port}"
        config = self._config(f"sip:{command.user}@{self._domain}")
        config.regConfig.registrarUri = f"sip:{self._domain}{_suffix(transport)}"
        config.regConfig.timeoutSec = command.expires_s
        config.regConfig.retryIntervalSec = _RETRY_S
        config.regConfig.firstRetryIntervalSec = _RETRY_S
        config.regConfig.randomRetryIntervalSec = 0
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", command.user, 0, command.password)
        )
        if transport == "udp":
            config.sipConfig.transportId = self._transports["udp"]
        self.modify(config)

    def unregister(self) -> None:
        """Take the registration back."""
        self.setRegistration(False)

    def uri(self, target: str) -> str:
        """Where to call: `target` is a SIP URI, or a number at the registrar. Raises PhoneError."""
        if target.startswith(("sip:", "sips:")):
            return target
        if not self._domain:
            raise PhoneError("not registered: a number needs a registrar, dial a sip: URI instead")
        return f"sip:{target}@{self._domain}{_suffix(self._transport)}"

    def onRegState(self, prm: Any) -> None:  # noqa: N802  names of the library
        """The registrar answered, or did not."""
        self._guard(self._tell_registration, prm)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """An INVITE came."""
        self._guard(self._on_incoming, self, prm)

    def _tell_registration(self, prm: Any) -> None:
        accepted = 200 <= prm.code < 300
        self.is_registered = accepted and bool(self.getInfo().regIsActive)
        if self.is_registered:
            self._emit(Registered(expires_s=int(prm.expiration)))
        elif accepted:
            self._emit(Unregistered())
        else:
            self._emit(RegistrationFailed(status=int(prm.code), reason=prm.reason or "no answer"))

    def _config(self, address: str) -> Any:
        config = pj.AccountConfig()
        config.idUri = address
        config.mediaConfig.transportConfig.boundAddress = self._settings.bind
        config.mediaConfig.transportConfig.port = 10000
        config.mediaConfig.transportConfig.portRange = 5990
        config.mediaConfig.transportConfig.randomizePort = True
        config.mediaConfig.srtpUse = _SRTP_USE[self._settings.srtp]
        config.mediaConfig.srtpSecureSignaling = (
            0  # keys may be told over UDP: what is heard decides
        )
        return config


def _suffix(transport: str) -> str:
    return "" if transport == "udp" else f";transport={transport}"
