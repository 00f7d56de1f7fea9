"""Identifiers that cross layers: opaque strings, unique over restarts of the call agent."""

from typing import NewType

LegId = NewType("LegId", str)
"""One dialog that the B2BUA owns, plus its media."""
CallId = NewType("CallId", str)
"""The legs that belong together. Not SIP's Call-ID, which names one dialog."""
PlayerId = NewType("PlayerId", str)
"""A source of sound in the gateway that is not a leg: prompts, music, tones."""
RecordingId = NewType("RecordingId", str)
"""One recording: one stereo file, whatever legs feed it over time."""
