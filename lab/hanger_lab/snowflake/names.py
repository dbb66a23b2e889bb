"""Identifiers: unquoted text folds to upper case, quoted text is exact."""

from __future__ import annotations

import re

Name = tuple[str, ...]

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")


def quote(part: str) -> str:
    """Quote one identifier, always."""
    return '"' + part.replace('"', '""') + '"'


def show(name: Name) -> str:
    """Write a name as messages and SHOW output do: quotes only where folding would change it."""
    return ".".join(part if _PLAIN.fullmatch(part) else quote(part) for part in name)


def split(text: str) -> Name:
    """Read a dotted name out of a string property; raises ValueError where the text is not a name."""
    parts: list[str] = []
    rest = text
    while True:
        match = re.match(r'\s*(?:"((?:[^"\0]|"")+)"|([A-Za-z_][\w$]*))\s*(\.|$)', rest)
        if match is None:
            raise ValueError(f"not a name: {text!r}")
        quoted, plain, end = match.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else plain.upper())
        rest = rest[match.end() :]
        if not end:
            return tuple(parts)


def like(pattern: str, text: str) -> bool:
    r"""Match as SHOW ... LIKE does: any case, `%` and `_` are wildcards, a backslash makes the next one literal."""
    regex: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            regex.append(re.escape(next(characters, "\\")))
        else:
            regex.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
    return re.fullmatch("".join(regex), text, re.IGNORECASE | re.DOTALL) is not None
