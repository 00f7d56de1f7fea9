"""What only the collector of cycles would find: at fifty calls a second it is megabytes before it looks."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_left(kind: type) -> Iterator[None]:
    """Fail when objects of this kind that were made inside are still there behind it."""
    gc.collect()
    before = {id(each) for each in gc.get_objects() if issubclass(type(each), kind)}
    gc.disable()
    try:
        yield
        left = [each for each in gc.get_objects() if issubclass(type(each), kind)]
    finally:
        gc.enable()
    more = sum(1 for each in left if id(each) not in before)
    assert more == 0, f"{more} of {kind.__name__} are left"
