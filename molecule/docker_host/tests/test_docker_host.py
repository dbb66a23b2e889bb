"""The distribution's engine: containers, Compose, logs, ports, sockets, users, pruning, logins; after a reboot."""

import json
import time

import pytest
import testinfra

testinfra_hosts = ["ansible://docker_host-debian-13"]
LOOPBACK = "127.0.0.1"
CONNECT = "python3 -c 'import socket; socket.create_connection((\"%s\", %s), 2)'"

COMPOSE = """
services:
  server:
    image: test:self
    command: [python3, -m, http.server, "80"]
  client:
    image: test:self
    depends_on: [server]
    command:
      - python3
      - -c
      - |
        import time, urllib.request
        for attempt in range(50):
            try:
                print("status", urllib.request.urlopen("http://server").status)
                break
            except OSError:
                time.sleep(0.2)
"""


def other(request, name):
    inventory = request.config.option.ansible_inventory
    return testinfra.get_hosts([f"ansible://docker_host-{name}"], ansible_inventory=inventory)[0]


def own_address(host):
    return json.loads(host.check_output("ip -json -4 address show eth0"))[0]["addr_info"][0]["local"]


def connects(host, address, port):
    return host.run(CONNECT, address, str(port)).rc == 0


def waits_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.fixture(scope="module")
def address(request):
    return own_address(other(request, "debian-13"))


@pytest.fixture(scope="module")
def allowed(request):
    return other(request, "ami")


@pytest.fixture(scope="module")
def stranger(request):
    return other(request, "debian-12")


def assert_ports_are_as_wanted(host, address, allowed, stranger):
    assert waits_for(lambda: connects(host, LOOPBACK, 8080) and connects(host, LOOPBACK, 8081))
    assert connects(allowed, address, 8081)
    assert not connects(allowed, address, 8080)
    assert not connects(stranger, address, 8081)
    assert not connects(stranger, address, 8080)
    assert connects(stranger, address, 22)


def test_published_ports_are_closed_to_others_unless_allowed(host, address, allowed, stranger):
    assert_ports_are_as_wanted(host, address, allowed, stranger)


def test_a_new_port_is_closed_from_its_first_moment(host, address, allowed):
    host.check_output("docker run -d --rm --name late -p 8082:80 test:self python3 -m http.server 80")
    try:
        assert waits_for(lambda: connects(host, LOOPBACK, 8082))
        assert not connects(allowed, address, 8082)
    finally:
        host.check_output("docker rm -f late")


def test_a_container_is_not_reachable_by_its_own_address(host, address, stranger):
    inside = host.check_output("docker inspect -f '{{.NetworkSettings.IPAddress}}' web-8080")
    assert connects(host, inside, 80)
    stranger.check_output(f"sudo ip route replace {inside}/32 via {address}")
    assert not connects(stranger, inside, 80)


def test_ports_are_closed_over_ipv6_too_where_dockers_proxy_takes_them(host, stranger):
    for machine in (host, stranger):
        machine.check_output("sudo sysctl -w net.ipv6.conf.eth0.disable_ipv6=0")
    listed = json.loads(host.check_output("ip -json -6 address show eth0"))
    link_local = listed[0]["addr_info"][0]["local"] + "%eth0"
    host.check_output("docker run -d --name six -p '[::]:8086:80' test:self python3 -m http.server 80")
    try:
        assert ":8086" in host.check_output("ss -ltnH6")
        assert waits_for(lambda: connects(stranger, link_local, 22))
        assert not connects(stranger, link_local, 8086)
    finally:
        host.check_output("docker rm -f six")


@pytest.mark.parametrize("action", ["restart docker", "restart nftables", "reload nftables"])
def test_ports_stay_closed_and_containers_run_on(host, address, allowed, stranger, action):
    before = host.check_output("docker inspect -f '{{.State.Pid}}' web-8080 web-8081")
    with host.sudo():
        host.check_output("systemctl start nftables && systemctl " + action)
        if "nftables" in action:  # its `flush ruleset` took Docker's own rules with it
            host.check_output("systemctl restart docker")
    assert_ports_are_as_wanted(host, address, allowed, stranger)
    assert host.check_output("docker inspect -f '{{.State.Pid}}' web-8080 web-8081") == before


