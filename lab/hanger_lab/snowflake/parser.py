"""A recursive-descent reader for account statements; every statement module reads its own grammar with it."""

from __future__ import annotations

from collections.abc import Iterable

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.lexer import Kind, Token, line_and_column, tokenize, without_literals
from hanger_lab.snowflake.names import Name

Value = str | int | float | bool | None | list["Value"]
Properties = dict[str, Value]


class Parser:
    """The tokens of one statement and how far they have been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.position = 0

    @property
    def current(self) -> Token | None:
        """The next token, or None at the end."""
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    @property
    def done(self) -> bool:
        """Whether the statement has been read to its end."""
        return self.position >= len(self.tokens)

    def fail(self) -> errors.SnowflakeError:
        """Make the syntax error for the next token."""
        token = self.current
        if token is None:
            return errors.syntax("<EOF>", *line_and_column(self.text, len(self.text)))
        return errors.syntax(
            without_literals(self.text[token.start : token.end]), *line_and_column(self.text, token.start)
        )

    def end(self) -> None:
        """Require the end of the statement."""
        if not self.done:
            raise self.fail()

    def peek(self, *words: str) -> bool:
        """Whether the next tokens are these keywords."""
        ahead = self.tokens[self.position : self.position + len(words)]
        return len(ahead) == len(words) and all(token.keyword == word for token, word in zip(ahead, words, strict=True))

    def accept(self, *words: str) -> bool:
        """Read these keywords if they come next."""
        if self.peek(*words):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Read these keywords, or refuse the statement."""
        if not self.accept(*words):
            raise self.fail()

    def accept_any(self, phrases: Iterable[str]) -> str | None:
        """Read the longest of these phrases (`RESOURCE MONITOR`) that comes next."""
        for phrase in sorted(phrases, key=len, reverse=True):
            if self.accept(*phrase.split()):
                return phrase
        return None

    def symbol(self, character: str) -> bool:
        """Read a punctuation mark if it comes next."""
        token = self.current
        if token is not None and token.kind is Kind.SYMBOL and token.value == character:
            self.position += 1
            return True
        return False

    def expect_symbol(self, character: str) -> None:
        """Read a punctuation mark, or refuse the statement."""
        if not self.symbol(character):
            raise self.fail()

    def word(self) -> str:
        """Read any one keyword."""
        token = self.current
        if token is None or token.keyword is None:
            raise self.fail()
        self.position += 1
        return token.keyword

    def identifier(self) -> str:
        """Read one identifier and fold it."""
        token = self.current
        if token is not None and token.kind is Kind.QUOTED and token.value and "\0" not in token.value:
            self.position += 1
            return token.value
        return self.word()

    def name(self) -> Name:
        """Read a dotted name, or IDENTIFIER('a.b')."""
        token = self.current
        if token is not None and token.keyword == "IDENTIFIER" and self._symbol_ahead(1, "("):
            self.position += 2
            name = self._name_in_string()
            self.expect_symbol(")")
            return name
        parts = [self.identifier()]
        while self.symbol("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self) -> str:
        """Read one string literal."""
        token = self.current
        if token is None or token.kind is not Kind.STRING:
            raise self.fail()
        self.position += 1
        return token.value

    def integer(self) -> int:
        """Read one whole number."""
        token = self.current
        if token is None or token.kind is not Kind.NUMBER or "." in token.value:
            raise self.fail()
        self.position += 1
        return int(token.value)

    def value(self) -> Value:
        """Read a property's value: a string, number, TRUE, NULL, a bare word or name, or a list in parentheses.

        `(NAME = value ...)` in parentheses is a list of pairs.
        """
        token = self.current
        if token is None:
            raise self.fail()
        if self.symbol("("):
            return self._pairs() if self._symbol_ahead(1, "=") else self._list()
        if self.symbol("-"):
            number = self.value()
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return -number
            raise self.fail()
        if token.kind is Kind.STRING:
            return self.string()
        if token.kind is Kind.NUMBER:
            self.position += 1
            return float(token.value) if "." in token.value else int(token.value)
        if token.keyword in ("TRUE", "FALSE"):
            self.position += 1
            return token.keyword == "TRUE"
        if token.keyword == "NULL":
            self.position += 1
            return None
        return self._bare_value()

    def properties(self, *, stop: Iterable[str] = ()) -> Properties:
        """Read `NAME = value` pairs, commas optional, up to the end or one of the `stop` words."""
        found: Properties = {}
        stops = set(stop)
        while (token := self.current) is not None and token.keyword is not None and token.keyword not in stops:
            key = self.word()
            self.expect_symbol("=")
            if key in found:
                raise errors.SnowflakeError(1418, "42601", f"SQL compilation error:\nduplicate property '{key}'")
            found[key] = self.value()
            self.symbol(",")
        return found

    def names_list(self) -> list[str]:
        """Read words separated by commas up to the end, as UNSET has them."""
        found = [self.word()]
        while self.symbol(","):
            found.append(self.word())
        return found

    def _list(self) -> list[Value]:
        values: list[Value] = []
        while not self.symbol(")"):
            values.append(self.value())
            if not self.symbol(",") and not self._symbol_ahead(0, ")"):
                raise self.fail()
        return values

    def _pairs(self) -> list[Value]:
        pairs: list[Value] = []
        while not self.symbol(")"):
            key = self.word()
            self.expect_symbol("=")
            pairs.append([key, self.value()])
            self.symbol(",")
        return pairs

    def _bare_value(self) -> str:
        token = self.current
        name = self.name()
        return name[0] if token is not None and token.kind is Kind.WORD and len(name) == 1 else names.show(name)

    def _name_in_string(self) -> Name:
        text = self.string()
        try:
            return names.split(text)
        except ValueError:
            raise errors.syntax(text) from None

    def _symbol_ahead(self, distance: int, character: str) -> bool:
        index = self.position + distance
        if index >= len(self.tokens):
            return False
        token = self.tokens[index]
        return token.kind is Kind.SYMBOL and token.value == character
