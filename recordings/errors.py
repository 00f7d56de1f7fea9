"""Errors of the recordings.

RecordingError
├── NotARecordingError   the file is not one of ours, or cut off within its header
└── SettingsError        a value in the settings cannot be used

That a running recording failed is not an error but an outcome: see `recordings.outcome`.
"""


class RecordingError(Exception):
    """Base of the errors of the recordings."""


class NotARecordingError(RecordingError):
    """The file is no stereo mu-law WAVE file of this program. The message names the file."""


class SettingsError(RecordingError):
    """A setting has a value that cannot be used. The message names the key."""
