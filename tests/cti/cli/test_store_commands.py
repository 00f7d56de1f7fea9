from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cti.cli import customers, db
from cti.cli.main import main

CSV = """name,phone,tier
Ann Lee,(202) 555-0101,gold
,+12025550102,
Ben Cole,+44 1632 960106,
"""


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    db.add_parser(commands)
    customers.add_parser(commands)
    args = parser.parse_args(words)
    return db.run(args) if args.command == "db" else customers.run(args)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/data/switchroom.db"


def test_a_database_is_checked_and_upgraded(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("db", "check", "--database", database) == 2
    assert "there is no database file" in capsys.readouterr().err
    assert run("db", "upgrade", "--database", database) == 0
    assert run("db", "check", "--database", database) == 0
    assert "up to date" in capsys.readouterr().out
    (tmp_path / "empty.db").touch()
    assert run("db", "check", "--database", f"sqlite:///{tmp_path}/empty.db") == 1
    assert "switchroom db upgrade" in capsys.readouterr().out
    assert run("db", "check", "--database", "oracle://x") == 2
    assert "switchroom db:" in capsys.readouterr().err


def test_customers_are_imported_listed_and_shown(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(CSV)
    assert run("customers", "import", str(file), "--database", database) == 1
    told = capsys.readouterr()
    assert f"{file}:3: the name is missing" in told.err
    assert "2 added, 0 changed, 1 refused." in told.out
    assert run("customers", "list", "--database", database) == 0
    assert "Ben Cole" in capsys.readouterr().out
    for who in ("202 555 0101", "lee"):
        assert run("customers", "show", who, "--database", database) == 0
        assert "Ann Lee · gold" in capsys.readouterr().out
    assert run("customers", "show", "nobody", "--database", database) == 1


def test_the_folder_that_the_server_was_given_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in docs/lab.md: `serve --data-dir lab-data`, from a folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    given = ("--data-dir", "lab-data")
    assert main(["cdr", "list"]) == 1
    assert "no database data/switchroom.db; give --config and --data-dir" in capsys.readouterr().err
    assert main(["db", "upgrade", *given]) == 0
    assert (tmp_path / "lab-data" / "switchroom.db").exists()
    assert main(["customers", "add", "Ann Lee", "--phone", "+12025550101", *given]) == 0
    assert main(["customers", "list", *given]) == 0
    assert main(["cdr", "list", *given]) == 0
    assert main(["recordings", "list", *given]) == 0
    told = capsys.readouterr().out
    assert "Ann Lee" in told
    assert "There are no calls yet." in told
    assert "There are no recordings yet." in told


def test_a_customer_is_added_or_refused_in_words(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--database", database)
    assert run("customers", "add", "Cy", "--phone", "+12025550103", *common) == 0
    added = capsys.readouterr().out
    assert (
        run("customers", "add", "cy", "--phone", "(202) 555-0103", "--region", "US", *common) == 0
    )
    assert "is there already" in (again := capsys.readouterr().out)
    assert added.split("(")[1].split(")")[0] in again
    assert run("customers", "add", "Di", "--email", "nonsense", *common) == 2
    assert "email 'nonsense' is not an address" in capsys.readouterr().err
    assert run("customers", "import", "/nonexistent.csv", *common) == 2
    told = capsys.readouterr().err
    assert "/nonexistent.csv: cannot be read: No such file or directory" in told
    assert "Errno" not in told


def test_a_binary_file_is_no_list_of_customers(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xff\xfe\x00\x01")
    assert run("customers", "import", str(file), "--database", database) == 2
    assert f"switchroom customers: {file}: no text in UTF-8; export it" in capsys.readouterr().err


def test_a_list_on_a_small_terminal_keeps_name_number_and_id_whole(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = ("--phone", "+12025550104", "--phone", "+12025550105")
    assert run("customers", "add", "Dee Lane", *numbers, "--database", database) == 0
    added = capsys.readouterr().out
    id_ = added.partition("(")[2].partition(")")[0]
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    assert run("customers", "list", "--database", database) == 0
    told = capsys.readouterr().out
    assert "Tier" not in told
    line = next(line for line in told.splitlines() if "Dee Lane" in line)
    assert "+12025550104 +1" in line
    assert id_ in line
