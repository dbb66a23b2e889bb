"""A host where Docker was set up before: its container, its options and its packages are what they were."""

import json

testinfra_hosts = ["ansible://docker_host-ami"]
IDENTITY = "docker inspect --format '{{.Id}} {{.State.Pid}} {{.State.StartedAt}}' keeper"


def test_the_container_ran_on(host):
    with host.sudo():
        assert host.check_output(IDENTITY) == host.check_output("cat /root/keeper")


def test_the_container_still_answers_on_the_host(host):
    answer = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080').status)"
    assert host.check_output("python3 -c %s", answer) == "200"


def test_its_own_options_were_kept_and_the_missing_ones_added(host):
    assert json.loads(host.check_output("cat /etc/docker/daemon.json")) == {
        "labels": ["owner=guide"],
        "log-driver": "journald",
        "live-restore": True,
        "default-address-pools": [{"base": "10.201.0.0/16", "size": 24}],
    }
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert (info["Labels"], info["LoggingDriver"], info["LiveRestoreEnabled"]) == (["owner=guide"], "journald", True)
