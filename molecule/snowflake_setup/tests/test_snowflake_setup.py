"""Each service user can do what its role is for, and is refused everything else."""

import stat
from pathlib import Path

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

KEYS = "molecule-snowflake"
MISSING = "does not exist or not authorized"


@pytest.fixture(scope="module")
def connect(login):
    """Log a user in with its own key, or with another's."""
    return lambda user, key=None, **settings: login(user, f"{KEYS}/{(key or user).lower()}.p8", **settings)


@pytest.fixture(scope="module")
def writer(connect):
    with connect("MOLECULE_WRITER") as session:
        session.cursor().execute("CREATE TABLE IF NOT EXISTS MOLECULE.LANDING.CLIMBS (ID INT)")
        session.cursor().execute("CREATE TABLE IF NOT EXISTS MOLECULE.HIDDEN.CLIMBS (ID INT)")
        session.cursor().execute("INSERT INTO MOLECULE.LANDING.CLIMBS VALUES (1), (2)")
        yield session


@pytest.fixture(scope="module")
def reader(writer, connect):
    with connect("MOLECULE_READER") as session:
        yield session


def rows(session, statement):
    return session.cursor().execute(statement).fetchall()


def test_a_new_session_has_the_defaults_of_its_user(reader):
    assert rows(reader, "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()") == [("MOLECULE_READER", "MOLECULE")]


def test_a_future_grant_makes_a_new_table_readable(reader):
    assert rows(reader, "SELECT COUNT(*) FROM MOLECULE.LANDING.CLIMBS") == [(2,)]


def test_a_table_without_the_grant_is_refused(reader):
    with pytest.raises(ProgrammingError, match=MISSING):
        rows(reader, "SELECT * FROM MOLECULE.HIDDEN.CLIMBS")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO MOLECULE.LANDING.CLIMBS VALUES (3)",
        "CREATE TABLE MOLECULE.LANDING.MINE (ID INT)",
        "DROP TABLE MOLECULE.LANDING.CLIMBS",
        "GRANT SELECT ON TABLE MOLECULE.HIDDEN.CLIMBS TO ROLE MOLECULE_READER",
        "GRANT ROLE ACCOUNTADMIN TO USER MOLECULE_READER",
        "USE ROLE ACCOUNTADMIN",
        "CREATE DATABASE MINE",
    ],
)
def test_the_reader_cannot_write_or_grant(reader, statement):
    with pytest.raises(ProgrammingError):
        rows(reader, statement)


def test_another_users_key_is_refused(connect):
    with pytest.raises(DatabaseError, match="390144"):
        connect("MOLECULE_READER", key="MOLECULE_WRITER")


def test_a_role_that_is_not_granted_is_refused(connect):
    with pytest.raises(DatabaseError, match="390189"):
        connect("MOLECULE_READER", role="MOLECULE_WRITER")


def test_only_the_owner_can_read_the_private_keys(lab):
    keys = Path(lab["directory"], "secrets", KEYS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.glob("*.p8")}
    assert modes == {f"{name}.p8": 0o600 for name in ("deployer", "molecule_writer", "molecule_reader")}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


def test_a_key_that_was_exchanged_is_refused(lab, login):
    with pytest.raises(DatabaseError, match="390144"):
        login("MOLECULE_READER", f"{KEYS}/former.pem")


def test_the_deployment_user_is_no_administrator(connect):
    with connect("MOLECULE_DEPLOYER", key="deployer") as session:
        more = "GRANT ROLE ACCOUNTADMIN TO ROLE MOLECULE_DEPLOYER"
        for statement in ("USE ROLE ACCOUNTADMIN", "USE ROLE SYSADMIN", more):
            with pytest.raises(ProgrammingError):
                rows(session, statement)


def test_a_statement_of_a_warehouse_ends_after_its_time(reader):
    (row,) = rows(reader, "SHOW PARAMETERS LIKE 'STATEMENT_TIMEOUT_IN_SECONDS' IN WAREHOUSE MOLECULE")
    assert row[1] == "300"
