"""Docker's own packages, pinned, with their data on a volume."""

import pytest

testinfra_hosts = ["ansible://docker_host-debian-12"]


def test_the_packages_are_dockers(host):
    assert host.package("docker-ce").version.startswith("5:99.1.0")
    assert host.package("docker-compose-plugin").is_installed
    assert not host.package("docker.io").is_installed
    assert "Signed-By: /etc/apt/keyrings/docker.asc" in host.check_output("cat /etc/apt/sources.list.d/docker.sources")


def test_the_version_is_held(host):
    policy = host.check_output("apt-cache policy docker-ce")
    assert "1001" in policy


def test_data_are_on_the_volume(host):
    assert host.check_output("docker info --format '{{.DockerRootDir}}'") == "/srv/engine"
    with host.sudo():
        host.check_output("make-image test:self")
        device = host.check_output("findmnt --noheadings --output SOURCE --target /srv/engine/image")
    assert device == host.check_output("readlink -f /dev/disk/by-id/hanger-volume")
    assert host.check_output("docker run --rm test:self python3 -c 'print(6 * 7)'") == "42"


@pytest.mark.parametrize("phrase", ["RequiresMountsFor=/srv/engine"])
def test_the_engine_does_not_start_without_it(host, phrase):
    assert phrase in host.check_output("systemctl cat docker.service")
    assert "nofail" in host.check_output("grep /srv/engine /etc/fstab")
