"""Storage integrations: where external stages may point, and as whom."""

from __future__ import annotations

from collections.abc import Sequence

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition
from hanger_lab.snowflake.statements.views import Row, View, basic, columns

_PROVIDERS = ("S3", "S3GOV", "S3CHINA", "GCS", "AZURE")
_SCHEMES = {"S3": "s3://", "S3GOV": "s3gov://", "S3CHINA": "s3china://", "GCS": "gcs://", "AZURE": "azure://"}
_REQUIRED = ("TYPE", "STORAGE_PROVIDER", "ENABLED", "STORAGE_ALLOWED_LOCATIONS")
_TYPES = {"ENABLED": "Boolean", "USE_PRIVATELINK_ENDPOINT": "Boolean"}
_LISTS = ("STORAGE_ALLOWED_LOCATIONS", "STORAGE_BLOCKED_LOCATIONS")


def require_location(context: Context, integration: Name, url: str) -> None:
    """Refuse a stage's address that the integration does not allow, or a role that may not use the integration."""
    found = context.access.require("USAGE", "INTEGRATION", integration)
    if not _listed(found, "STORAGE_ALLOWED_LOCATIONS", url) or _listed(found, "STORAGE_BLOCKED_LOCATIONS", url):
        raise errors.SnowflakeError(
            3167,
            "42601",
            f"SQL compilation error:\nLocation '{url}' is not allowed by integration {names.show(integration)}. Please "
            "use DESC INTEGRATION to check out allowed and blocked locations.",
        )


def _listed(integration: Securable, key: str, url: str) -> bool:
    kept = integration.properties.get(key)
    found = [str(item) for item in kept] if isinstance(kept, list) else []
    return any(item == "*" or url == item or url.startswith(item.rstrip("/") + "/") for item in found)


def _locations(name: str, value: Value) -> Value:
    found: list[Value] = value if isinstance(value, list) else [value]
    for item in found:
        if not isinstance(item, str) or not (item == "*" or "://" in item):
            raise errors.invalid_value(item, name)
    return found


def _validate(properties: Properties) -> None:
    absent = [name for name in _REQUIRED if name not in properties]
    provider = str(properties.get("STORAGE_PROVIDER") or "")
    if provider.startswith("S3") and "STORAGE_AWS_ROLE_ARN" not in properties:
        absent.append("STORAGE_AWS_ROLE_ARN")
    if provider == "AZURE" and "AZURE_TENANT_ID" not in properties:
        absent.append("AZURE_TENANT_ID")
    if absent:
        raise errors.SnowflakeError(2029, "42601", f"SQL compilation error:\nMissing option(s): [{', '.join(absent)}]")
    for key in _LISTS:
        kept = properties.get(key)
        for item in kept if isinstance(kept, list) else []:
            if item != "*" and not str(item).startswith(_SCHEMES[provider]):
                raise errors.invalid_value(item, key)


def _authorize(context: Context, _: Name) -> None:
    context.access.require_account("CREATE INTEGRATION")


def _rows(_: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **basic(shown),
            "type": str(shown.properties.get("TYPE")),
            "category": "STORAGE",
            "enabled": str(bool(shown.properties.get("ENABLED"))).lower(),
        }
        for shown in objects
    ]


def _describe(context: Context, integration: Securable) -> Result:
    given = integration.properties
    provider = str(given["STORAGE_PROVIDER"])
    own = {
        "S3": ("STORAGE_AWS_IAM_USER_ARN", "STORAGE_AWS_ROLE_ARN", "STORAGE_AWS_EXTERNAL_ID"),
        "AZURE": ("AZURE_TENANT_ID", "AZURE_CONSENT_URL", "AZURE_MULTI_TENANT_APP_NAME"),
        "GCS": ("STORAGE_GCP_SERVICE_ACCOUNT",),
    }[provider[:2] if provider.startswith("S3") else provider]
    made = {
        "STORAGE_AWS_IAM_USER_ARN": f"arn:aws:iam::000000000000:user/{context.account.lower()}",
        "STORAGE_AWS_EXTERNAL_ID": f"{context.account}_SFCRole={names.show(integration.name)}",
        "STORAGE_GCP_SERVICE_ACCOUNT": f"{context.account.lower()}@emulated.invalid",
    }
    keys = ("ENABLED", "STORAGE_PROVIDER", *_LISTS, *own, "USE_PRIVATELINK_ENDPOINT", "COMMENT")
    rows: list[dict[str, Cell]] = [
        {
            "property": key,
            "property_type": "List" if key in _LISTS else _TYPES.get(key, "String"),
            "property_value": _written(given.get(key, made.get(key, "false" if key in _TYPES else ""))),
            "property_default": "[]" if key in _LISTS else "false" if key in _TYPES else "",
        }
        for key in keys
    ]
    return table(("property", "property_type", "property_value", "property_default"), rows, DESCRIBE)


def _written(value: Value) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


DEFINITION = Definition(
    kind="INTEGRATION",
    known={
        "TYPE": p.choice("EXTERNAL_STAGE"),
        "STORAGE_PROVIDER": p.choice(*_PROVIDERS),
        "ENABLED": p.boolean,
        **dict.fromkeys(_LISTS, _locations),
        **dict.fromkeys(
            ("STORAGE_AWS_ROLE_ARN", "STORAGE_AWS_EXTERNAL_ID", "STORAGE_AWS_OBJECT_ACL", "AZURE_TENANT_ID"), p.text
        ),
        "USE_PRIVATELINK_ENDPOINT": p.boolean,
        "COMMENT": p.text,
    },
    authorize_create=_authorize,
    fixed=("TYPE", "STORAGE_PROVIDER"),
    validate=_validate,
    describe=_describe,
)
VIEWS = {"INTEGRATION": View(columns("name type category enabled comment created_on"), _rows)}
