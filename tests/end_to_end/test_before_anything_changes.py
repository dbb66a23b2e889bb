"""Bad input is told before anything changes: what is wrong, where, and the fix."""

import json

import pytest
from conftest import LAB, PROJECT, Platform


def test_a_lab_that_does_not_run_is_named_with_the_command_that_starts_it(aws, tmp_path):
    run = Platform("lab", {**aws.environment, "HANGER_LAB_DIR": str(tmp_path)}).play()
    assert run.code != 0
    assert "The lab is not running. Start it with 'make up' or 'hanger-lab up'." in run.text
    assert run.changed == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"postgres_server_prot": 5433},
            "postgres_server_prot is no variable of the role postgres_server; did you mean",
        ),
        ({"ec2_launch_instances": "oltp"}, "ec2_launch_instances"),
        ({"ec2_launch_admin_cidrs": ["0.0.0.0/0"]}, "a range open to the world is refused"),
        (
            {
                "ec2_launch_instances": [
                    {
                        "name": "oltp",
                        "instance_type": "t3.small",
                        "hanger_roles": ["oltp"],
                        "security_groups": ["admin"],
                        "volume_size": 20,
                        "image_id": "ami-00000000000000000",
                    }
                ]
            },
            "ami-00000000000000000",
        ),
        (
            {
                "ec2_launch_instances": [
                    {
                        "name": "oltp",
                        "instance_type": "t3.small",
                        "hanger_roles": ["oltp"],
                        "security_groups": ["oltpp"],
                        "volume_size": 20,
                    }
                ]
            },
            "unknown: oltpp",
        ),
    ],
)
def test_a_wrong_variable_is_named(aws, variables, message):
    run = aws.play("-e", json.dumps(variables))
    assert run.code != 0
    assert message in run.text
    assert run.changed == 0


def test_a_missing_environment_variable_is_named_with_an_example(aws):
    environment = {key: value for key, value in aws.environment.items() if key != "HANGER_ADMIN_CIDRS"}
    run = Platform("aws", environment, aws.arguments).play()
    assert run.code != 0
    assert "Export HANGER_ADMIN_CIDRS" in run.text
    assert run.changed == 0


def test_a_missing_snowflake_key_is_named(aws):
    run = aws.play("--tags", "snowflake_setup", SNOWFLAKE_PRIVATE_KEY_PATH="/nowhere/key.p8")
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
