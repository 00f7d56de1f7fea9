"""What is kept of a REFER, received or sent; the tables are `referral.py` and `referring.py`."""

from __future__ import annotations

from msgspec import Struct

from switch.sip import referral, referring
from switch.sip.client_digest import Provable
from switch.sip.dialog import Dialog
from switch.sip.events import ReferId, TransactionId
from switch.sip.message import Request
from switch.sip.session import Session


class Referral(Struct, eq=False):
    """A REFER of a peer, from its arrival to the last NOTIFY."""

    id: ReferId
    session: Session
    dialog: Dialog
    """Kept here: the session may be over first."""
    request: Request
    transaction: TransactionId
    event: str
    """Event header of its NOTIFYs."""
    expires_at: float
    state: referral.State = referral.State.PENDING
    status: int = 100
    """What was told last."""
    reason: str | None = None


class Referring(Struct, eq=False):
    """A REFER of ours, until the peer has told the last of it."""

    id: ReferId
    session: Session
    dialog: Dialog
    request: Request
    state: referring.State = referring.State.TRYING
    provable: Provable | None = None
    """The REFER, where it may be sent again with credentials."""
    notifies: int = 0
    """How many came."""

    @property
    def seq(self) -> int:
        """The CSeq number of the REFER: the id of its subscription."""
        request = self.request if self.provable is None else self.provable.request
        return request.cseq.seq
