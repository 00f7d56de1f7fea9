"""The server under attack; see `tests/peers/conftest.py`."""

from __future__ import annotations

from tests.peers.conftest import lab as lab
