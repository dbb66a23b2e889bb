"""Stages: internal ones with their files, and external ones, which exist but cannot be read here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import folders, stages
from hanger_lab.snowflake.data.engine import Engine
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import file_format, integration
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition, in_schema
from hanger_lab.snowflake.statements.views import Row, View, basic, columns, scalar

_SCHEMES = {"s3": "AWS", "s3gov": "AWS", "s3china": "AWS", "s3compat": "AWS", "gcs": "GCP", "azure": "AZURE"}
_COPY_OPTIONS: tuple[tuple[str, str, Value], ...] = (
    ("ON_ERROR", "String", "ABORT_STATEMENT"),
    ("SIZE_LIMIT", "Long", None),
    ("PURGE", "Boolean", False),
    ("RETURN_FAILED_ONLY", "Boolean", False),
    ("ENFORCE_LENGTH", "Boolean", True),
    ("TRUNCATECOLUMNS", "Boolean", False),
    ("FORCE", "Boolean", False),
)


def is_temporary(kind: str, parser: Parser, context: Context) -> bool:
    """Whether DROP names a temporary stage or file format, which the data plane made and drops."""
    start = parser.position
    parser.accept("IF", "EXISTS")
    name = context.session.qualify(parser.name(), 3, f"DROP {kind}")
    parser.position = start
    found = context.catalog.find(kind, name)
    return found is not None and found.properties.get("TABLE_KIND") == "TEMPORARY"


def _url(name: str, value: Value) -> Value:
    scheme, separator, place = str(value or "").partition("://")
    if not isinstance(value, str) or scheme not in _SCHEMES or not separator or not place:
        raise errors.invalid_value(value, name)
    return value


def _given(_: str, value: Value) -> Value:
    """Note that credentials or a key were given; what they are is not kept."""
    return bool(value)


def _directory(name: str, value: Value) -> Value:
    pairs = value if isinstance(value, list) else []
    given = {str(pair[0]): pair[1] for pair in pairs if isinstance(pair, list)}
    known = {"ENABLE": p.boolean, "AUTO_REFRESH": p.boolean, "REFRESH_ON_CREATE": p.boolean}
    found = p.checked(name, given, known)
    if "ENABLE" not in found or found.get("AUTO_REFRESH") is True:
        raise errors.unsupported(f"{name} without ENABLE, or with AUTO_REFRESH")
    return found["ENABLE"]


def _validate(properties: Properties) -> None:
    url = properties.get("URL")
    if url is None:
        for name in ("STORAGE_INTEGRATION", "CREDENTIALS"):
            if properties.get(name):
                raise errors.invalid_property(name, "internal STAGE")


def _resolve(context: Context, properties: Properties) -> Properties:
    """Write the name of the file format in full, so that it means the same in every session."""
    chosen = properties.get("FILE_FORMAT")
    if isinstance(chosen, list) and isinstance(chosen[0], list) and chosen[0][0] == "FORMAT_NAME":
        found = file_format.require_named(context, chosen[0][1])
        return {**properties, "FILE_FORMAT": [["FORMAT_NAME", names.show(found.name)]]}
    return properties


def _created(context: Context, stage: Securable) -> None:
    context.session.connection.forget_temporary(stage.name)
    _altered(context, stage)


def _altered(context: Context, stage: Securable) -> None:
    """An address takes an integration that allows it, where one is named or the account asks for one."""
    url, named = stage.properties.get("URL"), stage.properties.get("STORAGE_INTEGRATION")
    if url is not None and isinstance(named, str):
        integration.require_location(context, names.split(named), str(url))
    elif url is not None and context.catalog.parameters.get("REQUIRE_STORAGE_INTEGRATION_FOR_STAGE_CREATION") is True:
        raise errors.SnowflakeError(
            3134, "42601", "SQL compilation error:\nCreation of a stage without a storage integration is not allowed."
        )
    elif url is not None and any(stages.directory(context.engine, stage.name).glob("*")):
        raise errors.unsupported("URL on an internal stage that holds files")


def _renamed(context: Context, old: Name, new: Name) -> None:
    """The files follow the name."""
    before, after = (stages.directory(context.engine, name) for name in (old, new))
    context.catalog.afterwards(lambda: _move(before, after))


def _move(before: Path, after: Path) -> None:
    if before.is_dir():
        after.parent.mkdir(parents=True, exist_ok=True)
        before.replace(after)


def _unmake(engine: Engine, name: Name) -> None:
    folders.remove(engine.stages, stages.directory(engine, name))


def _rows(_: Context, objects: Sequence[Securable]) -> list[Row]:
    rows: list[Row] = []
    for shown in objects:
        given = shown.properties
        url = str(given.get("URL") or "")
        kind = ("EXTERNAL" if url else "INTERNAL") + (" TEMPORARY" if given.get("TABLE_KIND") == "TEMPORARY" else "")
        row: Row = {
            "url": url,
            "has_credentials": "Y" if given.get("CREDENTIALS") else "N",
            "has_encryption_key": "Y" if given.get("ENCRYPTION") and url else "N",
            "region": None,
            "type": kind,
            "cloud": _SCHEMES.get(url.partition("://")[0]),
            "notification_channel": None,
            "storage_integration": scalar(given.get("STORAGE_INTEGRATION")),
            "endpoint": None,
            "directory_enabled": "Y" if given.get("DIRECTORY") else "N",
        }
        rows.append({**basic(shown), **row})
    return rows


def _describe(_: Context, stage: Securable) -> Result:
    given = stage.properties
    rows: list[dict[str, Cell]] = []
    chosen = given.get("FILE_FORMAT")
    options = {str(pair[0]): pair[1] for pair in chosen if isinstance(pair, list)} if isinstance(chosen, list) else {}
    if "FORMAT_NAME" in options:
        rows.append(_row("STAGE_FILE_FORMAT", "FORMAT_NAME", "String", str(options["FORMAT_NAME"]), ""))
    else:
        rows += [{"parent_property": "STAGE_FILE_FORMAT", **row} for row in file_format.detail_rows(options)]
    rows += [_row("STAGE_COPY_OPTIONS", name, kind, _text(value), _text(value)) for name, kind, value in _COPY_OPTIONS]
    url = given.get("URL")
    rows.append(_row("STAGE_LOCATION", "URL", "String", json.dumps([url]) if url else "", ""))
    if url:
        rows.append(
            _row("STAGE_INTEGRATION", "STORAGE_INTEGRATION", "String", _text(given.get("STORAGE_INTEGRATION")), "")
        )
        rows.append(_row("STAGE_CREDENTIALS", "AWS_KEY_ID", "String", "****" if given.get("CREDENTIALS") else "", ""))
    rows.append(_row("DIRECTORY", "ENABLE", "Boolean", _text(bool(given.get("DIRECTORY"))), "false"))
    rows.append(_row("DIRECTORY", "AUTO_REFRESH", "Boolean", "false", "false"))
    return table(("parent_property", "property", "property_type", "property_value", "property_default"), rows, DESCRIBE)


def _row(parent: str, name: str, kind: str, value: str, default: str) -> dict[str, Cell]:
    return {
        "parent_property": parent,
        "property": name,
        "property_type": kind,
        "property_value": value,
        "property_default": default,
    }


def _text(value: Value) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


DEFINITION = Definition(
    kind="STAGE",
    known={
        "URL": _url,
        "STORAGE_INTEGRATION": p.identifier,
        "CREDENTIALS": _given,
        "ENCRYPTION": _given,
        "DIRECTORY": _directory,
        "FILE_FORMAT": file_format.read_inline,
        "COMMENT": p.text,
    },
    depth=3,
    authorize_create=in_schema("STAGE"),
    validate=_validate,
    resolve=_resolve,
    unmake=_unmake,
    created=_created,
    altered=_altered,
    renamed=_renamed,
    describe=_describe,
)
VIEWS = {
    "STAGE": View(
        columns(
            "created_on name database_name schema_name url has_credentials has_encryption_key owner comment region "
            "type cloud notification_channel storage_integration endpoint owner_role_type directory_enabled"
        ),
        _rows,
    )
}
