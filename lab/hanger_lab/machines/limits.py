"""Limits of the host's kernel that many machines reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

# Every systemd takes some, and hangs at boot when there are none left: the usual 128 are enough for twenty machines.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 1024


def raise_inotify(say: Callable[[str], None], path: Path = INOTIFY) -> None:
    """Let root allow more inotify instances, until the host boots again; tell others what to do."""
    try:
        allowed = int(path.read_text())
    except (OSError, ValueError):
        return
    if allowed >= ENOUGH:
        return
    try:
        path.write_text(f"{ENOUGH}\n")
    except OSError:
        say(
            f"this host allows {allowed} inotify instances, enough for about {allowed // 6} machines: "
            f"`sudo sysctl fs.inotify.max_user_instances={ENOUGH}` allows more"
        )
    else:
        say(f"allowed {ENOUGH} inotify instances on this host instead of {allowed}: machines need them")
