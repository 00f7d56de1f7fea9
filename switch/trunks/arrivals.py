"""Calls that come in on trunks: what they must prove, and which numbers they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from switch.sip.digest import HA1Lookup, ha1
from switch.sip.message import Request
from switch.trunks.number_format import NumberFormat, read
from switch.trunks.settings import TrunkSettings
from switch.trunks.translation import translate


class TrunkSecrets:
    """Digest credentials of trunks beside those of phones; HA1 values are made once for each."""

    def __init__(self, trunks: Iterable[TrunkSettings], phones: HA1Lookup, realm: str) -> None:
        self._phones = phones
        self._trunks = {
            trunk.inbound_credentials.username: trunk
            for trunk in trunks
            if trunk.inbound_credentials is not None
        }
        self._values = {
            (user, algorithm): ha1(user, realm, trunk.inbound_credentials.password, algorithm)
            for user, trunk in self._trunks.items()
            if trunk.inbound_credentials is not None
            for algorithm in ("SHA-256", "MD5")
        }

    def lookup(self, user: str, algorithm: str) -> Sequence[str]:
        """HA1 values of a phone or trunk."""
        own = self._values.get((user, algorithm))
        return self._phones(user, algorithm) if own is None else (own,)

    def trunk_of(self, user: str) -> TrunkSettings | None:
        """The trunk that has proved itself by this user name."""
        return self._trunks.get(user)


class Arrived(Struct, frozen=True):
    """The numbers of a call that came in, as the number plan knows numbers."""

    called: str
    caller: str


def called_number(trunk: TrunkSettings, request: Request) -> str:
    """The number a carrier wants: the Request-URI's, or To's where the URI names our account."""
    user = request.request_uri.username
    own = trunk.credentials
    if own is not None and user == own.username:
        return request.to.uri.username or user
    return user


def arrive(trunk: TrunkSettings, called: str, caller: str) -> Arrived:
    """Apply a trunk's rules and format to the numbers of a call; most trunks have none."""
    if trunk.rules_in:
        called = translate(called, trunk.rules_in)
    if trunk.caller_rules_in and caller:
        caller = translate(caller, trunk.caller_rules_in)
    if trunk.number_format is not NumberFormat.AS_DIALLED:
        called = read(called, trunk.number_format, trunk.region) or called
        caller = read(caller, trunk.number_format, trunk.region) or caller
    return Arrived(called, caller)
