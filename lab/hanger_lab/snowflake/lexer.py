"""Turns the text of a statement into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from hanger_lab.snowflake import errors


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its value without quotes, and where it stands in the text."""

    kind: Kind
    value: str
    start: int
    end: int

    @property
    def keyword(self) -> str | None:
        """The token as a keyword, or None when quotes make it something else."""
        return self.value.upper() if self.kind is Kind.WORD else None


_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
      | "(?P<quoted>(?:[^"]|"")*)"
      | \$\$(?P<raw>.*?)\$\$
      | '(?P<string>(?:[^'\\]++|\\.|'')*+)'
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[^\W\d][\w$]*)
      | (?P<symbol>[^\s\w"'])""",
    re.DOTALL | re.VERBOSE,
)
_LEADING = re.compile(r"(\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)|[^\W\d][\w$]*", re.DOTALL)
_LITERAL = re.compile(r"'(?:\\.|''|[^'\\])*(?:'|\\?$)|\$\$.*?(?:\$\$|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def tokenize(text: str) -> list[Token]:
    """Split a statement into tokens, comments left out; raises a syntax error at a character that fits nothing."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise errors.syntax(without_literals(text[position:], 20), *line_and_column(text, position))
        position = match.end()
        token = _token(match)
        if token is not None:
            tokens.append(token)
    while tokens and tokens[-1].kind is Kind.SYMBOL and tokens[-1].value == ";":
        tokens.pop()
    return tokens


def first_words(text: str, count: int = 4) -> list[str]:
    """Read the first keywords of a statement without reading the rest of it."""
    words: list[str] = []
    position = 0
    while position < len(text) and len(words) < count:
        match = _LEADING.match(text, position)
        if match is None:
            break
        position = match.end()
        if match[1] is None:
            words.append(match.group().upper())
    return words


def without_literals(text: str, length: int = 60) -> str:
    """Shorten a piece of a statement for a message; what may be a secret is left out, also when its quote is open."""
    return " ".join(_LITERAL.sub("'...'", text).split())[:length]


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Say where a position is, lines counted from 1 and columns from 0 as Snowflake does."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1)


def unescape(body: str) -> str:
    """Resolve the escapes of a single-quoted string."""
    if "\\" not in body and "''" not in body:
        return body
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]) if found[1] else "'", body)


def _token(match: re.Match[str]) -> Token | None:
    group = match.lastgroup
    if group == "blank" or group is None:
        return None
    value = match.group(group)
    if group == "quoted":
        return Token(Kind.QUOTED, value.replace('""', '"'), match.start(), match.end())
    if group == "raw":
        return Token(Kind.STRING, value, match.start(), match.end())
    if group == "string":
        return Token(Kind.STRING, unescape(value), match.start(), match.end())
    return Token(Kind(group), value, match.start(), match.end())
