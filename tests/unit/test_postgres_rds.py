"""PostgreSQL's settings and objects, as RDS takes them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/postgres_server/filter_plugins"))
from postgres_objects import postgres_object_steps, postgres_wanted
from postgres_problems import postgres_object_problems
from postgres_rds import postgres_rds_plan, postgres_rds_problems, postgres_rds_wanted


def parameter(value=None, kind="integer", apply="dynamic", allowed="", modifiable=True, source="engine-default"):
    return {
        "value": value,
        "source": source,
        "apply_type": apply,
        "data_type": kind,
        "allowed": allowed,
        "modifiable": modifiable,
    }


KNOWN = {
    "archive_mode": parameter("on", "string", "static", modifiable=False, source="system"),
    "autovacuum": parameter("1", "boolean", allowed="0,1"),
    "autovacuum_vacuum_scale_factor": parameter(None, "float", allowed="0-100"),
    "huge_pages": parameter(None, "string", "static", "off,on,try"),
    "log_min_duration_statement": parameter("-1", allowed="-1-2147483647"),
    "max_connections": parameter("LEAST({DBInstanceClassMemory/9531392},5000)", apply="static", allowed="6-8388607"),
    "max_slot_wal_keep_size": parameter(None, allowed="-1-2147483647"),
    "rds.logical_replication": parameter("0", "boolean", "static", "0,1"),
    "shared_buffers": parameter("{DBInstanceClassMemory/32768}", apply="static", allowed="16-1073741823"),
    "shared_preload_libraries": parameter("pg_stat_statements", "list", "static", "pgaudit,pg_stat_statements"),
    "work_mem": parameter("4096", allowed="64-2147483647", source="user"),
}


def lists(**changes):
    kinds = ("databases", "roles", "memberships", "schemas", "extensions", "privileges", "default_privileges")
    more = ("publications", "slots", "replica_identities", "heartbeats", "exclusive")
    return postgres_wanted({**{kind: [] for kind in kinds + more}, "cdc_wait": False, **changes})


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value", "written"),
        [
            ("max_slot_wal_keep_size", "4GB", "4096"),
            ("max_slot_wal_keep_size", -1, "-1"),
            ("log_min_duration_statement", "1s", "1000"),
            ("log_min_duration_statement", "1.5min", "90000"),
            ("work_mem", "8MB", "8192"),
            ("autovacuum", False, "0"),
            ("autovacuum", "off", "0"),
            ("autovacuum_vacuum_scale_factor", 0.05, "0.05"),
        ],
    )
    def test_a_dynamic_one_is_in_force_at_once(self, name, value, written):
        plan = postgres_rds_plan({name: value}, KNOWN)
        assert (plan["immediate"], plan["reboot"], plan["problems"]) == ({name: written}, {}, [])

    @pytest.mark.parametrize(
        ("name", "value", "written"),
        [
            ("max_connections", 200, "200"),
            ("shared_buffers", "1GB", "131072"),
            ("shared_buffers", "{DBInstanceClassMemory/16384}", "{DBInstanceClassMemory/16384}"),
            ("shared_preload_libraries", "pg_stat_statements,pgaudit", "pg_stat_statements,pgaudit"),
            ("huge_pages", True, "on"),
        ],
    )
    def test_a_static_one_waits_for_a_restart(self, name, value, written):
        plan = postgres_rds_plan({name: value}, KNOWN)
        assert (plan["immediate"], plan["reboot"], plan["problems"]) == ({}, {name: written}, [])
        assert plan["lines"][0].endswith(f"-> {written}, after a restart")

    @pytest.mark.parametrize(("level", "written"), [("logical", {"rds.logical_replication": "1"}), ("replica", {})])
    def test_logical_decoding_has_a_parameter_of_its_own(self, level, written):
        assert postgres_rds_plan({"wal_level": level}, KNOWN)["reboot"] == written

    def test_what_is_as_wanted_is_left_alone(self):
        plan = postgres_rds_plan({"work_mem": "4MB", "autovacuum": True}, KNOWN)
        assert plan == {"immediate": {}, "reboot": {}, "lines": [], "problems": [], "unlisted": []}

    def test_what_is_no_longer_listed_is_told(self):
        assert postgres_rds_plan({}, KNOWN)["unlisted"] == ["work_mem"]

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("share_buffers", 1, "share_buffers is no parameter of RDS"),
            (
                "archive_mode",
                True,
                "cannot be changed. Remove it; backups are postgres_server_rds_backup_retention_days",
            ),
            ("wal_level", "minimal", "wal_level is minimal, and RDS has logical and replica"),
            ("max_connections", 5, "max_connections is 5, and RDS takes 6-8388607."),
            ("shared_buffers", "64kB", "shared_buffers is 64kB (8 8kB), and RDS takes 16-1073741823 8kB"),
            ("work_mem", "a lot", "work_mem is a lot, and RDS takes"),
            ("huge_pages", "maybe", "huge_pages is maybe, and RDS takes off,on,try"),
            ("shared_preload_libraries", "pgaudit,mine", "and RDS takes pgaudit,pg_stat_statements"),
        ],
    )
    def test_what_rds_does_not_take_is_refused(self, name, value, told):
        (problem,) = postgres_rds_plan({name: value}, KNOWN)["problems"]
        assert told in problem
        assert problem.startswith("postgres_server_settings: ")


class TestObjects:
    ROLES = (
        {"name": "gym", "login": False},
        {"name": "extraction", "flags": ["replication"]},
        {"name": "analyst", "flags": ["NOREPLICATION", "NOINHERIT"]},
    )

    def test_replication_is_a_membership(self):
        given = [{"group": "rds_replication", "members": ["other"]}]
        wanted = postgres_rds_wanted(lists(roles=list(self.ROLES), memberships=given), "admin")
        assert [role.get("flags") for role in wanted["roles"]] == [[], [], ["NOINHERIT"]]
        assert wanted["memberships"] == [
            {"group": "rds_replication", "members": ["other", "extraction"]},
            {"group": "rds_replication", "members": ["analyst"], "state": "absent"},
        ]
        assert given == [{"group": "rds_replication", "members": ["other"]}]
        state = {"wal_level": "logical", "max_slot_wal_keep_size": "4GB"}
        named = {**wanted, "memberships": wanted["memberships"][1:]}
        assert postgres_object_problems(named, {}, state) == []

    def test_the_master_user_joins_the_owners_of_what_it_makes(self):
        wanted = postgres_rds_wanted(
            lists(
                databases=[{"name": "gym", "owner": "gym"}, {"name": "own", "owner": "admin"}],
                schemas=[{"database": "gym", "name": "old", "owner": "former", "state": "absent"}],
                publications=[{"database": "gym", "name": "a", "owner": 'a "b"', "tables": ["x"]}],
            ),
            "admin",
        )
        assert wanted["own"] == ["gym", 'a "b"']
        empty = {"databases": {}, "roles": {}, "memberships": [], "slots": {}, "usable": ["admin", "gym"]}
        steps = postgres_object_steps(wanted, {"cluster": empty, "databases": {}})
        assert [step["query"] for step in steps["own"]] == ['GRANT "a ""b""" TO CURRENT_USER']

    def test_on_a_machine_nobody_joins_anybody(self):
        empty = {"databases": {}, "roles": {}, "memberships": [], "slots": {}}
        wanted = lists(databases=[{"name": "gym", "owner": "gym"}])
        assert postgres_object_steps(wanted, {"cluster": empty, "databases": {}})["own"] == []

    @pytest.mark.parametrize(
        ("role", "told"),
        [
            ({"name": "root", "flags": ["superuser"]}, "RDS gives nobody SUPERUSER"),
            ({"name": "admin"}, "admin is the master user"),
        ],
    )
    def test_what_rds_gives_nobody_is_refused(self, role, told):
        (problem,) = postgres_rds_problems(lists(roles=[role]), "admin")
        assert told in problem
