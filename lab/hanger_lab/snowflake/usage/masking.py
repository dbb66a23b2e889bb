"""Statements as they may be kept: without passwords, keys and tokens."""

from __future__ import annotations

import re

from hanger_lab.snowflake.lexer import without_literals

MOST_CHARACTERS = 16_000
_SENSITIVE = re.compile(
    "PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE_KEY|PUBLIC_KEY|MASTER_KEY|AWS_KEY|SAS_", re.IGNORECASE
)
_LITERAL = re.compile(r"'(?:\\.|''|[^'\\])*(?:'|\\?$)|\$\$.*?(?:\$\$|$)", re.DOTALL)
_SIGNED = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|$)", re.DOTALL)
_HIDDEN = "'********'"


def is_sensitive(text: str) -> bool:
    """Whether a statement speaks of passwords, keys or tokens."""
    return _SENSITIVE.search(text, 0, MOST_CHARACTERS) is not None


def mask(text: str) -> str:
    """Hide every literal after the first word that announces a secret, signed tokens and PEM blocks; shorten it.

    A literal that holds such a word is hidden whole.
    """
    text = text[:MOST_CHARACTERS]
    found = _SENSITIVE.search(text)
    if found is not None:
        start = found.start()
        for literal in _LITERAL.finditer(text):
            if literal.start() <= start < literal.end():
                start = literal.start()
                break
        text = text[:start] + _LITERAL.sub(_HIDDEN, text[start:])
    return _SIGNED.sub("********", text)


def mask_message(message: str, statement: str) -> str:
    """An error message, without literals where its statement may hold a secret."""
    return without_literals(message, 1000) if is_sensitive(statement) else mask(message)
