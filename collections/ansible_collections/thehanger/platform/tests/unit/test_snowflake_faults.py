# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between a module and an account, on an emulated account: it is said, and running again completes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from snowflake_lab import make_key, run_module, running
from snowflake_proxy import CUT, PASS, SWALLOW, Proxy
from snowflake_runner import MODULES, ModuleFailed

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("account")) as started:
        yield started


@pytest.fixture
def proxy(lab):
    made = Proxy(lab.port)
    yield made
    made.close()


@pytest.fixture
def run(lab, capsys):
    def call(name, check_mode=False, **options):
        return run_module(capsys, name, check_mode, **{**lab.login, **options})

    return call


@pytest.fixture
def described(request):
    """Describe databases, roles and grants with names of the test's own."""
    name = request.node.name.split("[")[0].removeprefix("test_").upper()[:60]
    return {
        "databases": [{"name": name}],
        "schemas": [{"name": f"{name}.A"}, {"name": f"{name}.B"}],
        "roles": [{"name": f"{name}_R", "granted_to": ["SYSADMIN"]}],
        "grants": [
            {"role": f"{name}_R", "privileges": ["USAGE"], "type": "database", "name": name},
            {"role": f"{name}_R", "privileges": ["USAGE"], "type": "schema", "future_in": name},
            {"role": f"{name}_R", "privileges": ["USAGE"], "type": "schema", "all_in": name},
        ],
    }


@pytest.fixture(scope="module")
def clerk(tmp_path_factory):
    """Return the key of a user whose role may do nothing."""
    return make_key(tmp_path_factory.mktemp("clerk") / "clerk.p8")


def writes(statements):
    return [statement for statement in statements if not statement.startswith(("SHOW", "DESC", "SELECT"))]


# The connector's own thread that gives a statement up cannot reach the account either.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
class TestLostConnection:
    def test_in_the_middle_of_a_plan(self, run, proxy, described):
        planned = run("snowflake_account", check_mode=True, **described)["statements"]
        (lost,) = [statement for statement in planned if statement.startswith("GRANT ROLE")]

        def cut(statement):
            proxy.down = proxy.down or statement == lost
            return CUT if proxy.down else PASS

        proxy.decide = cut
        started = time.monotonic()
        with pytest.raises(ModuleFailed, match="not known whether it was carried out; running again") as failed:
            run("snowflake_account", **described, port=proxy.port, network_timeout=4)
        assert time.monotonic() - started < 30
        result = failed.value.result
        place = planned.index(lost)
        assert sorted(result["applied"]) == sorted(planned[:place])
        assert result["failed_statement"] == lost
        assert result["not_applied"] == planned[place + 1 :]
        assert f"({place} of {len(planned)} steps were applied; running again continues)" in result["msg"]

        proxy.down, proxy.decide = False, lambda statement: PASS
        again = run("snowflake_account", **described, port=proxy.port)
        assert again["statements"] == planned[place:]
        assert not run("snowflake_account", **described)["changed"]

    def test_while_reading(self, run, proxy, described):
        def cut(statement):
            proxy.down = statement.startswith("SHOW SCHEMAS")
            return CUT if proxy.down else PASS

        proxy.decide = cut
        with pytest.raises(ModuleFailed, match="SHOW ") as failed:
            run("snowflake_account", **described, port=proxy.port, network_timeout=4)
        assert "applied" not in failed.value.result
        assert writes(proxy.statements) == []

    def test_an_answer_that_is_lost_leaves_nothing_half_done(self, run, proxy, described):
        swallowed = []

        def swallow(statement):
            if statement.startswith("CREATE SCHEMA") and not swallowed:
                swallowed.append(statement)
                return SWALLOW
            return PASS

        proxy.decide = swallow
        try:
            run("snowflake_account", **described, port=proxy.port, network_timeout=10)
        except ModuleFailed as failed:
            # The connector sends it again; an account that does not know the request by its number says this.
            assert "already exists" in str(failed)
            assert "running again continues" in str(failed)
        assert swallowed
        run("snowflake_account", **described)
        assert not run("snowflake_account", **described)["changed"]

    def test_for_a_moment_is_not_noticed(self, run, proxy, described):
        cuts = []

        def once(statement):
            if statement.startswith("CREATE SCHEMA") and not cuts:
                cuts.append(statement)
                return CUT
            return PASS

        proxy.decide = once
        assert run("snowflake_account", **described, port=proxy.port, network_timeout=30)["changed"]
        assert cuts
        assert not run("snowflake_account", **described)["changed"]


