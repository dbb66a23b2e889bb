"""What this host's own configuration says about package mirrors, indexes and proxies."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hanger_lab.machines.hosttools import uv

URL = re.compile(r"""\b(?:https?|ftp|socks5h?)://[^\s"'\]},;]+""")
INDEX_VARIABLE = re.compile(r"(?i)^(?:pip_.*url|uv_.*index.*|npm_config_registry|(?:https?|all|ftp)_proxy)$")


def mirror_hosts(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Return the hosts of every mirror, index and proxy that apt, pip, uv and npm are configured with on this host."""
    texts = [_uncommented(path) for path in configuration_files(environment)] + [_uv_index()]
    texts += [
        value if "://" in value else f"http://{value}"
        for name, value in environment.items()
        if INDEX_VARIABLE.match(name) and value
    ]
    return hosts(texts)


def _uv_index() -> str:
    """Ask uv for the index that it uses, which is its own default where none is configured."""
    program = uv()
    if not program:
        return ""
    command = [program, "pip", "compile", "--quiet", "--offline", "--no-header", "--emit-index-url", "-"]
    try:
        return subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def hosts(texts: Iterable[str]) -> set[str]:
    """Return the host of every URL in the texts."""
    found = set()
    for text in texts:
        for url in URL.findall(text):
            try:
                host = urlsplit(url).hostname
            except ValueError:
                continue
            if host:
                found.add(host)
    return found


def configuration_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the existing configuration files of apt, pip, uv and npm."""
    home = Path(environment.get("HOME") or "/root")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = [environment.get(name) for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NPM_CONFIG_USERCONFIG")]
    paths = [
        *_listing("/etc/apt", "sources.list"),
        *_listing("/etc/apt/sources.list.d", "*.list", "*.sources"),
        *_listing("/etc/apt", "apt.conf"),
        *_listing("/etc/apt/apt.conf.d", "*"),
        *(Path(name) for name in named if name),
        *(Path(path) for path in ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", "/etc/uv/uv.toml", "/etc/npmrc")),
        *(home / path for path in (".pip/pip.conf", ".npmrc")),
        *(config / path for path in ("pip/pip.conf", "uv/uv.toml")),
    ]
    return [path for path in paths if path.is_file() and os.access(path, os.R_OK)]


def debian_sources(suite: str, root: Path = Path("/")) -> list[str]:
    """Return the sources.list lines of a Debian suite on the mirrors that a Debian host is configured with.

    Empty for other hosts: then the builder's own default is used.
    """
    release = _os_release(root)
    codename = release.get("VERSION_CODENAME")
    if release.get("ID") != "debian" or not codename:
        return []
    texts = [path.read_text(errors="replace") for path in _listing(str(root / "etc/apt"), "sources.list")]
    lists = [
        *texts,
        *(path.read_text(errors="replace") for path in _listing(f"{root}/etc/apt/sources.list.d", "*.list")),
    ]
    stanzas = [path.read_text(errors="replace") for path in _listing(f"{root}/etc/apt/sources.list.d", "*.sources")]
    entries = [entry for text in lists for entry in _one_line_sources(text)]
    entries += [entry for text in stanzas for entry in _deb822_sources(text)]
    lines = [
        f"deb {uri} {suite}{name.removeprefix(codename)} main"
        for uri, name in dict.fromkeys(entries)
        if name in {codename, f"{codename}-updates", f"{codename}-security"}
    ]
    return lines if any(line.endswith(f" {suite} main") for line in lines) else []


def apt_proxy() -> dict[str, str]:
    """Return apt's proxies as environment variables."""
    try:
        text = subprocess.run(["apt-config", "dump"], capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    found = re.findall(r'^Acquire::(https?)::proxy "([^"]+)";$', text, re.IGNORECASE | re.MULTILINE)
    return {f"{scheme.lower()}_proxy": url for scheme, url in found if url != "DIRECT"}


def _one_line_sources(text: str) -> list[tuple[str, str]]:
    entries = []
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", "", line.partition("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb" and "main" in words[3:] and words[1].startswith("http"):
            entries.append((words[1], words[2]))
    return entries


def _deb822_sources(text: str) -> list[tuple[str, str]]:
    entries = []
    for stanza in re.split(r"\n\s*\n", "\n".join(line for line in text.splitlines() if not line.startswith("#"))):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):[ \t]*((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", []) or "main" not in fields.get("components", []):
            continue
        if fields.get("enabled", ["yes"]) == ["no"]:
            continue
        uris = [uri for uri in fields.get("uris", []) if uri.startswith("http")]
        entries += [(uri, suite) for uri in uris for suite in fields.get("suites", [])]
    return entries


def _os_release(root: Path) -> dict[str, str]:
    path = root / "etc/os-release"
    lines = path.read_text().splitlines() if path.is_file() else []
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def _listing(directory: str, *patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in Path(directory).glob(pattern))


def _uncommented(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("#", "//", ";")))
