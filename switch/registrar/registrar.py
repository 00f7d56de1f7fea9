"""The registrar: what a REGISTER may change and what it is answered (RFC 3261 section 10.3)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from switch.legible import legible
from switch.registrar.location import Binding, ContactKey, Location, contact_key
from switch.registrar.outbound import (
    BadPathError,
    Device,
    device_of,
    first_hop_knows_outbound,
    path_of,
    wants_outbound,
)
from switch.registrar.ports import Credentials
from switch.sip.admission import OF_REGISTER
from switch.sip.digest import Accepted, Challenge, Challenger, Paused, Refused
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.uri import NameAddr
from switch.sip.way_back import for_calls
from switch.sip.writing import make_response

_MAX_CONTACT = 512
"""Characters of a contact URI; longer ones would not fit a datagram with the rest."""
_MALFORMED_EXPIRES_S = 3600
"""What a malformed value counts as (RFC 3261 section 10.2.1.1)."""
_Q = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarSettings:
    """Bounds of what phones may register."""

    default_expires_s: int = 3600
    min_expires_s: int = 30
    max_expires_s: int = 7200
    max_contacts: int = 10
    """Of one address of record; a further phone displaces the one not heard of for longest."""
    service_route: tuple[str, ...] = ()
    """Told to phones as the route of their requests (RFC 3608), the first to be passed first."""
    domains: frozenset[str] = frozenset()
    """Hosts of addresses of record, in lower case; empty: any host is taken for ours."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What one Contact asks for; `expires_s` 0 removes."""

    key: ContactKey
    contact: NameAddr
    expires_s: int
    device: Device
    """Numbers its flows only where outbound was agreed."""


class _RefusedError(Exception):
    """This REGISTER fails as a whole."""

    def __init__(self, status: int, reason: str | None = None, *headers: tuple[str, str]) -> None:
        super().__init__(reason or str(status))
        self.status = status
        self.reason = reason
        self.headers = headers