def test_the_engine_does_not_run_without_the_firewall(host):
    assert "docker-host-firewall.service" in host.check_output("systemctl show docker -p Requires --value").split()


def test_the_administrator_runs_a_container_that_reaches_others(host, stranger):
    result = host.run("docker run --rm test:self python3 -c 'print(6 * 7)'")
    assert result.stdout.strip() == "42", result.stderr
    outside = CONNECT % (own_address(stranger), 22)
    assert host.run(f"docker run --rm test:self {outside}").rc == 0


def test_a_user_outside_the_group_is_refused(host):
    result = host.run("sudo -u nobody docker ps")
    assert result.rc != 0
    assert "permission denied" in result.stderr


def test_services_of_a_compose_project_talk(host):
    host.check_output("mkdir -p /tmp/project && printf %%s %s >/tmp/project/compose.yaml", COMPOSE)
    host.check_output("cd /tmp/project && docker compose up --detach --quiet-pull")
    try:
        logs = "cd /tmp/project && docker compose logs --no-color client"
        assert waits_for(lambda: "status 200" in host.run(logs).stdout), host.run(logs).stdout
        network = json.loads(host.check_output("docker network inspect project_default"))[0]
        assert network["IPAM"]["Config"][0]["Subnet"].startswith("10.201.")
    finally:
        host.check_output("cd /tmp/project && docker compose down --timeout 1")


def test_logs_are_rotated(host):
    host.check_output("docker run --name talker test:self python3 -c 'for i in range(2000): print(i, 50 * chr(120))'")
    try:
        path = host.check_output("docker inspect -f '{{.LogPath}}' talker")
        with host.sudo():
            sizes = [int(size) for size in host.check_output(f"stat -c %s {path}*").split()]
        assert len(sizes) == 2
        assert max(sizes) < 12_000
    finally:
        host.check_output("docker rm talker")


def test_the_engine_listens_on_no_port(host):
    with host.sudo():
        listeners = host.check_output("ss -ltnpH")
    assert not [line for line in listeners.split("\n") if "dockerd" in line]
    assert not connects(host, LOOPBACK, 2375)
    assert not connects(host, LOOPBACK, 2376)


def test_options_of_all_kinds_are_in_force(host):
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"]
    assert info["Debug"]
    assert info["RegistryConfig"]["Mirrors"] == ["https://mirror.example.com/"]
    assert info["DefaultAddressPools"] == [{"Base": "10.201.0.0/16", "Size": 24}]


def test_the_timer_removes_what_is_no_longer_used_and_nothing_else(host):
    assert "docker-host-prune.timer" in host.check_output("systemctl list-timers --no-pager")
    host.check_output("echo one | tar -cf - -T /dev/null | docker import - test:old")
    host.check_output("echo two | tar -cf - -C /etc hostname | docker import - test:old")
    host.check_output("docker run --name done test:self python3 -c 0 && docker volume create kept")
    assert host.check_output("docker images -q --filter dangling=true")
    time.sleep(1.5)
    host.check_output("sudo systemctl start docker-host-prune.service")
    assert host.check_output("docker images -q --filter dangling=true") == ""
    assert host.check_output("docker ps -a --format '{{.Names}}'").split() == ["web-8081", "web-8080"]
    assert "test:self" in host.check_output("docker images --format '{{.Repository}}:{{.Tag}}'")
    assert host.check_output("docker volume ls -q") == "kept"


@pytest.mark.parametrize("home", ["/root", "/home/admin"])
def test_users_are_logged_in_to_the_registry(host, home):
    with host.sudo():
        auths = json.loads(host.check_output(f"cat {home}/.docker/config.json"))["auths"]
        assert list(auths) == ["127.0.0.1:5000"]
        assert host.file(f"{home}/.docker/config.json").mode == 0o600
    assert "only-in-this-scenario" not in host.check_output("sudo journalctl --no-pager --boot")
