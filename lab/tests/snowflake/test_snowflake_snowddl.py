"""SnowDDL's first statement, which says what account it is in."""

from __future__ import annotations

import json

from snowflake_support import Client

FIRST = """
    SELECT CURRENT_ACCOUNT() AS current_account
        , CURRENT_ROLE() AS current_role
        , IS_ROLE_IN_SESSION('ACCOUNTADMIN') AS is_account_admin
        , SYSTEM$BOOTSTRAP_DATA_REQUEST('ACCOUNT') AS bootstrap_account
        , SYSTEM$SHOW_ACTIVE_BEHAVIOR_CHANGE_BUNDLES() AS active_bundles
"""


def test_it_learns_edition_version_and_open_changes(admin: Client) -> None:
    (found,) = admin.dicts(FIRST)
    assert (found["CURRENT_ROLE"], found["IS_ACCOUNT_ADMIN"]) == ("ACCOUNTADMIN", True)
    account = json.loads(found["BOOTSTRAP_ACCOUNT"])
    assert account["accountInfo"]["serviceLevelName"] == "ENTERPRISE"
    assert account["serverVersion"] == admin.value("SELECT CURRENT_VERSION()")
    assert json.loads(found["ACTIVE_BUNDLES"]) == []
