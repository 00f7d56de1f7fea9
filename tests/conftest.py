"""What holds for every test: the order of the files, and how long generated examples go on."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Both would be measured by the wall clock, on a machine that does other things as well."""
settings.register_profile("suite", _UNTIMED, derandomize=True)
"""The same examples in every run: what is refused is the change, never the luck of the draw."""
settings.register_profile("long", _UNTIMED, max_examples=2000)
"""`make soak`: other examples each time, and many."""
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that wait for phones and servers: at the end all processors have work.

    Files are handed out in this order, each to a process that is free (`--no-loadscope-reorder`).
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
