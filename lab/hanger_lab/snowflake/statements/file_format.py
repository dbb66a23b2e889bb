"""File formats: the options of each type with their defaults, and how they are shown.

Options and defaults: docs.snowflake.com/en/sql-reference/sql/create-file-format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition, in_schema, stay
from hanger_lab.snowflake.statements.views import Row, View, basic, columns

_TIMES: Properties = {"DATE_FORMAT": "AUTO", "TIME_FORMAT": "AUTO", "TIMESTAMP_FORMAT": "AUTO", "BINARY_FORMAT": "HEX"}
OPTIONS: Mapping[str, Properties] = {
    "CSV": {
        "RECORD_DELIMITER": "\n",
        "FIELD_DELIMITER": ",",
        "FILE_EXTENSION": None,
        "SKIP_HEADER": 0,
        "PARSE_HEADER": False,
        **_TIMES,
        "ESCAPE": "NONE",
        "ESCAPE_UNENCLOSED_FIELD": "\\",
        "TRIM_SPACE": False,
        "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE",
        "NULL_IF": ["\\N"],
        "COMPRESSION": "AUTO",
        "ERROR_ON_COLUMN_COUNT_MISMATCH": True,
        "VALIDATE_UTF8": True,
        "SKIP_BLANK_LINES": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "EMPTY_FIELD_AS_NULL": True,
        "SKIP_BYTE_ORDER_MARK": True,
        "ENCODING": "UTF8",
        "MULTI_LINE": True,
    },
    "JSON": {
        "FILE_EXTENSION": None,
        **_TIMES,
        "TRIM_SPACE": False,
        "MULTI_LINE": True,
        "NULL_IF": [],
        "COMPRESSION": "AUTO",
        "ENABLE_OCTAL": False,
        "ALLOW_DUPLICATE": False,
        "STRIP_OUTER_ARRAY": False,
        "STRIP_NULL_VALUES": False,
        "IGNORE_UTF8_ERRORS": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "SKIP_BYTE_ORDER_MARK": True,
    },
    "AVRO": {"TRIM_SPACE": False, "NULL_IF": [], "COMPRESSION": "AUTO", "REPLACE_INVALID_CHARACTERS": False},
    "ORC": {"TRIM_SPACE": False, "NULL_IF": [], "REPLACE_INVALID_CHARACTERS": False},
    "PARQUET": {
        "TRIM_SPACE": False,
        "NULL_IF": [],
        "COMPRESSION": "AUTO",
        "BINARY_AS_TEXT": True,
        "USE_LOGICAL_TYPE": False,
        "USE_VECTORIZED_SCANNER": False,
        "REPLACE_INVALID_CHARACTERS": False,
    },
    "XML": {
        "COMPRESSION": "AUTO",
        "IGNORE_UTF8_ERRORS": False,
        "PRESERVE_SPACE": False,
        "STRIP_OUTER_ELEMENT": False,
        "DISABLE_AUTO_CONVERT": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "SKIP_BYTE_ORDER_MARK": True,
    },
}
_ALL = {name: default for options in OPTIONS.values() for name, default in options.items()}


def checked(name: str, value: Value) -> Value:
    """Check one option by the type of its default; words such as NONE and AUTO are strings."""
    default = _ALL[name]
    if isinstance(default, bool):
        return p.boolean(name, value)
    if isinstance(default, int):
        return p.integer(0, 2**31)(name, value)
    if isinstance(default, list):
        items: list[Value] = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise errors.invalid_value(value, name)
        return items
    if isinstance(value, str):
        return value.upper() if value.upper() in ("NONE", "AUTO") else value
    if value is None:
        return None
    raise errors.invalid_value(value, name)


def read_inline(name: str, value: Value) -> Value:
    """Check `(FORMAT_NAME = f)` or `(TYPE = t option = value ...)`; stored as pairs."""
    given = {str(pair[0]): pair[1] for pair in value if isinstance(pair, list)} if isinstance(value, list) else {}
    if not given or ("FORMAT_NAME" in given and len(given) > 1):
        raise errors.invalid_value(value, name)
    if "FORMAT_NAME" in given:
        return [["FORMAT_NAME", p.identifier("FORMAT_NAME", given["FORMAT_NAME"])]]
    options = p.checked("FILE FORMAT", given, DEFINITION.known)
    options.setdefault("TYPE", "CSV")
    _validate(options)
    return [[key, option] for key, option in options.items()]


def chosen(given: Properties, stage: Securable | None, context: Context) -> Properties:
    """Return the options to read files with: those of the statement, or else of the stage, or of the format named.

    Taking the options of a named format takes USAGE on it.
    """
    kept = stage.properties.get("FILE_FORMAT") if stage is not None and not given else None
    if isinstance(kept, list):
        given = {str(pair[0]): pair[1] for pair in kept if isinstance(pair, list)}
    if "FORMAT_NAME" not in given:
        return given
    found = require_named(context, given["FORMAT_NAME"])
    return {key: value for key, value in found.properties.items() if key == "TYPE" or key in _ALL}


def require_named(context: Context, written: Value) -> Securable:
    """Find a format by its written name; it takes USAGE."""
    try:
        name = context.session.qualify(names.split(str(written)), 3, "FILE FORMAT")
    except ValueError:
        raise errors.syntax(str(written)[:60]) from None
    return context.access.require("USAGE", "FILE FORMAT", name)


def complete(options: Properties) -> Properties:
    """Fill in the defaults of the type, TYPE first."""
    kind = str(options.get("TYPE") or "CSV")
    return {"TYPE": kind, **{name: options.get(name, default) for name, default in OPTIONS[kind].items()}}


def detail_rows(options: Properties) -> list[dict[str, Cell]]:
    """Fill the rows with which DESC lists the options."""
    kind = str(options.get("TYPE") or "CSV")
    defaults: Properties = {"TYPE": "CSV", **OPTIONS[kind]}
    return [
        {
            "property": name,
            "property_type": _type(defaults[name]),
            "property_value": _written(value),
            "property_default": _written(defaults[name]),
        }
        for name, value in complete(options).items()
    ]


def _type(default: Value) -> str:
    if isinstance(default, bool):
        return "Boolean"
    return "Integer" if isinstance(default, int) else "List" if isinstance(default, list) else "String"


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return "" if value is None else str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _validate(properties: Properties) -> None:
    kind = properties.get("TYPE")
    if kind is None:
        raise errors.SnowflakeError(2029, "42601", "SQL compilation error:\nMissing option(s): [TYPE]")
    for name in properties:
        if name in _ALL and name not in OPTIONS[str(kind)]:
            raise errors.invalid_property(name, f"{kind} FILE FORMAT")


def _rows(_: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **basic(shown),
            "type": str(shown.properties.get("TYPE") or "CSV"),
            "format_options": json.dumps(complete(shown.properties), separators=(",", ":")),
        }
        for shown in objects
    ]


def _describe(_: Context, shown: Securable) -> Result:
    columns_ = ("property", "property_type", "property_value", "property_default")
    return table(columns_, detail_rows(shown.properties), DESCRIBE)


def _created(context: Context, made: Securable) -> None:
    context.session.connection.forget_temporary(made.name)


def _renamed(context: Context, old: Name, new: Name) -> None:
    """Stages that use the format follow its name."""
    for stage in context.catalog.all("STAGE"):
        if stage.properties.get("FILE_FORMAT") == [["FORMAT_NAME", names.show(old)]]:
            stage.properties = {**stage.properties, "FILE_FORMAT": [["FORMAT_NAME", names.show(new)]]}
            context.catalog.save(stage)
    stay(context, old, new)


DEFINITION = Definition(
    kind="FILE FORMAT",
    known={"TYPE": p.choice(*OPTIONS), **dict.fromkeys(_ALL, checked), "COMMENT": p.text},
    depth=3,
    authorize_create=in_schema("FILE FORMAT"),
    fixed=("TYPE",),
    validate=_validate,
    created=_created,
    renamed=_renamed,
    describe=_describe,
)
VIEWS = {
    "FILE FORMAT": View(
        columns("created_on name database_name schema_name type owner comment format_options owner_role_type"), _rows
    )
}
