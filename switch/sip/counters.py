"""What an endpoint counts; packets are counted, never logged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class EndpointCounters:
    """Totals since the start."""

    requests: int = 0
    """Well-formed requests received, retransmissions included."""
    responses: int = 0
    """Well-formed responses received, retransmissions included."""
    malformed: int = 0
    """Messages refused by the parser."""
    keepalives: int = 0
    """Datagrams of empty lines."""
    retransmissions_absorbed: int = 0
    """Requests and responses seen before."""
    retransmissions_sent: int = 0
    stray_responses: int = 0
    """Responses to nothing we asked."""
    unknown_methods: int = 0
    """Answered with 405 or 501."""
    bad_extensions: int = 0
    """Answered with 420."""
    merged: int = 0
    """Answered with 482."""
    stray_cancels: int = 0
    """Answered with 481."""
    shed: int = 0
    """Answered with 503 for lack of room."""
    shed_strangers: int = 0
    """Of those, from strangers whose part of the room was full."""
    turned_away: int = 0
    """Dropped: from a scanner."""
    challenges_sent: int = 0
    """Answered with 401 or 407, without memory of it."""
    rests_cut_short: int = 0
    """Transactions that were over and forgotten before their timer, for want of room."""
    acks_dropped: int = 0
    """ACKs to 2xx that found as many events waiting as may; the peer repeats them."""
    late_responses: int = 0
    """Responses of the layer above to transactions that were over or decided."""
    timeouts: int = 0
    transport_failures: int = 0
    """Client transactions ended by their transport."""
