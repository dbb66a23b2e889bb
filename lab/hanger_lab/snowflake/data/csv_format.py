"""CSV file formats: Snowflake's options, and the DuckDB reader that obeys them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.parser import Properties, Value

_COMPRESSIONS = {"GZIP": "gzip", "NONE": "none", "ZSTD": "zstd"}
_HARMLESS = {
    "RECORD_DELIMITER": ("\n", "\r\n", "\\n", "NONE", None),
    "ESCAPE_UNENCLOSED_FIELD": ("NONE", None, "\\", "\\\\"),
    "BINARY_FORMAT": ("HEX",),
    "DATE_FORMAT": ("AUTO", "YYYY-MM-DD"),
    "TIME_FORMAT": ("AUTO",),
    "TIMESTAMP_FORMAT": ("AUTO",),
    "ENCODING": ("UTF8", "UTF-8"),
    "SKIP_BLANK_LINES": (True, False),
    "REPLACE_INVALID_CHARACTERS": (True, False),
    "SKIP_BYTE_ORDER_MARK": (True,),
    "MULTI_LINE": (True,),
    "PARSE_HEADER": (False,),
}


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is to be read."""

    delimiter: str = ","
    quote: str = ""
    escape: str = ""
    skip: int = 0
    null_if: tuple[str, ...] = ("\\N",)
    empty_is_null: bool = True
    trim: bool = False
    strict_columns: bool = True
    compression: str | None = None

    @classmethod
    def read(cls, options: Properties) -> CsvFormat:
        """Read FILE_FORMAT options; raises for those that the emulated account does not honour."""
        rest = dict(options)
        rest.pop("TYPE", None)
        for name, allowed in _HARMLESS.items():
            value = rest.pop(name, allowed[0])
            if value not in allowed:
                raise errors.unsupported(f"{name} = {value}")
        compression = str(rest.pop("COMPRESSION", "AUTO")).upper()
        if compression not in (*_COMPRESSIONS, "AUTO"):
            raise errors.unsupported(f"COMPRESSION = {compression}")
        nulls = rest.pop("NULL_IF", ["\\N"])
        made = cls(
            delimiter=_character(rest.pop("FIELD_DELIMITER", ",")),
            quote=_character(rest.pop("FIELD_OPTIONALLY_ENCLOSED_BY", None)),
            escape=_character(rest.pop("ESCAPE", None)),
            skip=int(str(rest.pop("SKIP_HEADER", 0))),
            null_if=tuple(str(n) for n in (nulls if isinstance(nulls, list) else [nulls])),
            empty_is_null=rest.pop("EMPTY_FIELD_AS_NULL", True) is not False,
            trim=rest.pop("TRIM_SPACE", False) is True,
            strict_columns=rest.pop("ERROR_ON_COLUMN_COUNT_MISMATCH", True) is not False,
            compression=_COMPRESSIONS.get(compression),
        )
        if rest:
            raise errors.invalid_property(next(iter(rest)), "FILE FORMAT")
        return made

    def reader(self, path: str, count: int) -> str:
        """Write the DuckDB call that reads a file with `count` fields a line, every field as text.

        DuckDB takes a path for a pattern only when there is no file of that very name; escaping it would open another.
        """
        columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(count))
        nothing = "" if self.empty_is_null else "\x01\x02no such value\x02\x01"
        options = {
            "columns": "{" + columns + "}",
            "auto_detect": "false",
            "header": "false",
            "skip": str(self.skip),
            "delim": _literal(self.delimiter),
            "quote": _literal(self.quote),
            "escape": _literal(self.escape or self.quote),
            "nullstr": _literal(nothing),
            "allow_quoted_nulls": "false",
            "max_line_size": "16777216",
            "compression": _literal(self.compression or ("gzip" if path.endswith(".gz") else "none")),
        }
        if not self.strict_columns:
            options["null_padding"] = "true"
        written = ", ".join(f"{name}={value}" for name, value in options.items())
        return f"read_csv({_literal(path)}, {written})"

    def expression(self, index: int, column_type: str) -> str:
        """Write the DuckDB expression that turns a field into a column's type."""
        field = f"c{index}"
        if self.trim:
            field = f"trim({field})"
        if self.null_if:
            field = f"CASE WHEN {field} IN ({_list(self.null_if)}) THEN NULL ELSE {field} END"
        if column_type == "VARCHAR":
            return field
        if column_type == "BLOB":
            return f"unhex({field})"
        return f"CAST({field} AS {column_type})"


def _character(value: Value) -> str:
    text = "" if value is None else str(value)
    named = {"NONE": "", "\\T": "\t", "\\\\": "\\", "\\N": "\n"}
    return named.get(text.upper(), text)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _list(values: Sequence[str]) -> str:
    return ", ".join(_literal(value) for value in values)
