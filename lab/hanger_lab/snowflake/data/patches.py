"""The places where fakesnow itself is corrected while it runs; each is worth offering upstream."""

from __future__ import annotations

from string import Template
from typing import Any

import fakesnow.arrow
import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.transforms.transforms

from hanger_lab.snowflake.data import arrow

_insert_lengths = fakesnow.info_schema.insert_text_lengths_sql
_insert_comment = fakesnow.info_schema.insert_table_comment_sql


def apply() -> None:
    """Install the corrections; doing it twice changes nothing."""
    vars(fakesnow.arrow)["timestamp_to_sf_struct"] = arrow.timestamps
    vars(fakesnow.info_schema)["insert_table_comment_sql"] = _table_comment
    vars(fakesnow.info_schema)["insert_text_lengths_sql"] = _text_lengths
    for module in (fakesnow.cursor, fakesnow.transforms.transforms):
        for name, value in list(vars(module).items()):
            if name.startswith("SQL_") and isinstance(value, Template):
                vars(module)[name] = _Escaping(value.template)


class _Escaping(Template):
    """A template for SQL whose values may hold quotes."""

    def substitute(self, mapping: Any = None, /, **values: Any) -> str:
        """Fill the template in."""
        return super().substitute({name: str(value).replace("'", "''") for name, value in values.items()})


def _table_comment(catalog: str, schema: str, table: str, comment: str | None) -> str:
    """A comment may hold quotes, and no comment is not the text `None`."""
    if comment is None:
        return "SELECT 1"
    escaped = (part.replace("'", "''") for part in (catalog, schema, table, comment))
    return _insert_comment(*escaped)


def _text_lengths(catalog: str, schema: str, table: str, text_lengths: list[tuple[str, int]]) -> str:
    """Names may hold quotes."""
    catalog, schema, table = (part.replace("'", "''") for part in (catalog, schema, table))
    return _insert_lengths(catalog, schema, table, [(column.replace("'", "''"), size) for column, size in text_lengths])
