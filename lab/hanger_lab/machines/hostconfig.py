"""What this host's own configuration says about package mirrors, indexes and proxies."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

URL = re.compile(r"""\b(?:https?|ftp|socks5h?)://[^\s"'\]},;]+""")
INDEX_VARIABLE = re.compile(r"(?i)^(?:pip_.*url|uv_.*index.*|npm_config_registry|(?:https?|all|ftp)_proxy)$")


def mirror_hosts(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Return the hosts of every mirror, index and proxy that apt, pip, uv and npm are configured with on this host."""
    texts = [_uncommented(path) for path in configuration_files(environment)]
    texts += [
        value if "://" in value else f"http://{value}"
        for name, value in environment.items()
        if INDEX_VARIABLE.match(name) and value
    ]
    return hosts(texts)


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


def _listing(directory: str, *patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in Path(directory).glob(pattern))


def _uncommented(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("#", "//", ";")))
