"""The API's door: sign-ons, and those who were not let in."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from cti.metrics.families import counter, counters, few
from cti.metrics.sources import Sources


def families(sources: Sources) -> Iterator[Metric]:
    """What the API counted."""
    api = sources.api
    yield counters(
        "api_sign_ons", "Sign-ons, by what became of them.", "outcome", few(api.sign_ons)
    )
    yield counter("api_slow_cut", "Connections cut: no whole request came in time.", api.slow_cut)
    yield counter(
        "api_displaced", "Connections cut: too many newer ones wait as well.", api.displaced
    )
