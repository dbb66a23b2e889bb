"""The rows of the source stand in the warehouse, and the secrets nowhere in clear."""

import pytest
from snowflake.connector.errors import ProgrammingError


@pytest.fixture(scope="module")
def warehouse(login):
    with login("MOLECULE_EL", "molecule-el/molecule_el.p8") as session:
        yield session.cursor()


def source(host, query):
    return host.check_output(f"cd / && sudo -u postgres psql -XAtq thehangerdb -c '{query}'").strip()


@pytest.mark.parametrize("table", ["members", "routeclimbs"])
def test_each_table_has_the_rows_of_its_source(host, warehouse, table):
    copied = warehouse.execute(f"SELECT count(*) FROM MOLECULE_EL.GYM.{table}").fetchone()[0]
    assert copied == int(source(host, f"SELECT count(*) FROM {table}")) > 0


def test_values_arrive_unchanged(host, warehouse):
    fields = "route_climb_id, route_id, member_id, route_climb_start_datetime, route_climb_rating"
    wanted = source(host, f"SELECT {fields} FROM routeclimbs ORDER BY route_climb_id LIMIT 20")
    rows = warehouse.execute(f"SELECT {fields} FROM MOLECULE_EL.GYM.ROUTECLIMBS ORDER BY 1 LIMIT 20").fetchall()
    assert ["|".join(str(value) for value in row) for row in rows] == wanted.split("\n")


def test_a_table_outside_the_connection_was_not_copied(warehouse):
    with pytest.raises(ProgrammingError, match="does not exist"):
        warehouse.execute("SELECT count(*) FROM MOLECULE_EL.GYM.ROUTES")


def test_secrets_are_kept_as_fingerprints_for_root_only(host):
    with host.sudo():
        kept = host.file("/var/lib/thehanger/airbyte/secrets.json")
        assert (kept.user, kept.mode) == ("root", 0o600)
        assert "only-in-this-scenario" not in kept.content_string
        assert "PRIVATE KEY" not in kept.content_string
