"""The location service: where each address of record can be reached now (RFC 3261 section 10).

Pure: time is passed in. An address of record is named by its user part, the phone's number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from switch.sip.deadlines import Deadlines
from switch.sip.flow import Flow
from switch.sip.uri import Uri

ContactKey = tuple[str, str, str, int | None, str | None]
"""What makes two contact URIs the same binding: scheme, user, host, port, transport."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One place where an address of record is reached."""

    contact_uri: str
    """The Request-URI of calls to it."""
    flow: Flow
    """The way its REGISTER came, which is the way back through a NAT; see `switch.sip.way_back`."""
    expires_at: float
    """Monotonic seconds; infinite for static bindings."""
    static: bool = False
    """Configured; no REGISTER changes it and it never expires."""
    refreshed_at: float = 0.0
    q: str | None = None
    """The preference that the phone gave, as written."""
    call_id: str = ""
    cseq: int = 0
    user_agent: str = ""
    path: tuple[str, ...] = ()
    """Route values of calls to it, the first to be passed first (RFC 3327)."""
    instance: str = ""
    """Which device it is (`+sip.instance`, RFC 5626), as written; empty: it does not say."""
    reg_id: int = 0
    """Which of the device's flows; 0: the device does not number them."""


def contact_key(uri: Uri) -> ContactKey:
    """The identity of a contact URI; parameters other than the transport do not count."""
    return uri.scheme, uri.username, uri.host, uri.port, uri.transport


class Location:
    """Bindings by address of record.

    `on_change(aor, reachable)` is called when an address of record got its first binding or lost
    its last one. It must not change bindings.
    """

    __slots__ = (
        "_bindings",
        "_by_connection",
        "_count",
        "_expiries",
        "_on_change",
        "changed",
        "on_again",
        "on_contacts",
        "on_new_way",
    )

    def __init__(self, *, on_change: Callable[[str, bool], None] | None = None) -> None:
        self._bindings: dict[str, dict[ContactKey, Binding]] = {}
        self._by_connection: dict[int, set[tuple[str, ContactKey]]] = {}
        self._expiries: Deadlines[tuple[str, ContactKey]] = Deadlines()
        self._count = 0
        self._on_change = on_change
        self.changed: set[str] = set()
        """Addresses of record whose bindings changed, for the journal, which empties it."""
        self.on_new_way: list[Callable[[str, Binding], None]] = []
        """Told of a phone that registers by a connection for the first time."""
        self.on_again: list[Callable[[str], None]] = []
        """Told of a phone that registers and had a binding before: it is there."""
        self.on_contacts: list[Callable[[str], None]] = []
        """Told of a phone that has a contact more or less than before."""

    def __len__(self) -> int:
        """Number of bindings, static ones included."""
        return self._count

    @property
    def registered(self) -> int:
        """Number of bindings that phones registered."""
        return len(self._expiries)

    def add_static(self, aor: str, contact_uri: str, flow: Flow) -> None:
        """Configure a binding that stays."""
        binding = Binding(contact_uri=contact_uri, flow=flow, expires_at=math.inf, static=True)
        self.put(aor, contact_key(Uri.parse(contact_uri)), binding)

    def bindings(self, aor: str, now: float) -> list[Binding]:
        """The live bindings of an address of record, the newest first, static ones last."""
        found = [b for b in self._bindings.get(aor, {}).values() if b.expires_at > now]
        found.sort(key=lambda b: (not b.static, b.refreshed_at), reverse=True)
        return found

    def contacts(self, aor: str) -> list[Binding]:
        """All bindings of an address of record, those included whose time is up this moment."""
        return list(self._bindings.get(aor, {}).values())

    def is_reachable(self, aor: str, now: float) -> bool:
        return any(b.expires_at > now for b in self._bindings.get(aor, {}).values())

    def find(self, aor: str, key: ContactKey) -> Binding | None:
        """The binding with this contact."""
        return self._bindings.get(aor, {}).get(key)

    def of_device(self, aor: str, instance: str, reg_id: int) -> list[ContactKey]:
        """The contacts that a device registered before by the flow of this number (RFC 5626)."""
        known = self._bindings.get(aor, {}).items()
        return [key for key, b in known if b.instance == instance and b.reg_id == reg_id]

    def restore(self, aor: str, binding: Binding) -> None:
        """Take up a binding of an earlier process; nobody is told. Raises ValueError for no URI."""
        self._put(aor, contact_key(Uri.parse(binding.contact_uri)), binding)

    def put(self, aor: str, key: ContactKey, binding: Binding) -> None:
        """Add or refresh a binding."""
        known = self.find(aor, key)
        if not self._put(aor, key, binding):
            for tell_again in self.on_again:
                tell_again(aor)
        elif self._on_change is not None:
            self._on_change(aor, True)
        if known is None:
            self._tell_contacts(aor)
        connection = binding.flow.connection
        if connection and (known is None or known.flow.connection != connection):
            for tell in self.on_new_way:
                tell(aor, binding)

    def _put(self, aor: str, key: ContactKey, binding: Binding) -> bool:
        """True when it is the first one."""
        if not binding.static:
            self.changed.add(aor)
        known = self._bindings.setdefault(aor, {})
        is_first = not known
        self._unlink(aor, key, known.pop(key, None))
        known[key] = binding
        self._count += 1
        if binding.flow.connection:
            self._by_connection.setdefault(binding.flow.connection, set()).add((aor, key))
        if not binding.static:
            self._expiries.set((aor, key), binding.expires_at)
        return is_first

    def drop(self, aor: str, key: ContactKey) -> bool:
        """Remove a binding that is not static; True when it was the last one."""
        known = self._bindings.get(aor)
        binding = known.get(key) if known else None
        if known is None or binding is None or binding.static:
            return False
        del known[key]
        self.changed.add(aor)
        self._unlink(aor, key, binding)
        self._tell_contacts(aor)
        if known:
            return False
        del self._bindings[aor]
        if self._on_change is not None:
            self._on_change(aor, False)
        return True

    def drop_all(self, aor: str) -> None:
        """Remove every binding that is not static."""
        for key in list(self._bindings.get(aor, ())):
            self.drop(aor, key)

    def drop_connection(self, connection: int) -> list[str]:
        """A TCP connection is closed: whoever registered over it is not reachable there.

        Returns the addresses of record that became unreachable.
        """
        gone = self._by_connection.pop(connection, set())
        return [aor for aor, key in sorted(gone, key=repr) if self.drop(aor, key)]

    def lives(self, flow: Flow) -> bool:
        """Whether somebody is registered by the connection of a flow."""
        return flow.connection != 0 and flow.connection in self._by_connection

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._expiries.next_due()

    def handle_timer(self, now: float) -> list[str]:
        """Drop what expired; returns the addresses of record that became unreachable."""
        unreachable = []
        while (due := self._expiries.pop_due(now)) is not None:
            if self.drop(*due):
                unreachable.append(due[0])
        return unreachable

    def _tell_contacts(self, aor: str) -> None:
        for tell in self.on_contacts:
            tell(aor)

    def _unlink(self, aor: str, key: ContactKey, binding: Binding | None) -> None:
        if binding is None:
            return
        self._count -= 1
        self._expiries.cancel((aor, key))
        linked = self._by_connection.get(binding.flow.connection)
        if linked is not None:
            linked.discard((aor, key))
            if not linked:
                del self._by_connection[binding.flow.connection]
