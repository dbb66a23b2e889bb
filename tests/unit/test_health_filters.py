"""What the playbooks make of postgres-health's answer."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "filter_plugins"))
from health import health_state, health_table


def answer(*levels):
    checks = [{"name": "slot", "level": level, "text": f"slot {level}"} for level in levels]
    return {"rc": 0, "stdout": json.dumps({"level": levels[-1], "checks": checks})}


def test_the_state_tells_what_is_not_well():
    assert health_state(answer("ok", "ok")) == "ok"
    assert health_state(answer("ok", "warning", "critical")) == "critical: slot warning; slot critical"


def test_the_table_has_a_row_for_each_check():
    assert health_table(answer("ok", "warning")).splitlines()[2:] == [
        "slot     ok       slot ok",
        "slot     warning  slot warning",
    ]


def test_a_missing_command_and_a_missing_answer_are_no_health():
    assert health_state({"rc": 2, "stdout": "", "msg": "[Errno 2] No such file"}).startswith("unknown: run --tags")
    assert health_state({"unreachable": True, "msg": "timed out"}) == "unknown: timed out"
