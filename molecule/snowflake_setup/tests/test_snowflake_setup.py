"""What was granted works, and what was not is refused, through the real connector."""

import json
import os
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, ProgrammingError

LAB = Path(os.environ.get("HANGER_LAB_DIR", ".lab")).resolve()
ACCOUNT = json.loads((LAB / "lab.json").read_text())["snowflake"]
KEYS = LAB / "secrets/molecule"


def login(user, key=None, **options):
    return snowflake.connector.connect(
        account=ACCOUNT["account"],
        host=ACCOUNT["host"],
        port=ACCOUNT["port"],
        protocol=ACCOUNT["protocol"],
        user=user,
        private_key_file=str(KEYS / f"{(key or user).lower()}.p8"),
        login_timeout=10,
        network_timeout=20,
        **options,
    )


@pytest.fixture(scope="module")
def table():
    """A table that did not exist when its grants were described."""
    with login("MOLECULE_ROBOT", role="MOLECULE_WRITER") as session:
        session.cursor().execute("CREATE OR REPLACE TABLE MOLECULE_RAW.GYM.CLIMBS (ID NUMBER)")
        session.cursor().execute("INSERT INTO MOLECULE_RAW.GYM.CLIMBS VALUES (1), (2)")
    return "MOLECULE_RAW.GYM.CLIMBS"


def count(session, table):
    return session.cursor().execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_the_default_role_reads_a_table_by_its_future_grant(table):
    with login("MOLECULE_ROBOT") as session:
        assert session.cursor().execute("SELECT current_role()").fetchone()[0] == "MOLECULE_READER"
        assert count(session, table) == 2


def test_reading_does_not_allow_writing(table):
    with login("MOLECULE_ROBOT") as session, pytest.raises(ProgrammingError):
        session.cursor().execute(f"INSERT INTO {table} VALUES (3)")


def test_a_select_without_the_grant_is_refused(table):
    with login("MOLECULE_GUEST") as session, pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        count(session, table)


def test_a_role_that_was_not_granted_is_refused():
    with pytest.raises(DatabaseError, match="MOLECULE_WRITER"):
        login("MOLECULE_GUEST", role="MOLECULE_WRITER")


def test_an_unknown_role_is_refused():
    with pytest.raises(DatabaseError, match="MOLECULE_NOBODY"):
        login("MOLECULE_GUEST", role="MOLECULE_NOBODY")


def test_the_key_of_another_user_is_refused():
    with pytest.raises(DatabaseError, match="JWT"):
        login("MOLECULE_GUEST", key="MOLECULE_ROBOT")


def test_keys_are_readable_by_their_owner_only():
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in KEYS.glob("*.p8")} == {
        "molecule_guest.p8": "0o600",
        "molecule_robot.p8": "0o600",
    }
