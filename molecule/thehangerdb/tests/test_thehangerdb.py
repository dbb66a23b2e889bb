testinfra_hosts = ["ansible://oltp"]

TABLES = {
    "addressstati",
    "climbinggrades",
    "climbingsessions",
    "memberaddresses",
    "members",
    "memberstatustypes",
    "membertypes",
    "routeclimbs",
    "routecolors",
    "routes",
}


def test_ten_tables_belong_to_the_owner(as_postgres):
    listed = as_postgres("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'", "thehangerdb")
    assert set(listed.split()) == {f"{table}|thehanger" for table in TABLES}


def test_data_are_those_of_the_reload(as_postgres):
    assert as_postgres("SELECT count(*) FROM members", "thehangerdb") == "100"
    assert 1100 < int(as_postgres("SELECT count(*) FROM routeclimbs", "thehangerdb")) < 1300
    comment = as_postgres("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'thehangerdb'")
    assert comment == "Generated data, scale=2 seed=42 until=2026-01-01 generator=1"


def test_climbs_lie_in_sessions(as_postgres):
    outside = """
        SELECT count(*) FROM routeclimbs c WHERE NOT EXISTS (
            SELECT FROM climbingsessions s WHERE s.member_id = c.member_id
            AND c.route_climb_start_datetime > s.scan_in_datetime AND c.route_climb_end_datetime < s.scan_out_datetime)
    """
    assert as_postgres(outside, "thehangerdb") == "0"


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
