"""Tags: names for values that objects can carry."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements import tagging
from hanger_lab.snowflake.statements.lifecycle import Definition, in_schema
from hanger_lab.snowflake.statements.views import Row, View, basic, columns, scalar

_MOST_VALUES = 300


def _clauses(parser: Parser) -> Properties:
    """Read `ALLOWED_VALUES 'a', 'b'`, which has no sign between."""
    if not parser.accept("ALLOWED_VALUES"):
        return {}
    return {"ALLOWED_VALUES": _strings(parser)}


def _strings(parser: Parser) -> list[Value]:
    found: list[Value] = [parser.string()]
    while parser.symbol(","):
        found.append(parser.string())
    return found


def _action(parser: Parser, context: Context, tag: Securable) -> bool:
    """Run ADD ALLOWED_VALUES and DROP ALLOWED_VALUES; a tag without any left takes every value."""
    verb = next((word for word in ("ADD", "DROP") if parser.accept(word, "ALLOWED_VALUES")), None)
    if verb is None:
        return False
    context.access.require_owner("TAG", tag.name)
    named = _strings(parser)
    before = _allowed(tag)
    added = [*before, *(value for value in named if value not in before)]
    after = added if verb == "ADD" else [value for value in before if value not in named]
    tag.properties = {**tag.properties, "ALLOWED_VALUES": _checked("ALLOWED_VALUES", after)}
    return True


def _checked(name: str, value: Value) -> Value:
    found = value if isinstance(value, list) else []
    if len(found) > _MOST_VALUES or not all(isinstance(item, str) and len(item) <= 256 for item in found):
        raise errors.invalid_value(value, name)
    return found


def _allowed(tag: Securable) -> list[Value]:
    kept = tag.properties.get("ALLOWED_VALUES")
    return kept if isinstance(kept, list) else []


def _rows(_: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **basic(shown),
            "allowed_values": json.dumps(_allowed(shown)) if _allowed(shown) else None,
            "propagate": scalar(shown.properties.get("PROPAGATE"), "NONE"),
            "on_conflict": scalar(shown.properties.get("ON_CONFLICT")),
        }
        for shown in objects
    ]


def _dropped(context: Context, tag: Securable) -> None:
    tagging.forget(context.catalog, tag.name)


def _renamed(context: Context, old: Name, new: Name) -> None:
    tagging.rename(context.catalog, old, new)


DEFINITION = Definition(
    kind="TAG",
    known={"ALLOWED_VALUES": _checked, "PROPAGATE": p.choice("NONE"), "ON_CONFLICT": p.text, "COMMENT": p.text},
    depth=3,
    authorize_create=in_schema("TAG"),
    clauses=_clauses,
    stop_words=("ALLOWED_VALUES",),
    action=_action,
    dropped=_dropped,
    renamed=_renamed,
)
VIEWS = {
    "TAG": View(
        columns(
            "created_on name database_name schema_name owner comment allowed_values owner_role_type propagate "
            "on_conflict"
        ),
        _rows,
    )
}
