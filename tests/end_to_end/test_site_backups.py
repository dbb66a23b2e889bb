"""The gym loses rows, and has them back as they were at a moment, row by row."""

import shlex
import subprocess

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
