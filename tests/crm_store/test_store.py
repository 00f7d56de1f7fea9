from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Alias, event

from crm_store.errors import BadRecord, NotStored, StoreUnavailable
from crm_store.facts import CustomerDraft
from crm_store.importer import import_customers
from crm_store.rows import DispositionRow, InteractionRow, NoteRow, RecordingRow, TimelineRow
from crm_store.seed import SHARED_NUMBER, seed, seed_numbers
from crm_store.store import Store
from tests.kit.cycles import none_left

ANN = CustomerDraft(name="Ann Lee", company="Lee & Co", phones=("(202) 555-0101",))


def interaction(id_: str, customer: str, started: float, **more: object) -> InteractionRow:
    return InteractionRow(
        interaction_id=id_,
        started=started,
        revision=1,
        customer_id=customer,
        **more,  # type: ignore[arg-type]
    )


async def test_a_customer_is_found_by_every_notation_of_a_number(store: Store) -> None:
    ann = await store.create_customer(ANN)
    for number in ("+12025550101", "202-555-0101", "011 1 202 555 0101"[3:], "5550101"):
        assert [c.customer_id for c in await store.find_by_number(number)] == [ann.customer_id]
    for number in ("+12025550102", "+13035550101", "", "anonymous", "0101"):
        assert await store.find_by_number(number) == []


async def test_numbers_without_country_are_found_by_full_ones(store: Store) -> None:
    old = await store.create_customer(CustomerDraft(name="Old Record", phones=("960106",)))
    new = await store.create_customer(CustomerDraft(name="New Record", phones=("632 960107",)))
    assert [c.name for c in await store.find_by_number("+441632960107")] == [new.name]
    assert await store.find_by_number("+441632960106") == [], "six digits would match strangers"
    assert [c.name for c in await store.find_by_number("960106")] == [old.name]


async def test_several_customers_may_share_a_number(store: Store) -> None:
    await store.create_customer(ANN)
    await store.create_customer(CustomerDraft(name="Ben Lee", phones=("+12025550101",)))
    found = await store.find_by_number("+12025550101")
    assert [customer.name for customer in found] == ["Ann Lee", "Ben Lee"]


async def test_customers_are_found_by_words_of_name_and_company(store: Store) -> None:
    await store.create_customer(ANN)
    await store.create_customer(CustomerDraft(name="王小明", company="东方花园"))
    await store.create_customer(CustomerDraft(name="50% Off_Shop"))
    assert [c.name for c in await store.find_by_name("LEE ann")] == ["Ann Lee"]
    assert [c.name for c in await store.find_by_name("小明")] == ["王小明"]
    assert [c.name for c in await store.find_by_name("花园")] == ["王小明"]
    assert [c.name for c in await store.find_by_name("50% sho")] == ["50% Off_Shop"]
    assert await store.find_by_name("%") == []
    assert await store.find_by_name("") == []
    assert await store.find_by_name("nobody") == []


async def test_words_are_found_by_their_beginning_whatever_case_accents_and_marks(
    store: Store,
) -> None:
    for name, company in (
        ("Zoë Müller", "Bäckerei Süd GmbH"),
        ("Siobhán O'Brien-Smith", "Ａcme"),
        ("Ivan Иванов", "50/50 株式会社トヨタ"),
    ):
        await store.create_customer(CustomerDraft(name=name, company=company))
    for text, name in (
        ("mull", "Zoë Müller"),
        ("MÜL zoe", "Zoë Müller"),
        ("backerei gmb", "Zoë Müller"),
        ("o'bri", "Siobhán O'Brien-Smith"),
        ("smith acme", "Siobhán O'Brien-Smith"),
        ("ива", "Ivan Иванов"),
        ("トヨタ", "Ivan Иванов"),
        ("会社 50", "Ivan Иванов"),
    ):
        assert [c.name for c in await store.find_by_name(text)] == [name], text
    for text in ("ller", "zoe acme", "müllerin", "会トヨ"):
        assert await store.find_by_name(text) == [], text


