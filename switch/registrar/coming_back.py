"""Whose the dialogs are when a phone registers by a connection that it had not before.

A number may have several devices, and a glitch of the network drops the connections of all: being the only
one that is registered now does not make a device the one that we talk with.
"""

from __future__ import annotations

from switch.registrar.location import Binding, Location, contact_key
from switch.sip.flow import Flow
from switch.sip.uri import Uri


class ComingBack:
    """Judges which dialogs of its number go on by the connection of a binding."""

    __slots__ = ("_contact", "_flow", "_is_alone", "_location")

    def __init__(self, location: Location, phone: str, binding: Binding, now: float) -> None:
        self._location = location
        self._flow = binding.flow
        self._contact = Uri.parse(binding.contact_uri)
        self._is_alone = len(location.bindings(phone, now)) == 1

    def takes(self, flow: Flow, target: Uri) -> bool:
        """Whether it is the device of a dialog by `flow`, whose peer gave `target` as its Contact.

        The very Contact says so, whoever else had taken the dialog over. Without it the device is the only
        one of its number, of the same host (another port, as of a new connection), and its way is gone.
        """
        if flow.transport is not self._flow.transport or flow.connection == self._flow.connection:
            return False
        if contact_key(target) == contact_key(self._contact):
            return True
        is_same_host = target.host == self._contact.host
        return self._is_alone and is_same_host and not self._location.lives(flow)
