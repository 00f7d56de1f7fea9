"""The E-model: how good a call is, from loss and delay (ITU-T G.107, G.113 Appendix I).

    R = R0 - Is - Id - Ie,eff + A        MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6

With the default values of G.107 (table 3) everything but delay and loss is a constant, and a call
without either has R = 93.2, which is an estimated MOS of 4.41. Talkers' echo is left out: the phones
at both ends cancel theirs (G.107 section 7.4 with a perfect TELR).

Wideband codecs are judged on this narrowband scale too, so that figures can be compared: it has no room
above 4.5, where they would be.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from switch.compiled import REAL, entry

BASE: Final = 93.2
"""R0 - Is of the default values."""
_UNNOTICED_DELAY_MS: Final = 100.0


class Impairment(NamedTuple):
    """What a codec does to speech (G.113)."""

    factor: float
    """Ie: what it costs without any loss."""
    robustness: float
    """Bpl: how well it bears random loss."""


PLAIN_G711: Final = Impairment(0.0, 4.3)
"""Without concealment: a lost packet is silence (G.113 table I.4)."""
IMPAIRMENTS: Final = {
    "PCMU": Impairment(0.0, 25.1),  # with concealment of G.711 Appendix I, as all that we heard of
    "PCMA": Impairment(0.0, 25.1),
    # G.113 has no narrowband values for these. Both conceal; G.722 about as well as G.711 does, Opus with
    # in-band redundancy somewhat better.
    "G722": Impairment(0.0, 25.1),
    "OPUS": Impairment(0.0, 30.0),
}
"""By encoding name."""


@entry(REAL, REAL, REAL)
def loss_impairment(factor: float, robustness: float, lost_percent: float) -> float:
    """Ie,eff for random loss (G.107 equation 7-29 with BurstR = 1)."""
    return factor + (95.0 - factor) * lost_percent / (lost_percent + robustness)


@entry(REAL)
def delay_impairment(one_way_ms: float) -> float:
    """Id of an absolute delay from mouth to ear (G.107 equations 7-27 and 7-28)."""
    if one_way_ms <= _UNNOTICED_DELAY_MS:
        return 0.0
    x = math.log2(one_way_ms / _UNNOTICED_DELAY_MS)
    first = (1.0 + x**6) ** (1.0 / 6.0)
    second = 3.0 * (1.0 + (x / 3.0) ** 6) ** (1.0 / 6.0)
    return float(25.0 * (first - second + 2.0))


@entry(REAL)
def mos_of_rating(rating: float) -> float:
    """Estimated mean opinion score, 1 to 4.5, of a rating R (G.107 annex B)."""
    if rating <= 6.5:  # the cubic dips below 1 here
        return 1.0
    if rating >= 100.0:
        return 4.5
    return 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6


@entry(REAL, REAL, REAL, REAL)
def mos(factor: float, robustness: float, lost_percent: float, one_way_ms: float) -> float:
    """Estimated mean opinion score, 1 to 4.41, of one direction of a call.

    `lost_percent`: packets that never came or came too late, 0 to 100.
    """
    lost = loss_impairment(factor, robustness, min(max(lost_percent, 0.0), 100.0))
    return mos_of_rating(BASE - delay_impairment(one_way_ms) - lost)
