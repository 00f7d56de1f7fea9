"""Short ways to make families: name, help and samples in one call.

Labels come from configuration or from words of our own, never from what a stranger sent; where a
word might still be many, `few` keeps the most frequent and puts the others together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

PREFIX: Final = "switchroom_"
MOST_VALUES: Final = 40
"""Of one label that is counted by word."""
OTHER: Final = "other"


def gauge(name: str, help_text: str, value: float | None) -> Metric:
    """A figure that goes up and down; None: the family is there, and has no figure."""
    return GaugeMetricFamily(PREFIX + name, help_text, value=value)


def counter(name: str, help_text: str, value: float) -> Metric:
    """A figure that only grows; `name` is without `_total`."""
    return CounterMetricFamily(PREFIX + name, help_text, value=value)


def gauges(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """One gauge for each value of a label."""
    family = GaugeMetricFamily(PREFIX + name, help_text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def counters(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """One counter for each value of a label; `name` is without `_total`."""
    family = CounterMetricFamily(PREFIX + name, help_text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def few(counts: Mapping[str, int], most: int = MOST_VALUES) -> dict[str, int]:
    """At most `most` words and `other`: the words that came first keep their name for good."""
    found = dict(list(counts.items())[:most])
    rest = sum(counts.values()) - sum(found.values())
    if rest:
        found[OTHER] = found.get(OTHER, 0) + rest
    return found
