"""What a person does with a platform that stands: reach it, pause it, resume it, look at what would be removed."""

import re
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import snowflake.connector
from conftest import PROJECT

TUNNEL, PAUSE, RESUME = "playbooks/tunnel.yml", "playbooks/pause.yml", "playbooks/resume.yml"
SERVICES = ("pgadmin", "airbyte")


def passed(run, changed=None):
    """Return a run that succeeded and changed something, or did not, as expected."""
    assert run.code == 0, run.output[-4000:]
    assert changed is None or bool(run.changed) == changed, run.output[-4000:]
    return run


def get(url, path="/api/public/v1/health"):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.URLError:
        return None


@pytest.fixture
def taken_port():
    """The port that Airbyte's tunnel would have, held by somebody else unless it is taken already."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8000))
            other.listen()
        except OSError:
            pass
        yield 8000


def test_a_tunnel_answers_until_it_is_closed(aws, built, taken_port):
    passed(aws.play("--check", playbook=TUNNEL))
    first = passed(aws.play(playbook=TUNNEL), changed=True)
    try:
        pgadmin, url = (re.search(rf"{name}\s+(http://127\.0\.0\.1:\d+)", first.output)[1] for name in SERVICES)
        assert get(pgadmin, "/misc/ping") == 200
        assert not url.endswith(f":{taken_port}")
        assert get(url) == 200
        assert re.search(rf"airbyte\s+{url}\s+answers", first.output)
        assert url in passed(aws.play(playbook=TUNNEL), changed=False).output
    finally:
        passed(aws.play("-e", "hanger_tunnel=closed", playbook=TUNNEL), changed=True)
    assert get(url) is None
    passed(aws.play("-e", "hanger_tunnel=closed", playbook=TUNNEL), changed=False)


def states(ec2):
    tagged = [{"Name": "tag:Project", "Values": [PROJECT]}]
    found = [row for page in ec2.describe_instances(Filters=tagged)["Reservations"] for row in page["Instances"]]
    return {row["State"]["Name"] for row in found} - {"terminated"}


def login(facts):
    """Log in to the account as the provisioning user."""
    account = {name: facts["snowflake"][name] for name in ("account", "host", "port", "protocol", "user")}
    key = facts["snowflake"]["private_key_path"]
    return snowflake.connector.connect(private_key_file=key, login_timeout=15, network_timeout=20, **account)


def test_a_paused_platform_costs_nothing_by_the_hour_and_comes_back_as_it_was(aws, built, ec2, facts):
    with login(facts) as session:
        cursor = session.cursor(snowflake.connector.DictCursor)
        cursor.execute("ALTER WAREHOUSE LOADING RESUME IF SUSPENDED")
        passed(aws.play("--check", playbook=PAUSE), changed=True)
        assert states(ec2) == {"running"}
        passed(aws.play(playbook=PAUSE), changed=True)
        shown = cursor.execute("SHOW WAREHOUSES").fetchall()
    asleep = {row["name"] for row in shown if row["state"] == "SUSPENDED"}
    assert asleep >= {"LOADING", "TRANSFORMING", "REPORTING"}
    assert states(ec2) == {"stopped"}
    passed(aws.play(playbook=PAUSE), changed=False)
    passed(aws.play(playbook=RESUME), changed=True)
    assert states(ec2) == {"running"}
    passed(aws.play(playbook=RESUME), changed=False)
    assert "16 of 16 tables equal" in passed(aws.play(playbook="playbooks/verify.yml")).text


def test_keys_are_exchanged_and_airbyte_goes_on_with_the_new_one(aws, built):
    (key,) = Path(aws.environment["HANGER_STATE_DIR"]).rglob("snowflake/airbyte.p8")
    former = key.read_text()
    run = passed(aws.play(playbook="playbooks/rotate-keys.yml"), changed=True)
    assert key.read_text() != former
    assert {path.name for path in key.parent.iterdir()} == {
        f"{user}.{ending}" for user in ("airbyte", "dbt", "dagster", "superset") for ending in ("p8", "pub")
    }
    assert "airbyte_connections" in run.output
    assert "16 of 16 tables equal" in passed(aws.play(playbook="playbooks/verify.yml")).text
    passed(aws.play("--tags", "snowflake_setup,airbyte_connections"), changed=False)


def test_what_has_not_expired_is_not_paused(aws, built, ec2):
    run = passed(aws.play("-e", "hanger_pause_expired_only=true", playbook=PAUSE), changed=False)
    assert f"Not expired: {PROJECT}-el, {PROJECT}-oltp, {PROJECT}-tools." in run.text
    assert states(ec2) == {"running"}


def test_a_removal_tells_before_what_would_go_and_what_is_somebody_elses(aws, built, ec2):
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Project", "Values": [PROJECT]}])["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="neighbour", Description="not ours", VpcId=vpc)["GroupId"]
    try:
        run = passed(aws.play("--check", playbook="playbooks/destroy.yml"))
    finally:
        ec2.delete_security_group(GroupId=group)
    before, after = run.output.split("Not the project's, and not touched:")
    assert f"{PROJECT}-oltp" in before.split("These would be removed:")[1]
    assert vpc not in before.split("These would be removed:")[1]
    assert group in after
    assert states(ec2) == {"running"}


def test_nothing_is_left_open(aws, built):
    directory = Path(aws.environment["HANGER_STATE_DIR"], "tunnels")
    assert [path.name for path in directory.iterdir() if path.is_socket()] == []
