"""The other end of `/metrics`: figures of a running server, read back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families

_PATIENCE_S = 5.0


class Figures:
    """One scrape. Names are without the prefix `switchroom_`, and those of processes as they are."""

    def __init__(self, text: str) -> None:
        """Read the text format. Raises ValueError for anything else."""
        self._samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix("switchroom_")
                self._samples[name, frozenset(sample.labels.items())] = sample.value

    def get(self, name: str, **labels: str) -> float:
        """One figure; 0.0 where the server does not have it."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def has(self, name: str) -> bool:
        """Whether the server has this figure, with any labels."""
        return any(key == name for key, _ in self._samples)

    def by(self, name: str, label: str) -> Iterator[tuple[str, float]]:
        """Every value of a label, with its figure."""
        for (key, labels), value in self._samples.items():
            if key == name:
                found = dict(labels)
                if label in found:
                    yield found[label], value

    def pairs(self, name: str, label: str, other: str) -> Iterator[tuple[str, str]]:
        """Every pair of values of two labels whose figure is not 0."""
        for (key, labels), value in self._samples.items():
            found = dict(labels)
            if key == name and value and label in found and other in found:
                yield found[label], found[other]

    def sum(self, name: str) -> float:
        """All figures of this name together."""
        return sum(value for (key, _), value in self._samples.items() if key == name)


async def read_figures(client: httpx.AsyncClient, url: str) -> Figures:
    """Scrape a server on this machine. Raises httpx.HTTPError, ValueError."""
    answer = await client.get(f"{url}/metrics", timeout=_PATIENCE_S)
    answer.raise_for_status()
    return Figures(answer.text)
