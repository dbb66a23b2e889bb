"""What the generator makes goes into the tables that the migrations make, and lives there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cluster import binaries, migrate, running
from hanger_oltp.chain import Chain
from hanger_oltp.cli import main
from hanger_oltp.encode import BINARY_HEAD, BINARY_TAIL, binary_rows
from hanger_oltp.live import Live
from hanger_oltp.rows import rows
from hanger_oltp.tables import TABLES

Connection = psycopg.Connection[tuple[object, ...]]
FIXED = [name for name, table in TABLES.items() if table.fixed_width]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed")
    with running(programs) as target:
        yield target


@pytest.fixture(scope="module")
def database(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A database that is loaded from CSV files."""
    directory = tmp_path_factory.mktemp("csv")
    assert main(["generate", "--scale=3", f"--output={directory}"]) == 0
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET datestyle = 'ISO, YMD'")
        migrate(connection)
        migrate(connection, "verify")
        for name, table in TABLES.items():
            copy(connection, f"{name} ({', '.join(table.names)})", (directory / f"{name}.csv").read_bytes())
        connection.execute(
            "SELECT setval(pg_get_serial_sequence(table_name, column_name), 1000000) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND is_identity = 'YES'"
        )
        yield connection


def copy(connection: Connection, target: str, content: bytes, form: str = "FORMAT csv, HEADER match") -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN WITH ({form})") as stream:
        stream.write(content)


def ask(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", FIXED)
def test_binary_rows_are_those_of_the_csv_files(database: Connection, name: str) -> None:
    table = TABLES[name]
    parts = [binary_rows(table, columns) for found, columns in rows(Chain(scale=3)) if found == name]
    with database.transaction(force_rollback=True):
        database.execute(f"CREATE TABLE copied AS SELECT {', '.join(table.names)} FROM {name} LIMIT 0")
        copy(database, "copied", BINARY_HEAD + b"".join(parts) + BINARY_TAIL, "FORMAT binary")
        columns = ", ".join(table.names)
        for first, second in (("copied", name), (name, "copied")):
            assert ask(database, f"SELECT {columns} FROM {first} EXCEPT ALL SELECT {columns} FROM {second}") == []
        assert ask(database, "SELECT count(*) > 0 FROM copied") == [(True,)]


def test_reverting_leaves_nothing_and_deploying_again_works(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE empty")
    with psycopg.connect(server, dbname="empty", autocommit=True) as connection:
        for _ in range(2):
            migrate(connection)
            migrate(connection, "verify")
            migrate(connection, "revert")
            left = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            assert ask(connection, left) == []
            functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            assert ask(connection, functions) == []


def test_an_update_moves_the_cursor_and_one_that_changes_nothing_does_not(database: Connection) -> None:
    change = "UPDATE members SET member_age = {} WHERE member_id = 1 RETURNING updated_at"
    ((first,),) = ask(database, "SELECT updated_at FROM members WHERE member_id = 1")
    ((same,),) = ask(database, change.format("member_age"))
    ((moved,),) = ask(database, change.format("member_age + 1"))
    assert first == same < moved


@pytest.fixture(scope="module")
def live(database: Connection) -> Live:
    before = ask(database, "SELECT count(*) FROM routeclimbs")[0][0]
    made = Live(database, seed=1)
    made.run(rate=1e9, rows=600)
    assert made.rows["insert"] > 200
    after = ask(database, "SELECT count(*) FROM routeclimbs")[0][0]
    assert after > before
    return made


class TestLive:
    """A stream of changes keeps the tables consistent."""

    def test_it_inserts_updates_and_deletes(self, live: Live) -> None:
        assert all(live.rows[kind] for kind in ("insert", "update", "delete"))
        assert live.rows.total() < 610

    @pytest.mark.parametrize(
        "wrong",
        [
            "SELECT FROM climbingsessions LEFT JOIN sessiongyms USING (climbing_session_id) WHERE gym_id IS NULL",
            "SELECT FROM climbingsessions WHERE scan_out_datetime < scan_in_datetime",
            "SELECT FROM members LEFT JOIN memberships USING (member_id) WHERE membership_id IS NULL",
            "SELECT FROM members JOIN memberships USING (member_id)"
            " WHERE (membership_end_date IS NULL) = (member_status IN (3, 4))",
            "SELECT FROM memberaddresses WHERE address_status = 1 GROUP BY member_id HAVING count(*) <> 1",
            "SELECT FROM routeclimbs WHERE route_climb_end_datetime < route_climb_start_datetime",
            "SELECT FROM routeclimbs c WHERE NOT EXISTS (SELECT FROM climbingsessions s WHERE s.member_id = c.member_id"
            " AND route_climb_start_datetime >= scan_in_datetime"
            " AND route_climb_end_datetime <= coalesce(scan_out_datetime, 'infinity'))",
        ],
    )
    def test_nothing_is_half_done(self, database: Connection, live: Live, wrong: str) -> None:
        assert len(ask(database, wrong)) == 0

    def test_it_keeps_the_rate(self, database: Connection, live: Live) -> None:
        slow = Live(database, seed=2)
        slow.run(rate=40, seconds=1.5)
        assert 20 <= slow.rows.total() <= 75

    def test_a_second_stream_is_refused(self, server: str, live: Live, capsys: pytest.CaptureFixture[str]) -> None:
        with psycopg.connect(server, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(hashtext('hanger-oltp live'))")
            assert main(["live", "--database", server, "--owner=", "--rows=1"]) == 1
        assert "Another stream of changes runs" in capsys.readouterr().err
        assert main(["live", "--database", server, "--owner=", "--rows=1", "--rate=1000"]) == 0

    def test_an_empty_database_is_refused(self, server: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["live", "--database", server.replace("postgres", "empty"), "--owner="]) == 1
        assert "hanger-oltp: " in capsys.readouterr().err


def test_files_of_the_plan_are_all_there() -> None:
    for kind in ("deploy", "revert", "verify"):
        names = {path.stem for path in (Path(__file__).parents[1] / "migrations" / kind).iterdir()}
        assert names == {"gym", "chain", "cursors"}