async def test_a_changed_name_is_found_and_the_old_one_is_not(store: Store) -> None:
    ann = await store.create_customer(ANN)
    await store.update_customer(ann.customer_id, CustomerDraft(name="Ann Moreau"))
    assert [c.name for c in await store.find_by_name("mor")] == ["Ann Moreau"]
    assert await store.find_by_name("lee") == []


async def test_a_search_leaves_nothing_to_the_collector(store: Store) -> None:
    await store.create_customer(ANN)
    await store.find_by_name("ann lee")
    with none_left(Alias):
        assert [c.name for c in await store.find_by_name("lee an")] == ["Ann Lee"]


async def test_a_list_of_customers_has_the_newest_of_each_by_few_queries(store: Store) -> None:
    ids = []
    for number in range(4):
        customer = await store.create_customer(CustomerDraft(name=f"Kim {number}"))
        ids.append(customer.customer_id)
    for number, id_ in enumerate(ids):
        for at in range(number * 5):  # none, 5, 10, 15
            store.history.append(
                InteractionRow(
                    interaction_id=f"i-{number}-{at}",
                    started=1_700_000_000.0 + at,
                    revision=1,
                    customer_id=id_,
                )
            )
    await store.history.flush()
    statements: list[str] = []
    engine = store._database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    found = await store.find_by_name("kim")
    assert [[past.interaction_id for past in each.recent] for each in found] == [
        [f"i-{number}-{at}" for at in reversed(range(number * 5))][:10] for number in range(4)
    ]
    assert len([each for each in statements if each.startswith("SELECT")]) <= 4


async def test_a_customer_can_be_changed(store: Store) -> None:
    ann = await store.create_customer(ANN)
    assert await store.find_by_number("+12025550101")
    changed = await store.update_customer(
        ann.customer_id,
        CustomerDraft(
            name="Ann Wu", tier="gold", phones=("+12025550102",), emails=("A@Example.com",)
        ),
    )
    assert (changed.name, changed.tier, changed.company) == ("Ann Wu", "gold", "")
    assert [p.value for p in changed.contact_points] == [
        "+12025550101",
        "+12025550102",
        "a@example.com",
    ]
    for number in ("+12025550101", "+12025550102"):
        assert [c.name for c in await store.find_by_number(number)] == ["Ann Wu"]
    with pytest.raises(NotStored):
        await store.update_customer("nobody", ANN)


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (CustomerDraft(name="  "), "name"),
        (CustomerDraft(name="x" * 201), "name is longer"),
        (CustomerDraft(name="A", kind="alien"), "kind"),
        (CustomerDraft(name="A", phones=("abc",)), "phone 'abc'"),
        (CustomerDraft(name="A", emails=("no at",)), "email"),
        (CustomerDraft(name="A", language="x" * 20), "language"),
    ],
)
async def test_bad_drafts_are_refused_in_words_and_leave_nothing(
    store: Store, draft: CustomerDraft, words: str
) -> None:
    with pytest.raises(BadRecord, match=words):
        await store.create_customer(draft)
    assert await store.list_customers() == []


async def test_text_that_databases_refuse_is_repaired(store: Store) -> None:
    made = await store.create_customer(CustomerDraft(name="A\0nn \ud800", remarks="b\0"))
    assert made.name == "Ann ?"


async def test_the_newest_ten_interactions_are_on_the_card(store: Store) -> None:
    ann = await store.create_customer(ANN)
    for number in range(12):
        store.history.append(
            interaction(f"i{number}", ann.customer_id, 1000.0 + number, queue="sales")
        )
    note = NoteRow(note_id="n1", interaction_id="i11", at=2000.0, author="1001", text="Hi\nmore")
    store.history.append(note)
    store.history.append(
        DispositionRow(
            disposition_id="d1", interaction_id="i11", at=2001.0, author="1001", code="sold"
        )
    )
    store.history.append(
        RecordingRow(recording_id="r1", interaction_id="i11", started=1011.0, path="a.wav")
    )
    await store.history.flush()
    (card,) = await store.find_by_number("+12025550101")
    assert [past.interaction_id for past in card.recent] == [f"i{n}" for n in range(11, 1, -1)]
    newest = card.recent[0]
    assert (newest.note, newest.disposition, newest.recorded) == ("Hi", "sold", True)
    assert newest.at == 1011.0
    assert (card.recent[1].note, card.recent[1].recorded) == ("", False)


