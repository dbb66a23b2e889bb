"""The engine runs containers, for root and for the administrator, and for nobody else."""

import json

# An image of one program and its libraries, so that no registry is needed.
IMAGE = "tar -chP /usr/bin/echo $(ldd /usr/bin/echo | grep -o '/[^ ]*') | docker import - test:self"


def test_the_engine_runs_a_container_for_the_administrator(host):
    assert host.run("sudo -u admin sh -c %s", IMAGE).rc == 0
    result = host.run("sudo -u admin docker run --rm test:self /usr/bin/echo works")
    assert result.stdout.strip() == "works", result.stderr


def test_compose_is_version_two(host):
    assert host.check_output("docker compose version --short").startswith("2.")


def test_logs_are_bounded(host):
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LoggingDriver"] == "json-file"
    assert json.loads(host.check_output("cat /etc/docker/daemon.json"))["log-opts"]["max-size"] == "10m"


def test_a_user_outside_the_group_is_refused(host):
    result = host.run("sudo -u nobody docker ps")
    assert result.rc != 0
    assert "permission denied" in result.stderr


def test_the_engine_starts_with_the_machine_and_listens_on_no_port(host):
    assert host.service("docker").is_running
    assert host.service("docker").is_enabled
    assert not [line for line in host.check_output("ss -ltnpH").split("\n") if "dockerd" in line]
