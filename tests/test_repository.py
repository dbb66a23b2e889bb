"""Rules that the whole repository keeps."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")


def load(path: str):
    return yaml.safe_load((ROOT / path).read_text())


def site_tags() -> set[str]:
    listed = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "site.yml", "--list-tags"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {tag for tags in re.findall(r"TASK TAGS: \[(.*)\]", listed) for tag in tags.split(", ")}


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_default_values_are_those_of_the_specs(self, role):
        defaults = load(f"roles/{role}/defaults/main.yml") or {}
        options = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        assert set(defaults) <= set(options)
        specified = {name: option["default"] for name, option in options.items() if "default" in option}
        assert {name: defaults.get(name) for name in specified} == specified

    def test_every_variable_carries_the_role_name(self, role):
        options = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        assert [name for name in options if not name.startswith(f"{role}_")] == []

    def test_has_scenario_readme_and_no_dependency(self, role):
        assert (ROOT / "molecule" / role / "molecule.yml").is_file()
        assert list((ROOT / "molecule" / role / "tests").glob("test_*.py"))
        assert (ROOT / "roles" / role / "README.md").is_file()
        assert load(f"roles/{role}/meta/main.yml")["dependencies"] == []

    def test_is_a_stranger_to_the_inventory(self, role):
        tasks = "".join(path.read_text() for path in (ROOT / "roles" / role).rglob("*.yml"))
        assert not re.search(r"\b(groups|hostvars)\[", tasks)

    def test_secrets_are_not_logged(self, role):
        options = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        secrets = [name for name in options if name.endswith(("_password", "_secret"))]
        assert [name for name in secrets if not options[name].get("no_log")] == []


def test_every_role_has_its_tag_in_the_site_playbook():
    assert set(ROLES) <= site_tags()


def test_the_installed_collections_satisfy_the_requirements():
    import ansible_collections

    installed = Path(next(iter(ansible_collections.__path__)))
    for wanted in load("collections/requirements.yml")["collections"]:
        manifest = installed / wanted["name"].replace(".", "/") / "MANIFEST.json"
        version = yaml.safe_load(manifest.read_text())["collection_info"]["version"]
        assert version in SpecifierSet(wanted["version"]), f"{wanted['name']} is {version}"


def test_the_documentation_is_current():
    result = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_the_lock_holds_every_requirement_exactly():
    locked = {
        line.split("==")[0].split("[")[0]
        for line in (ROOT / "requirements.txt").read_text().split("\n")
        if "==" in line
    }
    for line in (ROOT / "requirements.in").read_text().split("\n"):
        if line and not line.startswith("#"):
            assert re.split(r"[\[<>=]", line)[0] in locked


def test_no_well_known_password_and_no_private_key_is_tracked():
    guide = re.compile(r"MyStr0ng" + r"P@SS|PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}")
    texts = (path for path in map(ROOT.joinpath, TRACKED) if path.is_file() and not path.is_symlink())
    assert [str(path) for path in texts if guide.search(path.read_text(errors="ignore"))] == []


def test_both_worlds_share_their_variables():
    for world in ("lab", "aws"):
        assert (
            ROOT / f"inventories/{world}/group_vars/all/00_shared"
        ).resolve() == ROOT / "inventories/shared/group_vars/all"


def test_make_help_has_one_line_for_each_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))
    helped = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in helped.strip().split("\n")} >= targets - {"help"}