class Registrar:
    """Authenticates REGISTER requests and keeps the location service."""

    __slots__ = ("_challenger", "_credentials", "_location", "_settings", "answered", "displaced")

    def __init__(
        self,
        *,
        location: Location,
        challenger: Challenger,
        credentials: Credentials,
        settings: RegistrarSettings,
    ) -> None:
        self._location = location
        self._challenger = challenger
        self._credentials = credentials
        self._settings = settings
        self.answered: Counter[int] = Counter()
        """How many REGISTERs were answered with each status: 401 challenged, 403 wrong password."""
        self.displaced = 0
        """Contacts that gave way to newer ones of their phone."""

    def handle(self, request: Request, flow: Flow, now: float) -> Response:
        """Answer a REGISTER. Nothing is changed unless the answer is 200."""
        try:
            aor = self._authorized_aor(request, flow, now)
            path = self._path(request)
            is_outbound = self._update(aor, request, flow, path, now)
        except _RefusedError as refused:
            self.answered[refused.status] += 1
            return make_response(request, refused.status, refused.reason, headers=refused.headers)
        self.answered[200] += 1
        headers = [*self._contacts(aor, now)]
        headers += [("Path", value) for value in path]
        headers += [("Service-Route", value) for value in self._settings.service_route]
        if is_outbound:
            headers.append(("Require", "outbound"))  # it is used (RFC 5626 section 6)
        return make_response(request, 200, headers=headers)

    # --- who may ------------------------------------------------------------------------------

    def _authorized_aor(self, request: Request, flow: Flow, now: float) -> str:
        """The address of record; in the order of the RFC, so that strangers learn no names."""
        words = request.headers.tokens("Require")
        unknown = [word for word in words if word.lower() not in OF_REGISTER]
        if unknown:
            raise _RefusedError(420, None, ("Unsupported", ", ".join(unknown)))
        verdict = self._challenger.verify(
            request,
            self._credentials.ha1,
            now,
            host=flow.remote[0],
            is_connected=flow.is_connected,
        )
        match verdict:
            case Challenge(stale=stale):
                challenges = self._challenger.challenges(now, stale=stale, host=flow.remote[0])
                raise _RefusedError(401, None, *challenges)
            case Refused(reason=reason, status=status):
                raise _RefusedError(status, None if status == 403 else reason.capitalize())
            case Paused(seconds=seconds):
                retry = ("Retry-After", str(math.ceil(seconds)))
                raise _RefusedError(500, "Too Many Wrong Passwords", retry)
            case Accepted(user=user):
                return self._aor_of(request, user)

    def _aor_of(self, request: Request, user: str) -> str:
        uri = request.to.uri
        domains = self._settings.domains
        if uri.scheme not in ("sip", "sips") or (domains and uri.host not in domains):
            raise _RefusedError(404)
        if not self._credentials.knows(uri.username):
            raise _RefusedError(404)
        if uri.username != user:
            raise _RefusedError(403)
        return uri.username

    # --- what changes -------------------------------------------------------------------------

    def _path(self, request: Request) -> tuple[str, ...]:
        try:
            return path_of(request)
        except BadPathError as error:
            raise _RefusedError(400, str(error)) from error

    def _update(
        self, aor: str, request: Request, flow: Flow, path: tuple[str, ...], now: float
    ) -> bool:
        """Change the bindings; True where outbound is used for one of them."""
        if request.headers.get("Contact") == "*":
            if request.headers.get("Expires") != "0":
                raise _RefusedError(400, "Contact * Needs Expires 0")
            for binding in self._location.bindings(aor, now):
                self._check_order(binding, request)
            self._location.drop_all(aor)
            return False
        is_outbound = wants_outbound(request)
        changes = [
            self._change(contact, request, is_outbound=is_outbound) for contact in request.contacts
        ]
        is_used = any(change.device.reg_id for change in changes)
        if is_used and not first_hop_knows_outbound(request, path):
            raise _RefusedError(439, "First Hop Lacks Outbound Support")
        if len(changes) > self._settings.max_contacts:
            raise _RefusedError(403, "Too Many Contacts")
        for change in changes:
            known = self._location.find(aor, change.key)
            if known is not None:
                self._check_order(known, request)
        for change in changes:
            self._apply(aor, change, request, flow, path, now)
        keys = {change.key for change in changes}
        for change in changes:
            self._displace(aor, change, keys)
        return is_used

    def _displace(self, aor: str, change: _Change, keys: Collection[ContactKey]) -> None:
        """A device that comes back from elsewhere is not there any more where it was before."""
        if not change.device.instance or change.expires_s == 0:
            return
        for key in self._location.of_device(aor, change.device.instance, change.device.reg_id):
            if key not in keys:
                self._location.drop(aor, key)

    def _change(self, contact: NameAddr, request: Request, *, is_outbound: bool) -> _Change:
        uri = contact.uri
        if uri.scheme not in ("sip", "sips") or len(str(uri)) > _MAX_CONTACT:
            raise _RefusedError(400, "Unusable Contact")
        written = contact.params.get("expires")
        if written is None:
            written = request.headers.get("Expires")
        expires_s = self._expires(written)
        bare = replace(contact, uri=replace(uri, headers=None))  # a Request-URI has no headers
        device = device_of(contact)
        if not is_outbound:
            device = replace(device, reg_id=0)
        return _Change(contact_key(uri), bare, expires_s, device)

    def _expires(self, written: str | None) -> int:
        settings = self._settings
        if written is None:
            return settings.default_expires_s
        is_number = written.isascii() and written.isdigit() and len(written) <= 10
        expires_s = int(written) if is_number else _MALFORMED_EXPIRES_S
        if 0 < expires_s < settings.min_expires_s:
            raise _RefusedError(423, None, ("Min-Expires", str(settings.min_expires_s)))
        return min(expires_s, settings.max_expires_s)

    def _check_order(self, binding: Binding, request: Request) -> None:
        """A request that was overtaken by a later one of the same phone must not undo it."""
        if (
            not binding.static
            and binding.call_id == request.call_id
            and request.cseq.seq <= binding.cseq
        ):
            raise _RefusedError(500, "Out Of Order")

    def _apply(
        self,
        aor: str,
        change: _Change,
        request: Request,
        flow: Flow,
        path: tuple[str, ...],
        now: float,
    ) -> None:
        if change.expires_s == 0:
            self._location.drop(aor, change.key)
            return
        known = self._location.find(aor, change.key)
        if known is not None and known.static:
            return
        if known is None:
            self._make_room(aor, now)
        q = change.contact.params.get("q")
        binding = Binding(
            contact_uri=str(change.contact.uri),
            flow=flow if path else for_calls(request, change.contact.uri, flow),
            expires_at=now + change.expires_s,
            refreshed_at=now,
            q=q if q is not None and _Q.fullmatch(q) else None,
            call_id=request.call_id,
            cseq=request.cseq.seq,
            user_agent=legible(request.headers.get("User-Agent") or ""),
            path=path,
            instance=change.device.instance,
            reg_id=change.device.reg_id,
        )
        self._location.put(aor, change.key, binding)

    def _make_room(self, aor: str, now: float) -> None:
        """A phone that restarts on another port must never be locked out by its former self."""
        registered = [b for b in self._location.bindings(aor, now) if not b.static]
        for oldest in registered[self._settings.max_contacts - 1 :]:
            self.displaced += 1
            self._location.drop(aor, contact_key(NameAddr.parse(f"<{oldest.contact_uri}>").uri))

    def _contacts(self, aor: str, now: float) -> Sequence[tuple[str, str]]:
        """The current bindings, with the seconds that remain; configured ones are not told."""
        return [
            (
                "Contact",
                f"<{binding.contact_uri}>;expires={math.ceil(binding.expires_at - now)}"
                + (f";q={binding.q}" if binding.q else "")
                + (f";+sip.instance={binding.instance}" if binding.instance else "")
                + (f";reg-id={binding.reg_id}" if binding.reg_id else ""),
            )
            for binding in self._location.bindings(aor, now)
            if not binding.static
        ]