SHORT_LIVED = """
    import sys
    from hanger_lab.snowflake import account
    from hanger_lab.snowflake.__main__ import main
    usual = account.Lives
    account.Lives = lambda: usual(session={token}, master={master})
    sys.exit(main(sys.argv[1:]))
"""


class TestExpiredToken:
    @pytest.mark.parametrize(
        ("token", "master", "pause", "logins"),
        [(1, 600, 1.5, 1), (1, 2, 3.5, 2)],
        ids=["the session's, which is renewed", "the master's, after which is logged in again"],
    )
    def test_during_a_long_run(self, tmp_path, capsys, described, token, master, pause, logins):
        program = textwrap.dedent(SHORT_LIVED.format(token=token, master=master))
        with running(tmp_path, program=program) as lab:
            proxy = Proxy(lab.port)
            try:
                paused = []

                def wait(statement):
                    if statement.startswith(("CREATE SCHEMA", "GRANT")) and statement not in paused and len(paused) < 2:
                        paused.append(statement)
                        time.sleep(pause)
                    return PASS

                proxy.decide = wait
                options = {**lab.login, **described, "port": proxy.port}
                result = run_module(capsys, "snowflake_account", **options)
                assert result["changed"]
                assert len(paused) == 2
                assert (proxy.logins > 1) == (logins > 1)
                sent = writes(proxy.statements)
                assert sorted(set(sent)) == sorted(result["statements"])
                proxy.decide = lambda statement: PASS
                assert not run_module(capsys, "snowflake_account", **options)["changed"]
            finally:
                proxy.close()


TASK = f"""
    import importlib, json, sys
    sys.path[:0] = sys.argv[1:3]
    import conftest
    from ansible.module_utils.testing import patch_module_args
    with patch_module_args(json.load(sys.stdin)):
        importlib.import_module("{MODULES}.snowflake_account").main()
"""


class TestOthers:
    def test_two_runs_at_once(self, lab, run, described):
        options = {**lab.login, **described, "_ansible_module_name": "snowflake_account", "_ansible_check_mode": False}
        command = [sys.executable, "-c", textwrap.dedent(TASK), str(HERE), str(HERE)]
        both = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _number in range(2)
        ]
        for process in both:
            process.stdin.write(json.dumps(options))
            process.stdin.flush()
        for process in both:
            process.stdin.close()
        results = [json.loads(process.stdout.read()) for process in both]
        for process in both:
            process.wait(30)
        for result in results:
            if result.get("failed"):
                assert "already exists" in result["msg"], result["msg"]
                assert "running again continues" in result["msg"]
        run("snowflake_account", **described)
        assert not run("snowflake_account", **described)["changed"]

    def test_an_object_that_is_dropped_between_plan_and_apply(self, run, proxy, described):
        name = described["databases"][0]["name"]
        run("snowflake_account", databases=described["databases"])
        gone = [{"name": name, "state": "absent"}]

        def drop(statement):
            if statement.startswith("CREATE SCHEMA") and gone:
                run("snowflake_database", databases=[gone.pop()])
            return PASS

        proxy.decide = drop
        with pytest.raises(ModuleFailed, match=rf"create schema {name}\.[AB]: .*{name}.* does not exist") as failed:
            run("snowflake_account", **described, port=proxy.port)
        assert failed.value.result["applied"][0] == f'CREATE ROLE "{name}_R"'
        assert run("snowflake_account", **described)["changed"]
        assert not run("snowflake_account", **described)["changed"]

    def test_what_should_go_and_was_dropped_meanwhile_is_gone(self, run, proxy, described):
        name = described["databases"][0]["name"]
        run("snowflake_account", **described)
        others = [{"name": name, "state": "absent"}]

        def drop(statement):
            if statement.startswith("DROP DATABASE") and others:
                run("snowflake_database", databases=[others.pop()])
            return PASS

        proxy.decide = drop
        absent = {
            "databases": [{"name": name, "state": "absent"}],
            "roles": [{"name": f"{name}_R", "state": "absent"}],
        }
        assert run("snowflake_account", **absent, port=proxy.port)["changed"]
        assert not run("snowflake_account", **absent)["changed"]


