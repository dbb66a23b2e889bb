"""Where one lab lives and which ports it uses."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lab:
    """One lab: a directory, its ports, and the id that marks everything it creates."""

    directory: Path
    cache: Path
    ec2_port: int = 5566
    snowflake_port: int = 8084
    region: str = "eu-west-1"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Lab:
        """Read HANGER_LAB_DIR, _CACHE, _EC2_PORT and _SNOWFLAKE_PORT; raise ValueError for a port out of range."""
        directory = Path(environment.get("HANGER_LAB_DIR") or ".lab").resolve()
        return cls(
            directory=directory,
            cache=Path(environment.get("HANGER_LAB_CACHE") or directory / "cache").resolve(),
            ec2_port=_port(environment, "HANGER_LAB_EC2_PORT", cls.ec2_port),
            snowflake_port=_port(environment, "HANGER_LAB_SNOWFLAKE_PORT", cls.snowflake_port),
        )

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, the same for the same directory."""
        return hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]

    @property
    def facts(self) -> Path:
        """The file that tells inventories and tests how to reach a running lab."""
        return self.directory / "lab.json"


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{name} must be a TCP port between 1 and 65535, not {text!r}")
    return int(text)
