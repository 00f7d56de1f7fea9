"""One server for the tests of a file: starting it takes a second or two.

A file says what it needs of its server in `LAB`, the keywords of `tests.kit.lab.Lab`; `EDITED` are
keys of `config/lab.toml` with other values.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio

from tests.kit.lab import Lab, edited


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    wanted = dict(getattr(request.module, "LAB", {}))
    if changes := getattr(request.module, "EDITED", None):
        wanted["config"] = edited(folder, **changes)
    async with Lab(folder, **wanted) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server said to a test that failed: the phones alone seldom know why."""
    report = yield
    server = getattr(item, "funcargs", {}).get("lab")
    if report.failed and isinstance(server, Lab) and server.log.exists():
        report.sections.append(("server log", server.log.read_text(errors="replace")[-6000:]))
    return report
