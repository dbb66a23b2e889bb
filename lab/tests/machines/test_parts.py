from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hanger_lab.airbyte_image import SOURCES
from hanger_lab.config import Lab
from hanger_lab.keys import provisioner_key
from hanger_lab.machines import SEED, EngineError, ImageError, SeedFile, limits
from hanger_lab.machines import engine as engine_module
from hanger_lab.machines.archive import cached_layer, compress_layer, write_archive
from hanger_lab.machines.firewall import undo
from hanger_lab.machines.locate import LONGEST_SOCKET_PATH, checked_address, engine_address, private_socket
from hanger_lab.machines.recipes import RECIPES, Rootfs
from hanger_lab.machines.rootfs import cached_rootfs, mmdebstrap
from hanger_lab.machines.trust import MACHINE_BUNDLE, trust_files
from hanger_lab.ports import PortTakenError, require_free
from hanger_lab.processes import Service, ServiceError
from hanger_lab.sources import source_files
from hanger_lab.up import write_facts

CLEAN = ["-P INPUT ACCEPT", "-P FORWARD ACCEPT"]
WITH_DOCKER = [
    "-P INPUT ACCEPT",
    "-P FORWARD DROP",
    "-N DOCKER",
    "-N DOCKER-USER",
    "-A FORWARD -j DOCKER-USER",
    "-A FORWARD -i lo -j ACCEPT",
    "-A DOCKER-USER -j RETURN",
]


def test_the_packet_filter_goes_back_to_what_it_was() -> None:
    assert undo(CLEAN, WITH_DOCKER) == [
        ["-P", "FORWARD", "ACCEPT"],
        ["-D", "FORWARD", "-j", "DOCKER-USER"],
        ["-F", "DOCKER"],
        ["-F", "DOCKER-USER"],
        ["-X", "DOCKER"],
        ["-X", "DOCKER-USER"],
    ]


def test_chains_that_were_there_before_stay() -> None:
    assert undo([*WITH_DOCKER[:1], "-P FORWARD DROP", "-N DOCKER"], WITH_DOCKER) == []


def test_the_resolver_chains_of_a_surrounding_container_are_not_an_engines() -> None:
    before = [*CLEAN, "-N DOCKER_OUTPUT"]
    assert ["-X", "DOCKER"] in undo(before, [*WITH_DOCKER, "-N DOCKER_OUTPUT"])
    assert ["-X", "DOCKER_OUTPUT"] not in undo(before, [*WITH_DOCKER, "-N DOCKER_OUTPUT"])


@pytest.mark.parametrize("address", ["tcp://192.0.2.9:2375", "ssh://host", "npipe:////./pipe/docker"])
def test_only_an_engine_on_this_host_is_supported(address: str) -> None:
    with pytest.raises(EngineError, match="engine on this host"):
        checked_address(address)


