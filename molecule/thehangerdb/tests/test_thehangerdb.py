import re

import pytest
from hanger_oltp.tables import TABLES

testinfra_hosts = ["ansible://oltp"]


def test_tables_belong_to_the_owner(as_postgres):
    listed = as_postgres("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'", "thehangerdb")
    assert set(listed.split()) == {f"{table}|thehanger" for table in TABLES}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_columns_are_those_that_the_generator_knows(as_postgres, table):
    described = f"""
        SELECT column_name, data_type, coalesce(character_maximum_length, 0), is_nullable
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table.name}'
        ORDER BY ordinal_position
    """
    types = {
        "int": "integer",
        "text": "character varying",
        "timestamp": "timestamp without time zone",
        "date": "date",
    }
    wanted = [
        f"{column.name}|{types[column.kind]}|{column.length}|{'NO' if column.required else 'YES'}"
        for column in table.columns
    ]
    wanted.append("updated_at|timestamp with time zone|0|NO")
    assert as_postgres(described, "thehangerdb").split("\n") == wanted


def test_every_table_and_column_is_described(as_postgres):
    silent = """
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
        AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)
    """
    assert as_postgres(silent, "thehangerdb") == ""


def test_every_foreign_key_has_an_index(as_postgres):
    bare = """
        SELECT conrelid::regclass, conname FROM pg_constraint f
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = f.conrelid AND indkey[0] = f.conkey[1])
    """
    assert as_postgres(bare, "thehangerdb") == ""


def test_keys_and_indexes_are_all_there_after_a_load(as_postgres):
    kinds = "SELECT contype, count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    counted = as_postgres(f"{kinds} AND contype IN ('p', 'f', 'u') GROUP BY 1 ORDER BY 1", "thehangerdb")
    assert counted.split() == ["f|18", "p|16", "u|2"]
    assert as_postgres("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%updated_at_idx'", "thehangerdb") == "16"


def test_data_are_those_of_the_reload(as_postgres):
    generated = "SELECT count(*) FROM members WHERE member_joined_datetime < '2026-01-01'"
    assert as_postgres(generated, "thehangerdb") == "100"
    assert 1100 < int(as_postgres("SELECT count(*) FROM routeclimbs", "thehangerdb")) < 1600
    comment = as_postgres("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'thehangerdb'")
    assert re.fullmatch(r"Generated data, scale=2 seed=42 until=2026-01-01 generator=\d+", comment)


def test_live_changes_came_after_them(as_postgres):
    later = "SELECT count(*) > 10 FROM {} WHERE updated_at > (SELECT min(updated_at) FROM {})"
    for table in ("climbingsessions", "routeclimbs"):
        assert as_postgres(later.format(table, table), "thehangerdb") == "t"


def test_climbs_lie_in_sessions_on_routes_that_are_on_the_wall(as_postgres):
    outside = """
        SELECT count(*) FROM routeclimbs c WHERE NOT EXISTS (
            SELECT FROM climbingsessions s
            JOIN sessiongyms g USING (climbing_session_id)
            JOIN routesettings r ON r.route_id = c.route_id AND r.gym_id = g.gym_id
                AND r.route_set_date <= c.route_climb_start_datetime
                AND coalesce(r.route_retired_date > c.route_climb_end_datetime, true)
            WHERE s.member_id = c.member_id AND c.route_climb_start_datetime >= s.scan_in_datetime
            AND coalesce(c.route_climb_end_datetime <= s.scan_out_datetime, true))
    """
    assert as_postgres(outside, "thehangerdb") == "0"


def test_a_new_row_gets_the_next_number_and_an_update_moves_its_cursor(as_postgres):
    ask = """
        BEGIN;
        INSERT INTO routecolors (route_color) VALUES ('Grey') RETURNING route_color_id > 10;
        UPDATE routecolors SET route_color = 'Gray' WHERE route_color = 'Grey' RETURNING updated_at > now();
        ROLLBACK;
    """
    assert as_postgres(ask, "thehangerdb").split() == ["t", "t"]


def test_a_rating_out_of_range_and_an_unknown_member_are_refused(host):
    for values, reason in (
        ("0, 1, 1, now(), now(), 11", "check constraint"),
        ("0, 1, 0, now(), now(), 5", "foreign key"),
    ):
        refused = host.run(
            f"cd / && sudo -u postgres psql -d thehangerdb -c 'INSERT INTO routeclimbs VALUES ({values})'"
        )
        assert refused.rc != 0
        assert reason in refused.stderr


def test_planner_knows_the_tables(as_postgres):
    known = as_postgres(
        "SELECT count(*) FROM pg_class WHERE relname = 'routeclimbs' AND reltuples > 1000", "thehangerdb"
    )
    assert known == "1"


def test_nothing_is_left_of_the_copies(host):
    assert host.run("ls -d /var/tmp/*thehangerdb*").rc != 0