async def test_what_is_written_shows_on_the_next_look_up(store: Store) -> None:
    ann = await store.create_customer(ANN)
    store.history.append(interaction("i1", ann.customer_id, 1000.0))
    await store.history.flush()
    (before,) = await store.find_by_number("+12025550101")
    assert before.recent[0].note == ""
    store.history.append(
        NoteRow(note_id="n1", interaction_id="i1", at=1001.0, author="1001", text="New note")
    )
    await store.history.flush()
    (after,) = await store.find_by_number("+12025550101")
    assert after.recent[0].note == "New note"
    store.link("i2", ann.customer_id, started=1002.0, revision=5)
    await store.history.flush()
    (linked,) = await store.find_by_number("+12025550101")
    assert [past.interaction_id for past in linked.recent] == ["i2", "i1"]


async def test_an_unknown_caller_is_known_once_somebody_created_the_customer(store: Store) -> None:
    for _ in range(2):
        assert await store.find_by_number("+12025550101") == []
    ann = await store.create_customer(ANN)
    assert [c.customer_id for c in await store.find_by_number("+12025550101")] == [ann.customer_id]


async def test_exact_matches_hide_loose_ones(store: Store) -> None:
    for number in range(60):
        await store.create_customer(CustomerDraft(name=f"Old {number}", phones=("5550101",)))
    ann = await store.create_customer(ANN)
    assert [c.customer_id for c in await store.find_by_number("+12025550101")] == [ann.customer_id]


async def test_an_interaction_is_given_whole(store: Store) -> None:
    ann = await store.create_customer(ANN)
    store.history.append(
        interaction("i1", ann.customer_id, 1000.5, agent_id="1001", decision={"rule": "idle"})
    )
    for seq in (3, 1, 2):
        store.history.append(
            TimelineRow(
                interaction_id="i1", seq=seq, at=1000.0 + seq, type="Queued", data={"n": seq}
            )
        )
    store.history.append(
        NoteRow(note_id="n1", interaction_id="i1", at=1004.0, author="1001", text="中文")
    )
    store.history.append(
        RecordingRow(
            recording_id="r1",
            interaction_id="i1",
            started=1001.0,
            path="2026/r1.wav",
            duration_s=12.5,
            octets=2**40,
            sha256="ab",
        )
    )
    await store.history.flush()
    found = await store.get_interaction("i1")
    assert found is not None
    assert (found.customer_name, found.started, found.ended) == ("Ann Lee", 1000.5, None)
    assert found.decision == {"rule": "idle"}
    assert [(entry.seq, entry.data["n"]) for entry in found.timeline] == [(1, 1), (2, 2), (3, 3)]
    assert found.notes[0].text == "中文"
    assert found.recordings[0].octets == 2**40
    assert await store.interaction_agent("i1") == "1001"
    assert (await store.newest_recordings())[0].recording_id == "r1"
    assert await store.get_recording("r1") == found.recordings[0]
    assert await store.get_interaction("i2") is None
    with pytest.raises(NotStored):
        await store.interaction_agent("i2")


async def test_seeding_twice_changes_nothing(store: Store) -> None:
    now = 1_800_000_000.0
    assert await seed(store, now=now) == 30
    first = await store.list_customers()
    assert await seed(store, now=now + 60) == 0
    assert await store.list_customers() == first
    shared = await store.find_by_number(SHARED_NUMBER)
    assert [customer.name for customer in shared] == ["Margaret Hale", "John Hale"]
    assert shared[0].recent[0].note.startswith("Ordered the family plan")
    assert shared[0].recent[0].disposition == "sale"
    (wang,) = await store.find_by_number("+12025550102")
    assert (wang.name, wang.language) == ("王小明", "zh")