class TestPrivileges:
    @pytest.fixture
    def refused(self, run, clerk):
        run(
            "snowflake_account",
            warehouses=[{"name": "WORK"}],
            databases=[{"name": "OFFICE"}],
            schemas=[{"name": "OFFICE.DESK"}],
            roles=[{"name": "CLERK"}, {"name": "COLLEAGUE"}],
            users=[{"name": "CLERK", "roles": ["CLERK"], "rsa_public_key": clerk.with_suffix(".pub").read_text()}],
            grants=[
                {"role": "CLERK", "privileges": ["USAGE"], "type": "database", "name": "OFFICE"},
                {"role": "CLERK", "privileges": ["USAGE"], "type": "schema", "name": "OFFICE.DESK"},
                {"role": "CLERK", "privileges": ["USAGE"], "type": "warehouse", "name": "WORK"},
            ],
        )

        def attempt(module, **options):
            with pytest.raises(ModuleFailed) as failed:
                run(module, user="CLERK", role="CLERK", private_key_path=str(clerk), **options)
            return failed.value.result["msg"]

        return attempt

    @pytest.mark.parametrize(
        ("module", "options", "privilege"),
        [
            ("warehouse", {"warehouses": [{"name": "MINE"}]}, "CREATE WAREHOUSE on the account"),
            ("database", {"databases": [{"name": "MINE"}]}, "CREATE DATABASE on the account"),
            ("role", {"roles": [{"name": "MINE"}]}, "CREATE ROLE on the account"),
            ("user", {"users": [{"name": "MINE"}]}, "CREATE USER on the account"),
            ("schema", {"schemas": [{"name": "OFFICE.MINE"}]}, "CREATE SCHEMA on database OFFICE"),
            ("resource_monitor", {"resource_monitors": [{"name": "MINE", "credit_quota": 1}]}, "role ACCOUNTADMIN"),
            (
                "warehouse",
                {"warehouses": [{"name": "WORK", "comment": "Mine"}]},
                "MODIFY on warehouse WORK, or OWNERSHIP of warehouse WORK",
            ),
            ("warehouse", {"warehouses": [{"name": "WORK", "suspended": False}]}, "OPERATE on warehouse WORK"),
            ("schema", {"schemas": [{"name": "OFFICE.DESK", "state": "absent"}]}, "OWNERSHIP of schema OFFICE.DESK"),
            (
                "grants",
                {
                    "grants": [
                        {"role": "COLLEAGUE", "privileges": ["CREATE TABLE"], "type": "schema", "name": "OFFICE.DESK"}
                    ]
                },
                "MANAGE GRANTS on the account",
            ),
        ],
    )
    def test_that_are_missing_are_named_with_their_object(self, refused, module, options, privilege):
        message = refused(f"snowflake_{module}", **options)
        assert privilege in message.split(" needs ")[1].split(". ")[0]
        assert "Insufficient privileges" in message
        assert "(0 of " in message


class TestSize:
    def test_a_statement_of_ten_megabytes_that_reads(self, run):
        text = "x" * 10_000_000
        started = time.monotonic()
        try:
            result = run("snowflake_query", statements=[f"SELECT LENGTH('{text}') AS N"])
        except ModuleFailed as failed:
            assert len(str(failed)) < 5000
        else:
            assert result["rows"] == [{"N": 10_000_000}]
        assert time.monotonic() - started < 60

    def test_a_statement_of_ten_megabytes_that_writes(self, run):
        large = [{"name": "LARGE", "comment": "y" * 10_000_000}]
        try:
            run("snowflake_database", databases=large)
        except ModuleFailed as failed:
            assert len(json.dumps({**failed.result, "invocation": None})) < 10_000
            assert "create database LARGE" in str(failed)
        else:
            assert not run("snowflake_database", databases=large)["changed"]
