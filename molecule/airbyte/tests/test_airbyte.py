"""The API gives a token to the right client, refuses the wrong one, and is not open to the network."""

import json
import socket

TOKEN = "http://127.0.0.1:8000/api/public/v1/applications/token"
ASK = """python3 - <<'END'
import json, urllib.error, urllib.request
def call(url, body=None, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, None
%s
END"""


def ask(host, code):
    return json.loads(host.check_output(ASK.replace("%s", code.replace("TOKEN", repr(TOKEN)))))


def test_a_client_gets_a_token_and_sees_the_workspace(host):
    code = """
status, answer = call(TOKEN, {"client_id": "molecule", "client_secret": "only-in-this-scenario"})
print(json.dumps(call("http://127.0.0.1:8000/api/public/v1/workspaces", token=answer["access_token"])))"""
    status, answer = ask(host, code)
    assert status == 200
    assert len(answer["data"]) == 1


def test_a_wrong_secret_gets_no_token(host):
    code = """print(json.dumps(call(TOKEN, {"client_id": "molecule", "client_secret": "wrong"})))"""
    assert ask(host, code)[0] in (401, 403)


def test_nothing_is_shown_without_a_token(host):
    code = """print(json.dumps(call("http://127.0.0.1:8000/api/public/v1/workspaces")))"""
    assert ask(host, code)[0] in (401, 403)


def test_the_port_is_published_on_loopback_only(host):
    assert host.socket("tcp://127.0.0.1:8000").is_listening
    assert not host.socket("tcp://0.0.0.0:8000").is_listening
    address = host.check_output("ip -4 -o address show dev eth0").split()[3].split("/")[0]
    with socket.socket() as client:
        client.settimeout(2)
        assert client.connect_ex((address, 8000)) != 0


def test_the_secret_is_in_one_file_that_root_reads(host):
    with host.sudo():
        environment = host.file("/opt/airbyte/airbyte.env")
        assert (environment.user, environment.mode) == ("root", 0o600)
    assert "only-in-this-scenario" not in host.check_output("ps axww -o args")


def test_the_server_does_not_run_as_root(host):
    user = host.check_output("sudo docker top airbyte-server-1 -o pid,uid").split()[-1]
    assert user != "0"
