"""Writes bindings into the text where they stand for a name or an option, which no SQL parser can bind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.lexer import Kind, first_words, tokenize

if TYPE_CHECKING:
    from hanger_lab.snowflake.data.executor import Request

_WRITTEN = re.compile(r"\bIDENTIFIER\s*\(\s*\?|\bINFER_SCHEMA\s*\(", re.I)


def write(request: Request) -> Request:
    """Return the request with its bindings in the text if one names an object or an option; else as it is."""
    words = first_words(request.text, 2)
    special = words == ["COPY", "INTO"] or words[:1] == ["PUT"] or _WRITTEN.search(request.text[:100_000])
    if not request.bindings or not special:
        return request
    places = [token for token in tokenize(request.text) if token.kind is Kind.SYMBOL and token.value == "?"]
    if len(places) != len(request.bindings):
        raise errors.unsupported(f"{len(request.bindings)} bindings for {len(places)} places")
    text, end = [], 0
    for number, place in enumerate(places, 1):
        text += [request.text[end : place.start], _literal(request.bindings.get(str(number)))]
        end = place.end
    return replace(request, text="".join([*text, request.text[end:]]), bindings={})


def _literal(binding: object) -> str:
    value = binding.get("value") if isinstance(binding, dict) else None
    kind = binding.get("type") if isinstance(binding, dict) else None
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        raise errors.unsupported("a list bound to a name")
    if kind in ("FIXED", "REAL") and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
