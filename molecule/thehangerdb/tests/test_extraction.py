import pytest
import testinfra

testinfra_hosts = ["ansible://el"]
PASSWORD = "only-in-this-scenario"


@pytest.fixture(scope="module")
def oltp(request):
    return testinfra.get_hosts(["ansible://oltp"], ansible_inventory=request.config.option.ansible_inventory)[0]


@pytest.fixture(scope="module")
def extraction(oltp):
    address = oltp.check_output("hostname -I").split()[0]
    return {"host": address, "dbname": "thehangerdb", "user": "extraction", "sslmode": "require"}


def test_el_reads_every_table_over_tls(psql, extraction):
    answer = psql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", PASSWORD, **extraction)
    assert (answer.stdout.strip(), answer.stderr) == ("t", "")
    readable = """
        SELECT count(*) FROM pg_tables
        WHERE schemaname = 'public' AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
    """
    assert psql(readable, PASSWORD, **extraction).stdout.strip() == "16"
    assert psql("SELECT count(*) >= 100 FROM members", PASSWORD, **extraction).stdout.strip() == "t"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"dbname": "postgres"}, "no pg_hba.conf entry"),
        ({"user": "postgres"}, "no pg_hba.conf entry"),
        ({"user": "thehanger"}, "no pg_hba.conf entry"),
    ],
)
def test_other_ways_in_are_refused(psql, extraction, change, reason):
    refused = psql("SELECT 1", **{"password": PASSWORD, **extraction, **change})
    assert refused.rc != 0
    assert reason in refused.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO routecolors VALUES (99, 'Grey')",
        "UPDATE routes SET gym_quadrant = 1",
        "DELETE FROM routeclimbs",
        "TRUNCATE routeclimbs",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SET ROLE thehanger",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_extraction_can_only_read(psql, extraction, statement):
    refused = psql(statement, PASSWORD, **extraction)
    assert refused.rc != 0
    assert "permission denied" in refused.stderr


def test_another_address_is_refused(oltp, extraction):
    target = " ".join(f"{key}={value}" for key, value in extraction.items())
    refused = oltp.run("env PGPASSWORD=%s psql -c 'SELECT 1' %s", PASSWORD, target)
    assert refused.rc != 0
    assert "no pg_hba.conf entry" in refused.stderr


def test_a_table_that_the_owner_makes_later_is_readable(oltp, psql, extraction):
    as_owner = "cd / && sudo -u postgres psql -d thehangerdb -c 'SET ROLE thehanger' -c "
    oltp.check_output(as_owner + "'CREATE TABLE later AS SELECT 7 AS id'")
    try:
        assert psql("SELECT id FROM later", PASSWORD, **extraction).stdout.strip() == "7"
    finally:
        oltp.check_output(as_owner + "'DROP TABLE later'")