def test_no_engine_says_what_to_install(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hanger_lab.machines.locate.DEFAULT_SOCKET", tmp_path / "none.sock")
    with pytest.raises(EngineError, match=r"apt-get install docker\.io"):
        engine_address(lab, {})


def test_a_socket_that_nobody_serves_is_no_engine(lab: Lab) -> None:
    lab.directory.mkdir()
    with pytest.raises(EngineError, match="no Docker engine answers"):
        monkey = pytest.MonkeyPatch()
        with monkey.context() as context:
            context.setenv("DOCKER_HOST", f"unix://{lab.directory}/gone.sock")
            engine_module.Engine.connect(lab)


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    short, long = Lab(tmp_path, tmp_path), Lab(tmp_path / ("x" * 120), tmp_path)
    assert private_socket(short).is_relative_to(tmp_path)
    assert len(str(private_socket(long))) <= LONGEST_SOCKET_PATH
    assert private_socket(long) != private_socket(Lab(tmp_path / ("y" * 120), tmp_path))


def test_seed_files_are_roots_alone() -> None:
    data = engine_module.archive({f"{SEED}/user-data": "#!", "/etc/motd": b"hi", "/x": SeedFile("", 0o755, 7, 8)})
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        modes = {info.name: (info.mode, info.uid, info.gid) for info in tar}
    assert modes == {"var/lib/hanger/seed/user-data": (0o600, 0, 0), "etc/motd": (0o644, 0, 0), "x": (0o755, 7, 8)}


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute"):
        engine_module.archive({"etc/motd": "x"})


def test_a_company_authority_reaches_the_bundle_and_a_file_of_its_own(tmp_path: Path) -> None:
    authority = "-----BEGIN CERTIFICATE-----\nQ09NUEFOWQ==\n-----END CERTIFICATE-----"
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(f"# company\r\n{authority}\n".replace("\n", "\r\n"))
    files = trust_files({"SSL_CERT_FILE": str(bundle)})
    assert authority in str(files[MACHINE_BUNDLE].content)
    own = [path for path, file in files.items() if str(file.content).strip() == authority]
    assert len(own) == 1
    assert own[0].startswith("/usr/local/share/ca-certificates/")


def test_recipes_ask_no_mirror_of_their_own() -> None:
    recipe = RECIPES["debian-13"].source
    assert isinstance(recipe, Rootfs)
    assert not [word for word in mmdebstrap(recipe, []) if "://" in word]
    assert mmdebstrap(recipe, ["deb http://mirror.example/debian trixie main"])[-1].startswith("deb http://mirror")
    assert recipe.key([]) != recipe.key(["deb http://mirror.example/debian trixie main"])


def test_a_failing_build_leaves_nothing_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "mmdebstrap"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho half; echo 'E: no such mirror' >&2; exit 25\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    recipe = RECIPES["debian-13"].source
    assert isinstance(recipe, Rootfs)
    with pytest.raises(ImageError, match="no such mirror"):
        cached_rootfs("debian-13", recipe, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_mmdebstrap_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    recipe = RECIPES["debian-13"].source
    assert isinstance(recipe, Rootfs)
    with pytest.raises(ImageError, match="apt-get install mmdebstrap"):
        cached_rootfs("debian-13", recipe, tmp_path / "cache")


def test_an_archive_is_an_image_of_its_layers(tmp_path: Path) -> None:
    layers = []
    for name in ("base", "top"):
        root = tmp_path / name
        root.mkdir()
        (root / "file").write_text(name * 400)
        layers.append(compress_layer(root, tmp_path / f"{name}.tar.gz"))
    write_archive(tmp_path / "image.tar.gz", "test/image:1", layers, {"User": "1:1"})
    with tarfile.open(tmp_path / "image.tar.gz") as tar:
        content = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    [manifest] = json.loads(content["manifest.json"])
    config = json.loads(content[manifest["Config"]])
    assert manifest["RepoTags"] == ["test/image:1"]
    assert config["config"] == {"User": "1:1"}
    assert config["rootfs"]["diff_ids"] == [f"sha256:{layer.digest}" for layer in layers]
    for layer, name in zip(layers, manifest["Layers"], strict=True):
        assert content[name] == gzip.decompress(layer.path.read_bytes())
        assert cached_layer(layer.path) == layer == cached_layer(layer.path)


def test_the_airbyte_image_holds_only_its_own_sources() -> None:
    names = source_files(SOURCES)
    assert "airbyte/__init__.py" in names
    assert not [name for name in names if name.startswith(("machines", "ec2", "snowflake")) or "__pycache__" in name]


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    pair = provisioner_key(tmp_path)
    before = pair.private.read_bytes()
    assert pair.private.stat().st_mode & 0o777 == 0o600
    assert provisioner_key(tmp_path).private.read_bytes() == before
    assert before.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_a_taken_port_names_its_holder_and_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTakenError) as error:
            require_free(port, "the ec2 endpoint", "HANGER_LAB_EC2_PORT")
    assert f"port {port} for the ec2 endpoint is taken by" in str(error.value)
    assert f"(pid {os.getpid()})" in str(error.value)
    assert "HANGER_LAB_EC2_PORT" in str(error.value)


def service(tmp_path: Path, program: str, health: str = "http://127.0.0.1:9/") -> Service:
    return Service("test", tmp_path.name, tmp_path, (sys.executable, "-c", program), health, key="1")


def test_a_service_that_ends_says_why(tmp_path: Path) -> None:
    broken = service(tmp_path, "raise SystemExit('no such file')")
    broken.start()
    with pytest.raises(ServiceError, match="no such file"):
        broken.wait(10)
    assert broken.pids() == []


def test_a_log_is_its_owners_alone_also_an_old_one(tmp_path: Path) -> None:
    talker = service(tmp_path, "print('a secret')")
    talker.log_file.parent.mkdir()
    talker.log_file.write_text("before\n")
    talker.log_file.chmod(0o644)
    talker.start()
    with pytest.raises(ServiceError, match="before / a secret"):
        talker.wait(10)
    assert talker.log_file.stat().st_mode & 0o777 == 0o600


def test_facts_and_secrets_are_their_owners_alone(lab: Lab) -> None:
    lab.directory.mkdir()
    (lab.directory / "secrets").mkdir(mode=0o755)
    provisioner_key(lab.directory)
    write_facts(lab, {"ec2": {"secret_key": "x"}})
    lab.facts.chmod(0o644)
    write_facts(lab, {"ec2": {"secret_key": "x"}})
    assert lab.facts.stat().st_mode & 0o777 == 0o600
    assert (lab.directory / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_service_is_found_and_stopped_without_its_pid_file(tmp_path: Path) -> None:
    stubborn = service(tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)")
    quick = service(tmp_path, "import time; time.sleep(60)")
    quick.start()
    assert quick.current()
    assert not stubborn.healthy()
    quick.pid_file.unlink()
    assert len(quick.pids()) == 1
    assert not quick.current()
    quick.stop()
    assert quick.pids() == []


@pytest.mark.parametrize("name", ["hanger-init", "hanger-seed", "customize", "customize-airbyte"])
def test_scripts_parse(name: str) -> None:
    path = Path(engine_module.__file__).parent / "files" / name
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", str(path)], check=True)


@pytest.mark.parametrize(("allowed", "then"), [("128", "1024"), ("1024", "1024"), ("8192", "8192")])
def test_a_low_limit_of_inotify_is_raised_and_said(tmp_path: Path, allowed: str, then: str) -> None:
    path = tmp_path / "max_user_instances"
    said: list[str] = []
    path.write_text(f"{allowed}\n")
    limits.raise_inotify(said.append, path)
    assert path.read_text().strip() == then
    assert bool(said) == (allowed != then)
    limits.raise_inotify(said.append, tmp_path / "none")
