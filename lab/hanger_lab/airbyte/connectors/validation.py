"""Validates configurations; the messages name the field and what is wrong with it, never a value that may be secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hanger_lab.airbyte.connectors import Connector
from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.connectors.snowflake import SnowflakeConfig
from hanger_lab.airbyte.errors import unprocessable

HEAD = "The provided configuration does not fulfill the specification. Errors: "
TAGS = frozenset(
    {"disable", "allow", "prefer", "require", "verify-ca", "verify-full", "Standard", "Xmin", "CDC", "NO_TUNNEL"}
    | {"SSH_KEY_AUTH", "SSH_PASSWORD_AUTH", "Key Pair Authentication", "Username and Password"}
)
TYPES = {
    "string_type": "string",
    "int_type": "integer",
    "int_from_float": "integer",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
JSON_TYPES: Sequence[tuple[type, str]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def validated(connector: Connector, configuration: Mapping[str, Any]) -> BaseModel:
    """Return the configuration as a model; raise the problem of status 422 that names what is wrong."""
    try:
        model = connector.model.model_validate(dict(configuration))
    except ValidationError as error:
        raise unprocessable(HEAD + "; ".join(described(error, configuration))) from None
    assert isinstance(model, PostgresConfig | SnowflakeConfig)  # noqa: S101
    refusals = model.refusals()
    if refusals:
        raise unprocessable(HEAD + "; ".join(refusals))
    return model


def described(error: ValidationError, configuration: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each thing that is wrong."""
    return [_sentence(item, configuration) for item in error.errors(include_url=False)]


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type."""
    return next((name for kind, name in JSON_TYPES if isinstance(value, kind)), "null")


def _sentence(item: ErrorDetails, configuration: Mapping[str, Any]) -> str:
    path = [str(part) for part in item["loc"] if part not in TAGS]
    context: Mapping[str, Any] = item.get("ctx") or {}
    kind = item["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path.append(str(context["discriminator"]).strip("'"))
    where = "$." + ".".join(path) if path else "$"
    if kind in ("missing", "union_tag_not_found"):
        return f"{where}: is missing but it is required"
    if kind == "union_tag_invalid":
        return f"{where}: '{context['tag']}' does not have a value in the enumeration [{context['expected_tags']}]"
    if kind == "literal_error":
        return f"{where}: does not have a value in the enumeration [{context['expected']}]"
    if kind in TYPES:
        return f"{where}: {json_type(_value(configuration, path))} found, {TYPES[kind]} expected"
    if kind == "string_pattern_mismatch":
        return f"{where}: does not match the regex pattern {context['pattern']}"
    return f"{where}: {item['msg'][0].lower()}{item['msg'][1:]}"


def _value(configuration: Any, path: Sequence[str]) -> Any:
    for part in path:
        if isinstance(configuration, list) and part.isdigit() and int(part) < len(configuration):
            configuration = configuration[int(part)]
        else:
            configuration = configuration.get(part) if isinstance(configuration, Mapping) else None
    return configuration
