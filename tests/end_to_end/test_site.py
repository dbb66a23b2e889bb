"""The site stands, a second run changes nothing, and a part can be run alone."""

import json

import pytest

ROLES = {
    "ec2_launch",
    "postgres_server",
    "thehangerdb",
    "snowflake_setup",
    "docker_host",
    "airbyte",
    "airbyte_connections",
}


def test_the_rows_arrive_and_are_reconciled(built):
    assert built.roles >= ROLES
    assert "16 of 16 tables equal" in built.text


def test_no_secret_is_shown(built, chosen_secrets):
    shown = [name for name, value in chosen_secrets.items() if name != "AIRBYTE_CLIENT_ID" and value in built.output]
    assert shown == []
    assert "PRIVATE KEY" not in built.output


@pytest.mark.parametrize("mode", ["--diff", "--check"])
def test_a_second_run_changes_nothing(aws, built, mode):
    run = aws.play(mode)
    assert run.code == 0, run.output[-4000:]
    assert run.changed == 0, run.output


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_runs_alone_by_its_tag(aws, built, role):
    run = aws.play("--tags", role)
    assert run.code == 0, run.output[-4000:]
    assert run.changed == 0
    assert {name for name in run.roles if name in ROLES} - {role} == set()


def test_a_wrong_client_secret_is_named_but_not_shown(aws, built):
    run = aws.play("--tags", "airbyte_connections", "-e", "airbyte_connections_client_secret=not-the-secret")
    assert run.code != 0
    assert "client_secret" in run.text
    assert "not-the-secret" not in run.output
    assert run.changed == 0


def test_a_table_that_does_not_exist_is_named_with_the_nearest_one(aws, built):
    connection = {
        "name": "thehangerdb to warehouse",
        "source": "thehangerdb",
        "destination": "warehouse",
        "streams": [{"name": "memberz", "namespace": "public", "sync_mode": "full_refresh_overwrite"}],
    }
    run = aws.play("--tags", "airbyte_connections", "-e", json.dumps({"airbyte_connections_connections": [connection]}))
    assert run.code != 0
    assert "memberz" in run.text
    assert "did you mean" in run.text
    assert "members" in run.text
    assert run.changed == 0


def test_a_wrong_password_of_the_source_is_told_before_anything_changes(aws, built):
    run = aws.play("--tags", "airbyte_connections", HANGER_EXTRACTION_PASSWORD="wrong-password")
    assert run.code != 0
    assert "source 'thehangerdb' cannot connect" in run.text.replace("''", "'")
    assert 'password authentication failed for user "extraction"' in run.text
    assert run.changed == 0


def test_a_source_that_went_on_is_told_and_the_command_that_is_told_mends_it(aws, built):
    aws.ask("INSERT INTO routecolors VALUES (99, $$new$$)")
    behind = aws.play(playbook="playbooks/verify.yml")
    assert behind.code != 0
    assert "Sync again: --tags airbyte_connections -e airbyte_connections_sync=always" in behind.text
    again = aws.play("--tags", "airbyte_connections", "-e", "airbyte_connections_sync=always")
    assert again.code == 0, again.output[-4000:]
    assert aws.play(playbook="playbooks/verify.yml").code == 0
