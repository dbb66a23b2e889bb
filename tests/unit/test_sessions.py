"""The filter that lets instances install the agent of Session Manager."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "filter_plugins"))

from sessions import OWN_SCRIPT, with_session_agent  # noqa: E402

IMAGES = {"debian": {"ssm_agent": "https://example.com/debian_{arch}/agent.deb"}, "amazon": {}}
OWN = "#!/usr/bin/python3\nprint(f\"it's {'$HOME'}\")\n"


def user_data(image="debian", **instance):
    return with_session_agent([{"name": "a", "image": image, **instance}], IMAGES, "debian", "echo $url")[0].get(
        "user_data"
    )


def run(script, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dpkg").write_text("#!/bin/sh\necho riscv64\n")
    (tools / "dpkg").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, env={"PATH": path}).stdout


def test_an_image_with_the_agent_gets_no_user_data():
    assert user_data("amazon") is None
    assert user_data("amazon", user_data="#cloud-config\n") == "#cloud-config\n"


def test_the_machine_itself_says_of_which_architecture_the_package_is(tmp_path):
    assert run(user_data(), tmp_path) == "https://example.com/debian_riscv64/agent.deb\n"


def test_the_default_image_counts_where_an_instance_names_none():
    plain = with_session_agent([{"name": "a"}], IMAGES, "debian", "echo $url")[0]
    assert plain["user_data"].startswith("#!/bin/sh\n")
    assert with_session_agent([{"name": "a"}], IMAGES, "amazon", "echo $url") == [{"name": "a"}]


def test_a_script_of_the_instance_runs_as_it_is_after_the_agents(tmp_path):
    script = user_data(user_data=OWN).replace(OWN_SCRIPT, str(tmp_path / "own"))
    assert run(script, tmp_path).splitlines() == ["https://example.com/debian_riscv64/agent.deb", "it's $HOME"]


def test_what_is_no_script_cannot_run_beside_it():
    with pytest.raises(AnsibleFilterError, match="instance a: its user_data is no script"):
        user_data(user_data="#cloud-config\npackages: [curl]\n")
