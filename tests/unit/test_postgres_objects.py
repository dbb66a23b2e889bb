"""What is told of PostgreSQL's objects: what differs, what goes beyond the lists, and what cannot be made."""

import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/postgres_server/filter_plugins"))
from postgres_drift import postgres_drift, postgres_drift_lines
from postgres_objects import postgres_object_steps, postgres_password_matches, postgres_wanted
from postgres_privileges import postgres_privilege_steps
from postgres_problems import postgres_object_problems

# Of the password "it's only here", as PostgreSQL 17 stored it.
VERIFIER = (
    "SCRAM-SHA-256$4096:Mb6rtYptLTK5xQbasEM/lg==$"
    "b5r1s2Jb0D9dQgQifwrAb/J+IUlyeHI1SiS22oMYF5c=:89yHBmsZqXD3M5wQYrJ9WEzTWvoc+ULKCpcuMzfmYeo="
)
ROLE = {
    **dict.fromkeys(("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "connected"), False),
    **{"LOGIN": True, "INHERIT": True, "connection_limit": -1, "verifier": None, "settings": None, "uses": 0},
}
OWN = [["gym", "gym", privilege, False] for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")]
STATE = {
    "cluster": {
        "version": 17,
        "user": "postgres",
        "wal_level": "logical",
        "max_slot_wal_keep_size": "4GB",
        "roles": {
            "postgres": {**ROLE, "SUPERUSER": True},
            "pg_monitor": {**ROLE, "LOGIN": False},
            "gym": {**ROLE, "LOGIN": False},
            "reader": {**ROLE, "verifier": VERIFIER, "settings": ["TimeZone=UTC"]},
        },
        "memberships": [["pg_monitor", "reader"]],
        "databases": {
            "postgres": {"owner": "postgres", "template": False, "settings": None, "acl": None},
            "gym": {
                **{"owner": "gym", "encoding": "UTF8", "lc_collate": "C.UTF-8", "lc_ctype": "C.UTF-8"},
                **{"connection_limit": -1, "template": False, "settings": ["TimeZone=UTC"]},
                "acl": [["gym", "PUBLIC", "CONNECT", False], ["gym", "reader", "CONNECT", False]],
            },
        },
        "slots": {"extraction": {"database": "gym", "type": "logical", "active": False, "wal_status": "reserved"}},
    },
    "databases": {
        "gym": {
            "schemas": {
                "public": {
                    "owner": "gym",
                    "extension": False,
                    "filled": True,
                    "acl": [["gym", "PUBLIC", "USAGE", False]],
                },
            },
            "extensions": {"plpgsql": {"version": "1.0", "schema": "pg_catalog", "used": False}},
            "relations": [
                {
                    **{"schema": "public", "name": "walls", "kind": "r", "owner": "gym", "extension": False},
                    **{"identity": "d", "identity_index": None},
                    "acl": [*OWN, ["gym", "reader", "SELECT", False]],
                }
            ],
            "functions": [],
            "defaults": [["gym", "public", "r", "reader", "SELECT", False]],
            "publications": {
                "changes": {
                    **{"owner": "gym", "all_tables": False, "tables": ["public.walls"]},
                    **{"publish": "insert,update,delete,truncate", "publish_via_partition_root": False},
                }
            },
        }
    },
}
SELECT = {"database": "gym", "type": "table", "schema": "public", "roles": ["reader"], "privileges": ["SELECT"]}
LISTS = {
    "databases": [{"name": "gym", "owner": "gym", "settings": {"timezone": "UTC"}}],
    "roles": [
        {"name": "gym", "login": False},
        {"name": "reader", "password": "it's only here", "configuration": {"timezone": "UTC"}},
    ],
    "memberships": [{"group": "pg_monitor", "members": ["reader"]}],
    "schemas": [],
    "extensions": [],
    "privileges": [
        {**SELECT, "objects": ["ALL_IN_SCHEMA"]},
        {"database": "gym", "type": "database", "roles": ["reader"], "privileges": ["CONNECT"]},
    ],
    "default_privileges": [
        {"database": "gym", "owner": "gym", "schema": "public", "objects": "TABLES"}
        | {"roles": ["reader"], "privileges": ["SELECT"]}
    ],
    "publications": [{"database": "gym", "name": "changes", "tables": ["walls"]}],
    "slots": [{"database": "gym", "name": "extraction"}],
    "replica_identities": [{"database": "gym", "table": "walls", "identity": "default"}],
    "heartbeats": [],
    "cdc_wait": False,
    "exclusive": [],
}


def wanted(**changes):
    return postgres_wanted({**LISTS, **changes})


@pytest.fixture
def state():
    return copy.deepcopy(STATE)


def steps(lists, state):
    return {
        kind: items
        for kind, items in {**postgres_object_steps(lists, state), **postgres_privilege_steps(lists, state)}.items()
        if items
    }


def test_nothing_is_done_where_all_is_as_wanted(state):
    assert steps(wanted(), state) == {}
    assert postgres_object_problems(wanted(), state, {}) == []
    assert postgres_drift(wanted(exclusive=["all"]), state) == {"drop": [], "kept": []}
    assert steps(wanted(exclusive=["all"]), state) == {}


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("roles", {"name": "reader", "password": "another"}),
        ("roles", {"name": "reader", "flags": ["REPLICATION"]}),
        ("roles", {"name": "reader", "flags": ["NOINHERIT"]}),
        ("roles", {"name": "reader", "login": False}),
        ("roles", {"name": "reader", "connection_limit": 3}),
        ("roles", {"name": "reader", "configuration": {"statement_timeout": "1h"}}),
        ("roles", {"name": "writer"}),
        ("databases", {"name": "gym", "owner": "reader"}),
        ("databases", {"name": "shop"}),
        ("memberships", {"group": "pg_monitor", "members": ["reader", "gym"]}),
        ("memberships", {"group": "pg_monitor", "members": ["reader"], "state": "absent"}),
        ("schemas", {"database": "gym", "name": "archive"}),
        ("schemas", {"database": "gym", "name": "public", "owner": "reader"}),
        ("extensions", {"database": "gym", "name": "pg_stat_statements"}),
        (
            "publications",
            {"database": "gym", "name": "changes", "tables": ["walls"], "parameters": {"publish": "insert"}},
        ),
        ("slots", {"database": "gym", "name": "another"}),
        ("privileges", {**SELECT, "objects": ["walls"], "privileges": ["SELECT", "UPDATE"]}),
        ("privileges", {**SELECT, "objects": ["walls"], "grant_option": True}),
        ("privileges", {**SELECT, "objects": ["walls"], "state": "absent"}),
        ("privileges", {**SELECT, "objects": ["ALL_IN_SCHEMA"], "privileges": ["ALL"]}),
    ],
)
def test_only_what_differs_is_done(state, kind, item):
    found = steps(wanted(**{kind: [item]}), state)
    assert list(found) == [kind]
    assert len(found[kind]) == 1


def test_the_flags_of_a_role_and_how_the_server_spells_its_settings_reach_the_module(state):
    item = {"name": "reader", "flags": ["createdb"], "configuration": {"timezone": "UTC", "jit": False}}
    made = postgres_object_steps(wanted(roles=[item]), state)["roles"][0]
    assert made["flags"] == ["LOGIN", "CREATEDB"]
    assert made["configuration"] == {"TimeZone": "UTC", "jit": "off"}


@pytest.mark.parametrize(
    ("password", "verifier", "same"),
    [
        ("it's only here", VERIFIER, True),
        ("it's only there", VERIFIER, False),
        ("it's only here", None, False),
        ("it's only here", "md5bc2dd3b0a5a9ad3b2d0c5e6f9c0d7c44", False),
        (VERIFIER, VERIFIER, True),
        (None, VERIFIER, True),
        ("whatever", "********", True),
    ],
)
def test_a_password_is_held_against_its_verifier(password, verifier, same):
    assert postgres_password_matches(password, verifier) is same


def test_everything_differs_in_a_database_that_is_not_there(state):
    lists = wanted(databases=[{"name": "shop"}], privileges=[{**SELECT, "database": "shop", "objects": ["t"]}])
    found = steps(lists, state)
    assert [item["database"] for item in found["privileges"]] == ["shop"]


def test_a_publication_waits_for_its_tables_and_a_slot_for_its_publication(state):
    publication = {"database": "gym", "name": "more", "tables": ["walls", "holds"]}
    slot = {"database": "gym", "name": "another"}
    lists = wanted(publications=[publication], slots=[slot], cdc_wait=True)
    assert postgres_object_problems(lists, state, {}) == []
    found = steps(lists, state)
    assert found == {"waiting": [publication]}


def test_a_heartbeat_brings_its_schema_and_its_privileges(state):
    beat = {"database": "gym", "owner": "gym", "roles": ["reader"]}
    lists = wanted(
        heartbeats=[beat], publications=[{"database": "gym", "name": "changes", "tables": ["cdc.heartbeat"]}]
    )
    assert postgres_object_problems(lists, state, {}) == []
    found = steps(lists, state)
    assert set(found) == {"schemas", "heartbeats", "privileges", "publications"}
    assert 'ALTER TABLE "cdc"."heartbeat" OWNER TO "gym"' in found["heartbeats"][0]["query"]
    assert [item["objects"] for item in found["privileges"]] == [["cdc"], ["heartbeat"]]


class TestExclusive:
    """Beyond the lists."""

    def revoked(self, state, *kinds, **changes):
        lists = wanted(exclusive=list(kinds), **changes)
        return [(step["role"], step["query"]) for step in postgres_privilege_steps(lists, state)["revocations"]]

    def test_nothing_is_revoked_unless_asked(self, state):
        state["databases"]["gym"]["relations"][0]["acl"].append(["gym", "reader", "DELETE", False])
        assert self.revoked(state) == []

    def test_a_privilege_beyond_the_list_goes_with_what_was_passed_on(self, state):
        state["databases"]["gym"]["relations"][0]["acl"].append(["gym", "reader", "DELETE", True])
        assert self.revoked(state, "privileges") == [
            ("", 'REVOKE DELETE ON TABLE "public"."walls" FROM "reader" CASCADE')
        ]

    def test_the_right_to_pass_on_goes_alone(self, state):
        state["databases"]["gym"]["relations"][0]["acl"][-1][-1] = True
        expected = 'REVOKE GRANT OPTION FOR SELECT ON TABLE "public"."walls" FROM "reader" CASCADE'
        assert self.revoked(state, "privileges") == [("", expected)]

    def test_what_another_granted_is_revoked_in_his_name(self, state):
        state["databases"]["gym"]["relations"][0]["acl"].append(["friend", "reader", "INSERT", False])
        assert self.revoked(state, "privileges")[0][0] == "friend"

    def test_everybody_keeps_what_postgresql_gives_and_no_more(self, state):
        acl = state["databases"]["gym"]["relations"][0]["acl"]
        acl.append(["gym", "PUBLIC", "SELECT", False])
        assert self.revoked(state, "privileges") == [
            ("", 'REVOKE SELECT ON TABLE "public"."walls" FROM PUBLIC CASCADE')
        ]

    def test_owners_superusers_extensions_and_the_unlisted_are_left_alone(self, state):
        relation = state["databases"]["gym"]["relations"][0]
        relation["acl"] += [["gym", "postgres", "ALL", False], ["gym", "stranger", "SELECT", False]]
        state["databases"]["gym"]["relations"].append({**relation, "extension": True, "name": "pg_stat_statements"})
        state["databases"]["gym"]["relations"][1]["acl"] = [["postgres", "PUBLIC", "SELECT", False]]
        assert self.revoked(state, "privileges") == []

    def test_default_privileges_beyond_the_list_go(self, state):
        state["databases"]["gym"]["defaults"].append(["gym", "public", "r", "reader", "INSERT", False])
        expected = 'ALTER DEFAULT PRIVILEGES FOR ROLE "gym" IN SCHEMA "public" REVOKE INSERT ON TABLES FROM "reader"'
        assert self.revoked(state, "default_privileges") == [("", expected)]

    def test_what_a_default_privilege_gave_is_no_drift(self, state):
        database_only = [LISTS["privileges"][1]]
        assert self.revoked(state, "privileges", privileges=database_only) == []

    def test_settings_that_are_not_listed_are_reset(self, state):
        lists = wanted(exclusive=["settings"], databases=[{"name": "gym"}], roles=[{"name": "reader"}])
        found = steps(lists, state)
        assert [step["query"] for step in found["database_settings"]] == ['ALTER DATABASE "gym" RESET timezone']
        assert [step["name"] for step in found["roles"]] == ["reader"]

    def test_only_what_is_unused_is_dropped_and_the_rest_is_told(self, state):
        cluster, gym = state["cluster"], state["databases"]["gym"]
        cluster["roles"] |= {
            **{"idle": ROLE, "busy": {**ROLE, "connected": True}, "owner": {**ROLE, "uses": 2}},
            "root": {**ROLE, "SUPERUSER": True},
        }
        cluster["memberships"] += [["gym", "reader"], ["pg_monitor", "root"], ["pg_monitor", "idle"]]
        cluster["databases"] |= {
            "shop": {"template": False, "owner": "gym", "settings": None},
            "template1": {"template": True, "owner": "gym", "settings": None},
        }
        gym["schemas"] |= {
            name: {"owner": "gym", "extension": name == "postgis", "filled": name == "full", "acl": []}
            for name in ("empty", "full", "postgis")
        }
        gym["extensions"] |= {
            name: {"version": "1", "schema": "public", "used": name == "used"} for name in ("used", "unused")
        }
        gym["publications"]["stray"] = gym["publications"]["changes"]
        slot = {"database": "gym", "type": "logical", "active": False}
        cluster["slots"] |= {"stale": {**slot, "wal_status": "lost"}, "foreign": {**slot, "wal_status": "reserved"}}
        drift = postgres_drift(wanted(exclusive=["all"]), state)
        assert [item["name"] for item in drift["drop"]] == ["idle", "reader in gym", "empty", "unused", "stale"]
        assert {item["name"]: item["why"].split()[0] for item in drift["kept"]} == {
            **{"busy": "it", "owner": "it", "root": "it", "shop": "databases", "full": "it", "used": "something"},
            **{"stray": "the", "foreign": "its"},
        }
        assert "kept, though not in postgres_server_roles: root, for it is a superuser" in postgres_drift_lines(drift)
        assert postgres_drift(wanted(), state) == {"drop": [], "kept": []}


class TestProblems:
    """Refused before anything changes."""

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"roles": [{"name": "gym"}, {"name": "gym"}]}, "postgres_server_roles holds gym 2 times"),
            ({"roles": [{"name": "pg_gym"}]}, "pg_gym begins with pg_"),
            ({"roles": [{"name": "public"}]}, "public is a word of PostgreSQL's"),
            ({"roles": [{"name": "x" * 64}]}, "has 64 bytes, and PostgreSQL takes 1 to 63"),
            ({"roles": [{"name": "a", "flags": ["SUPER"]}]}, "SUPER is no flag; there are SUPERUSER"),
            ({"roles": [{"name": "a", "flags": ["CREATEDB", "NOCREATEDB"]}]}, "contradict each other"),
            ({"roles": [{"name": "a", "connection_limit": -2}]}, "connection_limit must be -1"),
            ({"roles": [{"name": "postgres", "state": "absent"}]}, "postgres is the superuser that this role works as"),
            ({"databases": [{"name": "template1", "state": "absent"}]}, "template1 belongs to PostgreSQL"),
            ({"databases": [{"name": "gym", "owner": "nobody"}]}, "there is no role nobody. Correct the name, or add"),
            (
                {"databases": [{"name": "gym", "encoding": "LATIN1"}]},
                "encoding is UTF8 and cannot be changed to LATIN1",
            ),
            ({"memberships": [{"group": "pg_monitor", "members": ["nobody"]}]}, "there is no role nobody"),
            ({"roles": [{"name": "reader", "state": "absent"}]}, "there is no role reader"),
            ({"privileges": [{**SELECT, "objects": ["walls"], "roles": ["raeder"]}]}, "there is no role raeder"),
            (
                {"privileges": [{**SELECT, "objects": ["walls"], "privileges": ["READ"]}]},
                "READ is no privilege on a table",
            ),
            ({"privileges": [SELECT]}, "a table of gym is not named. Set objects"),
            ({"schemas": [{"database": "gmy", "name": "a"}]}, "there is no database gmy. Correct the name, or add"),
            ({"publications": [{"database": "gym", "name": "a", "tables": ["wals"]}]}, "there is no table wals in gym"),
            ({"publications": [{"database": "gym", "name": "a", "tables": []}]}, "tables is empty"),
            ({"replica_identities": [{"database": "gym", "table": "walls", "identity": "index"}]}, "index is not set"),
            ({"slots": [{"database": "gym", "name": "Slot-1"}]}, "may only hold lower case letters"),
            ({"slots": [{"name": "a"}]}, "a is logical and needs a database"),
            ({"slots": [{"database": "postgres", "name": "extraction"}]}, "exists in the database gym"),
        ],
    )
    def test_a_problem_is_named(self, state, changes, message):
        found = postgres_object_problems(wanted(**changes), state, {})
        assert [text for text in found if message in text], found
        assert all(text.startswith("postgres_server_") for text in found)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"wal_level": "replica"}, "extraction needs postgres_server_settings to hold wal_level: logical"),
            ({"max_slot_wal_keep_size": -1}, "a forgotten extraction would fill the disk"),
        ],
    )
    def test_a_slot_needs_its_settings(self, state, settings, message):
        assert [text for text in postgres_object_problems(wanted(), state, settings) if message in text]

    def test_a_slot_that_would_keep_the_server_from_starting(self, state):
        refused = postgres_object_problems(wanted(slots=[]), state, {"wal_level": "replica"})
        assert "would not start with wal_level replica while it has the slot extraction" in refused[0]
        gone = wanted(slots=[{"database": "gym", "name": "extraction", "state": "absent"}])
        assert postgres_object_problems(gone, state, {"wal_level": "replica"}) == []
        assert [item["name"] for item in postgres_object_steps(gone, state)["drop_slots"]] == ["extraction"]

    def test_a_slot_that_is_read_is_not_dropped(self, state):
        state["cluster"]["slots"]["extraction"]["active"] = True
        gone = wanted(slots=[{"database": "gym", "name": "extraction", "state": "absent"}])
        assert "is being read and cannot be dropped" in postgres_object_problems(gone, state, {})[0]

    def test_without_a_server_only_the_lists_are_judged(self):
        settings = {"wal_level": "logical", "max_slot_wal_keep_size": "1GB"}
        assert postgres_object_problems(wanted(), {}, settings) == []
        nobody = wanted(databases=[{"name": "gym", "owner": "nobody"}])
        assert "there is no role nobody" in postgres_object_problems(nobody, {}, settings)[0]
