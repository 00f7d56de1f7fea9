"""Call detail records: one row a leg.

Moments are seconds since the epoch (UTC) as numbers: there are four of them in a row and two rows a
call, and to turn them into the database's notation takes longer than to write the rest.
"""

from __future__ import annotations

from sqlalchemy import Index, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class CallLeg(Base):
    """What became of one leg of a call, or of a call that was refused before it had one."""

    __tablename__ = "call_leg"
    __table_args__ = (Index("ix_call_leg_started_at_id", "started_at", "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The id of the leg."""
    call_id: Mapped[str] = mapped_column(String(64), index=True)
    """Legs of one call have the same."""
    sip_call_id: Mapped[str] = mapped_column(String(256), default="")
    """The Call-ID of its dialog."""
    interaction_id: Mapped[str | None] = mapped_column(String(64))
    """The interaction it belongs to."""
    direction: Mapped[str] = mapped_column(String(3))
    """`in`: they called us; `out`: we called."""
    caller: Mapped[str] = mapped_column(String(80), default="", index=True)
    """The number that calls; empty: withheld."""
    called: Mapped[str] = mapped_column(String(80), default="")
    """The number that is called."""
    phone: Mapped[str | None] = mapped_column(String(64))
    """The phone of ours behind it."""
    trunk: Mapped[str | None] = mapped_column(String(64))
    """The trunk it came by or left through."""
    started_at: Mapped[float] = mapped_column()
    """When its INVITE came or left."""
    rang_at: Mapped[float | None] = mapped_column()
    """When it rang first."""
    answered_at: Mapped[float | None] = mapped_column()
    """When it was answered; NULL: never."""
    ended_at: Mapped[float] = mapped_column()
    """When it was over."""
    result: Mapped[str] = mapped_column(String(32))
    """`completed`, `cancelled`, `no-answer`, `busy`, `rejected`, `unreachable`, `failed`."""
    reason: Mapped[str] = mapped_column(String(64))
    """One slug: `caller-hung-up`, `rtp-timeout`, ..."""
    status: Mapped[int] = mapped_column(SmallInteger, default=0)
    """The SIP status that ended it; 0: none did."""
    q850: Mapped[int] = mapped_column(SmallInteger, default=0)
    """The cause of Q.850 that the peer gave; 0: none."""
    ended_by: Mapped[str] = mapped_column(String(8), default="")
    """`peer` or `us`."""
    codec: Mapped[str] = mapped_column(String(16), default="")
    """What it spoke last."""
    user_agent: Mapped[str] = mapped_column(String(128), default="")
    """How the peer names itself."""
    linked_call: Mapped[str | None] = mapped_column(String(64))
    """The call it was transferred from, or the number that sent it on."""
    recording_id: Mapped[str | None] = mapped_column(String(64))
    """A recording of its call."""
    attended: Mapped[str | None] = mapped_column(String(128))
    """The supervisor who attended a conversation by it, and how: `boss: monitor, barge`. NULL: nobody did."""
    packets_received: Mapped[int | None] = mapped_column(Integer)
    packets_sent: Mapped[int | None] = mapped_column(Integer)
    packets_lost: Mapped[int | None] = mapped_column(Integer)
    """On the way to us."""
    remote_lost: Mapped[int | None] = mapped_column(Integer)
    """On the way to the peer, as it said by RTCP."""
    jitter_ms: Mapped[float | None] = mapped_column()
    rtt_ms: Mapped[float | None] = mapped_column()
    mos: Mapped[float | None] = mapped_column()
    """Estimated mean opinion score of the worse direction, 1 to 4.5."""
