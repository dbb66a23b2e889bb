"""What a role inherits is remembered between statements, and never longer than it is true."""

from __future__ import annotations

import pytest
from hanger_lab.snowflake import access
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.model import RoleGrant
from snowflake_support import Inside


@pytest.fixture
def chain(inside: Inside) -> Inside:
    """READER goes to TEAM and TEAM to LEAD."""
    inside.run("CREATE ROLE READER", "CREATE ROLE TEAM", "CREATE ROLE LEAD")
    inside.run("GRANT ROLE READER TO ROLE TEAM", "GRANT ROLE TEAM TO ROLE LEAD")
    return inside


def held(account: Inside, role: str) -> set[str]:
    return set(access.inherited(account.account.catalog, [role])) - {"PUBLIC", role}


def test_a_role_inherits_what_its_roles_inherit(chain: Inside) -> None:
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    assert held(chain, "READER") == set()


def test_a_new_grant_is_inherited_at_once(chain: Inside) -> None:
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    chain.run("CREATE ROLE LATE", "GRANT ROLE LATE TO ROLE READER")
    assert held(chain, "LEAD") == {"TEAM", "READER", "LATE"}


def test_a_revoked_role_is_lost_at_once(chain: Inside) -> None:
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    chain.run("REVOKE ROLE READER FROM ROLE TEAM")
    assert held(chain, "LEAD") == {"TEAM"}


def test_a_dropped_role_is_lost_at_once(chain: Inside) -> None:
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    chain.run("DROP ROLE TEAM")
    assert held(chain, "LEAD") == set()


def test_a_renamed_role_keeps_its_place(chain: Inside) -> None:
    assert held(chain, "LEAD") == {"TEAM", "READER"}
    chain.run("ALTER ROLE TEAM RENAME TO CREW")
    assert held(chain, "LEAD") == {"CREW", "READER"}
    assert held(chain, "CREW") == {"READER"}


def test_a_grant_that_does_not_reach_the_disk_is_not_inherited(chain: Inside) -> None:
    catalog = chain.account.catalog
    with pytest.raises(SnowflakeError), catalog.change():
        catalog.grant_role(RoleGrant("ACCOUNTADMIN", "ROLE", "READER", ""))
        assert "ACCOUNTADMIN" in held(chain, "LEAD")
        raise SnowflakeError(1, "42000", "the statement fails")
    assert held(chain, "LEAD") == {"TEAM", "READER"}
