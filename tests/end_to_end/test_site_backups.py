"""The gym loses rows, then its machine, and has the rows back from the bucket, row by row."""

import shlex
import subprocess
import time

from conftest import PROJECT
from runs import ROOT

BACKUP, RESTORE = "playbooks/backup.yml", "playbooks/restore.yml"
ROWS = "SELECT count(*), md5(string_agg(climb::text, '|' ORDER BY route_climb_id)) FROM routeclimbs climb"


def psql(aws, query):
    """Return the last line of what the superuser is told in the gym's database."""
    command = ["ansible", "-i", f"inventories/{aws.inventory}", "oltp", "--become", "--become-user=postgres"]
    arguments = shlex.join(["psql", "-XAtq", "-d", "thehangerdb", "-c", query])
    run = subprocess.run(
        [*command, *aws.arguments, "-m", "ansible.builtin.command", "-a", arguments],
        cwd=ROOT,
        env=aws.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip().split("\n")[-1]


def archived(aws):
    """Let what was written go to the archive, where it survives the machine."""
    segment = psql(aws, "SELECT pg_walfile_name(pg_switch_wal())")
    end = time.monotonic() + 60
    while psql(aws, f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver") != "t":
        assert time.monotonic() < end


def instance_ids(ec2):
    """Return the machines with the database that run."""
    wanted = [
        {"Name": "tag:Name", "Values": [f"{PROJECT}-oltp"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    found = ec2.describe_instances(Filters=wanted)["Reservations"]
    return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]


def test_a_moment_is_restored_in_place_row_by_row(aws, built):
    backup = aws.play(playbook=BACKUP)
    assert backup.code == 0, backup.output[-4000:]
    assert "incr backup" in backup.output
    psql(aws, "UPDATE routeclimbs SET route_id = route_id WHERE route_climb_id % 3 = 0")
    before = psql(aws, ROWS)
    moment = psql(aws, "SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.USOF')")
    psql(aws, "DELETE FROM routeclimbs WHERE route_climb_id % 2 = 0")
    assert psql(aws, ROWS) != before

    wish = ("-e", f"hanger_restore_target='{moment}' hanger_restore_place=in_place")
    refused = aws.play(*wish, playbook=RESTORE)
    assert refused.code != 0
    assert f"-e hanger_restore_confirm={PROJECT}" in refused.text
    assert psql(aws, ROWS) != before

    restored = aws.play(*wish, "-e", f"hanger_restore_confirm={PROJECT}", playbook=RESTORE)
    assert restored.code == 0, restored.output[-6000:]
    assert psql(aws, ROWS) == before


def test_a_lost_machine_is_replaced_with_what_the_bucket_holds(aws, built, ec2):
    psql(aws, "UPDATE routeclimbs SET route_climb_rating = 11 - route_climb_rating WHERE route_climb_id % 5 = 0")
    before = psql(aws, ROWS)
    archived(aws)
    (lost,) = instance_ids(ec2)
    ec2.modify_instance_attribute(InstanceId=lost, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[lost])

    stopped = aws.play("--tags", "ec2_launch,postgres_server,pgbackrest")
    assert stopped.code != 0
    assert "restore it in place with playbooks/restore.yml" in stopped.text
    assert psql(aws, "SELECT count(*) FROM pg_tables WHERE tablename = 'routeclimbs'") == "0"

    wish = ("-e", f"hanger_restore_place=in_place hanger_restore_confirm={PROJECT}")
    restored = aws.play(*wish, playbook=RESTORE)
    assert restored.code == 0, restored.output[-6000:]
    assert psql(aws, ROWS) == before

    again = aws.play("--tags", "postgres_server,pgbackrest")
    assert again.code == 0, again.output[-6000:]