def test_seeded_numbers_are_reserved_ones() -> None:
    for number in seed_numbers():
        assert number.startswith(("+120255501", "+441632960"))
        assert len(number) in (12, 13)


async def test_csv_lines_are_imported_changed_and_refused_one_by_one(store: Store) -> None:
    lines = [
        "\ufeffname,phone,phone,email,reference,tier\n",
        "Ann,202 555 0101,+44 1632 960101,ann@example.com,r1,gold\n",
        "\n",
        ",1,,,,\n",
        "Ben,abc,,,,\n",
        '"Cy, Inc",202 555 0103;202 555 0104,,,,\n',
        "a,b,c,d,e,f,g\n",
        "Ann Again,,,,r1,\n",
        '"never closed\n',
    ]
    results = [result async for result in import_customers(store, lines)]
    assert [(result.line, result.added, bool(result.error)) for result in results] == [
        (2, True, False),
        (4, False, True),
        (5, False, True),
        (6, True, False),
        (7, False, True),
        (8, False, False),
        (9, False, True),
    ]
    customers = await store.list_customers()
    assert [customer.name for customer in customers] == ["Ann Again", "Cy, Inc"]
    assert len(customers[1].contact_points) == 2


@pytest.mark.parametrize(
    "lines", [[], ["phone\n"], ["name,shoe\n"], ["name,name\n"], ["name\n", "\0"], ["x" * 100_001]]
)
async def test_files_that_are_no_customer_lists_are_refused(store: Store, lines: list[str]) -> None:
    with pytest.raises(BadRecord):
        _ = [result async for result in import_customers(store, lines)]


async def test_without_its_database_the_store_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    store = await Store.open(f"sqlite:///{file}", data_dir=tmp_path)
    await store.create_customer(ANN)
    file.rename(tmp_path / "away.db")
    with pytest.raises(StoreUnavailable, match="gone"):
        await store.find_by_number("+12025550101")
    with pytest.raises(StoreUnavailable):
        await store.create_customer(ANN)
    (tmp_path / "away.db").rename(file)
    assert len(await store.find_by_number("+12025550101")) == 1
    await store.close()


async def test_a_store_that_may_be_missing_opens_later(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.touch()
    store = await Store.open(
        f"sqlite:///{blocked}/a.db", data_dir=tmp_path / "data", must_be_there=False
    )
    store.history.append(interaction("i1", "c", 1.0))
    with pytest.raises(StoreUnavailable):
        await store.find_by_number("+12025550101")
    blocked.unlink()
    await store.history.flush()
    assert await store.interaction_agent("i1") is None
    await store.close()


async def test_a_tool_beside_a_server_leaves_its_journal_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    server = await Store.open(url, data_dir=tmp_path)
    tool = await Store.open(url, data_dir=None)
    await tool.create_customer(ANN)
    await tool.close()
    assert len(await server.find_by_number("+12025550101")) == 1
    await server.close()


async def test_sqlite_runs_in_wal_mode(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/a.db", data_dir=tmp_path)
    await store.close()
    connection = sqlite3.connect(tmp_path / "a.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_a_card_takes_few_queries_by_index_and_that_of_a_frequent_caller_none(
    tmp_path: Path,
) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/a.db", data_dir=tmp_path)
    await seed(store, now=1_800_000_000.0)
    asked: list[tuple[str, Any]] = []
    engine = store._database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    for number in dict.fromkeys(seed_numbers()):
        asked.clear()
        assert await store.find_by_number(number)
        queries = [each for each in asked if each[0].startswith("SELECT")]
        assert 1 <= len(queries) <= 4
        with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
            for text, given in queries:
                steps = connection.execute(f"EXPLAIN QUERY PLAN {text}", given).fetchall()
                assert not [words for *_, words in steps if words.startswith("SCAN")]
        asked.clear()
        assert await store.find_by_number(number)
        assert not asked, "it is remembered"
    await store.close()
