"""Errors of the media engine.

SwitchError
└── MediaCommandError     the call agent asked for what cannot be done
"""

from switch.errors import SwitchError


class MediaCommandError(SwitchError):
    """A command names an unknown leg, codec or address, or asks for the impossible. Nothing changed."""
