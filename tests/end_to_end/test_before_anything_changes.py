"""Bad input is told before anything changes: what is wrong, where, and the fix."""

import json

import pytest
from conftest import LAB, PROJECT, Platform


@pytest.mark.parametrize("stale", [None, {"ec2": {"endpoint_url": "http://127.0.0.1:9"}}])
def test_a_lab_that_does_not_run_is_named_with_the_command_that_starts_it(aws, tmp_path, stale):
    if stale:
        (tmp_path / "lab.json").write_text(json.dumps(stale))
    run = Platform("lab", {**aws.environment, "HANGER_LAB_DIR": str(tmp_path)}).play()
    assert run.code != 0
    assert "The lab is not running. Start it with 'make up' or 'hanger-lab up'." in run.text
    assert run.changed == 0


def test_a_profile_of_the_users_is_not_used_in_the_lab(aws):
    run = Platform("lab", {**aws.environment, "AWS_PROFILE": "work"}).play()
    assert run.code != 0
    assert "Unset AWS_PROFILE to work in it." in run.text
    assert run.changed == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"postgres_server_prot": 5433},
            "postgres_server_prot is no variable of the role postgres_server; did you mean",
        ),
        ({"docker_host_users": {"admin": True}}, "argument 'docker_host_users' is of type dict"),
        ({"ec2_launch_admin_cidrs": ["0.0.0.0/0"]}, "would open port 22 to the whole world"),
    ],
)
def test_a_wrong_variable_is_named(aws, variables, message):
    run = aws.play("-e", json.dumps(variables))
    assert run.code != 0
    assert message in run.text
    assert run.changed == 0


@pytest.mark.parametrize("name", ["SNOWFLAKE_ACCOUNT", "HANGER_EXTRACTION_PASSWORD", "HANGER_BACKUP_PASSPHRASE"])
def test_a_missing_environment_variable_is_named(aws, name):
    environment = {key: value for key, value in aws.environment.items() if key != name}
    run = Platform("aws", environment, aws.arguments).play()
    assert run.code != 0
    assert f"Export {name}" in run.text
    assert run.changed == 0


def test_an_airbyte_that_cannot_be_deployed_is_refused_before_machines_cost_money(aws):
    run = aws.play("-e", "airbyte_flavor=abctl")
    assert run.code != 0
    assert "airbyte_flavor 'abctl' is not yet available" in run.text.replace("''", "'")
    assert run.changed == 0


def test_a_part_on_machines_that_do_not_run_is_refused(aws):
    run = aws.play("--tags", "postgres_server")
    assert run.code != 0
    assert "No machine with the roles oltp and el runs" in run.text


def test_a_missing_snowflake_key_is_named(aws):
    run = aws.play(SNOWFLAKE_PRIVATE_KEY_PATH="/nowhere/key.p8")
    assert run.code != 0
    assert "/nowhere/key.p8" in run.text
    assert run.changed == 0


def test_destroy_without_confirmation_removes_nothing(aws):
    run = aws.play(playbook="playbooks/destroy.yml")
    assert run.code != 0
    assert f"hanger_destroy_confirm={PROJECT}" in run.text
    assert run.changed == 0


def test_check_mode_passes_before_anything_exists(aws):
    run = aws.play("--check", "--diff")
    assert run.code == 0, run.output[-4000:]
    assert not (LAB / "machines" / PROJECT).exists()
