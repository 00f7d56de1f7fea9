"""Which input of a machine a response is, received or sent, by its status."""

from __future__ import annotations

from switch.sip import invite_client, invite_server, non_invite_client, non_invite_server
from switch.sip.machine import Machine

CHALLENGES = (401, 407)
"""Sent once and forgotten (RFC 3261 section 26.3.2.4)."""


def input_of_received(machine: Machine, status: int) -> str:
    """The input of a client transaction that a response with this status is."""
    if not machine.is_invite:
        return (
            non_invite_client.Input.PROVISIONAL if status < 200 else non_invite_client.Input.FINAL
        )
    if status < 200:
        return invite_client.Input.PROVISIONAL
    return invite_client.Input.SUCCESS if status < 300 else invite_client.Input.FAILURE


def input_of_sent(machine: Machine, status: int) -> str:
    """The input of a server transaction that sending this status is."""
    if status in CHALLENGES:
        return (
            invite_server.Input.SEND_CHALLENGE
            if machine.is_invite
            else non_invite_server.Input.SEND_CHALLENGE
        )
    if not machine.is_invite:
        return (
            non_invite_server.Input.SEND_PROVISIONAL
            if status < 200
            else non_invite_server.Input.SEND_FINAL
        )
    if status < 200:
        return invite_server.Input.SEND_PROVISIONAL
    return invite_server.Input.SEND_SUCCESS if status < 300 else invite_server.Input.SEND_FAILURE
