"""Errors of the media engine.

SwitchError
└── MediaCommandError     the call agent asked for what cannot be done
    └── NoWayToPeerError  the address is one, but nothing leads there from here
"""

from switch.errors import SwitchError


class MediaCommandError(SwitchError):
    """A command names an unknown leg, codec or address, or asks for the impossible. Nothing changed."""


class NoWayToPeerError(MediaCommandError):
    """No route leads to a peer's address: often a private one, behind a NAT."""
