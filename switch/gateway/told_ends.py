"""How recordings ended, as a call agent was told: it may never have heard it.

A line that is cut takes what was written to it last. The call agent asks again for the end of what it
told to stop, and is told again; what was not told because nobody was there is kept elsewhere
(`switch.gateway.control`).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from switch.gateway.protocol import NO_SUCH_RECORDING, RecordingFailed, RecordingFinished
from switch.ids import RecordingId

MOST: Final = 4096
"""As many as may end while a line that is cut is still thought to be whole."""

End = RecordingFinished | RecordingFailed


class ToldEnds:
    """The last ends that were told."""

    def __init__(self) -> None:
        self._ends: OrderedDict[RecordingId, End] = OrderedDict()

    def add(self, end: End) -> None:
        """An end is told now."""
        self._ends[end.recording] = end
        if len(self._ends) > MOST:
            self._ends.popitem(last=False)

    def again(self, recording: RecordingId) -> End:
        """The end of a recording that is not here any more, once."""
        end = self._ends.pop(recording, None)
        return end or RecordingFailed(recording=recording, reason=NO_SUCH_RECORDING)
