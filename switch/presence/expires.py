"""How long a subscription or publication is to last."""

from __future__ import annotations

from switch.presence.door import RefusedError
from switch.presence.settings import PresenceSettings
from switch.sip.message import Request


def expires_of(request: Request, settings: PresenceSettings) -> int:
    """The seconds asked for, at most as many as we allow; 0 ends it.

    Raises:
        RefusedError: 423, too short; 400, no number.
    """
    written = request.headers.get("Expires")
    if written is None:
        return settings.default_expires_s
    if not (written.isascii() and written.isdigit() and len(written) <= 10):
        raise RefusedError(400, "Malformed Expires")
    expires_s = int(written)
    if 0 < expires_s < settings.min_expires_s:
        raise RefusedError(423, None, ("Min-Expires", str(settings.min_expires_s)))
    return min(expires_s, settings.max_expires_s)
