"""Authentication policies: what they are made of, on what they are set, and what is in force.

Columns and rules: docs.snowflake.com/en/sql-reference/sql/show-authentication-policies and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hanger_lab.snowflake import errors, names, policies
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import ACCOUNT, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition, in_schema
from hanger_lab.snowflake.statements.properties import Check
from hanger_lab.snowflake.statements.views import Row, View, basic, columns

KIND = "AUTHENTICATION POLICY"
_KEY = "AUTHENTICATION_POLICY"
_METHODS = ("ALL", "SAML", "PASSWORD", "OAUTH", "KEYPAIR", "PROGRAMMATIC_ACCESS_TOKEN", "WORKLOAD_IDENTITY")
_CLIENTS = ("ALL", "SNOWFLAKE_UI", "DRIVERS", "SNOWFLAKE_CLI", "SNOWSQL")
_COLUMNS = columns("created_on name database_name schema_name kind owner comment owner_role_type options")


def _group(**known: Check) -> Check:
    """Accept `(NAME = value ...)` with these names; stored as pairs."""

    def check(name: str, value: Value) -> Value:
        pairs = value if isinstance(value, list) else []
        found: list[Value] = []
        for pair in pairs:
            key = pair[0] if isinstance(pair, list) and len(pair) == 2 else None
            if not isinstance(pair, list) or not isinstance(key, str) or key not in known:
                raise errors.invalid_value(value, name)
            found.append([key, known[key](key, pair[1])])
        if not found:
            raise errors.invalid_value(value, name)
        return found

    return check


def _texts(name: str, value: Value) -> Value:
    found: list[Value] = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(item, str) for item in found):
        raise errors.invalid_value(value, name)
    return found


def _client_policy(name: str, value: Value) -> Value:
    drivers = [pair[0] for pair in value if isinstance(pair, list)] if isinstance(value, list) else []
    version = _group(MINIMUM_VERSION=p.text)
    return _group(**dict.fromkeys([str(driver) for driver in drivers], version))(name, value)


_KNOWN: dict[str, Check] = {
    "AUTHENTICATION_METHODS": p.words(*_METHODS),
    "CLIENT_TYPES": p.words(*_CLIENTS),
    "CLIENT_POLICY": _client_policy,
    "SECURITY_INTEGRATIONS": _texts,
    "MFA_ENROLLMENT": p.choice("REQUIRED", "REQUIRED_PASSWORD_ONLY", "OPTIONAL"),
    "MFA_AUTHENTICATION_METHODS": p.words("ALL", "SAML", "PASSWORD"),
    "MFA_POLICY": _group(
        ENFORCE_MFA_ON_EXTERNAL_AUTHENTICATION=p.choice("ALL", "NONE"),
        ALLOWED_METHODS=p.words("ALL", "PASSKEY", "TOTP", "OTP", "DUO"),
    ),
    "PAT_POLICY": _group(
        DEFAULT_EXPIRY_IN_DAYS=p.integer(1, 365),
        MAX_EXPIRY_IN_DAYS=p.integer(1, 365),
        REQUIRE_ROLE_RESTRICTION_FOR_SERVICE_USERS=p.boolean,
        NETWORK_POLICY_EVALUATION=p.choice("ENFORCED_REQUIRED", "ENFORCED_NOT_REQUIRED", "NOT_ENFORCED"),
    ),
    "WORKLOAD_IDENTITY_POLICY": _group(
        ALLOWED_PROVIDERS=p.words("ALL", "AWS", "AZURE", "GCP", "OIDC"),
        ALLOWED_AWS_ACCOUNTS=_texts,
        ALLOWED_AZURE_ISSUERS=_texts,
        ALLOWED_OIDC_ISSUERS=_texts,
    ),
    "COMMENT": p.text,
}
_DEFAULTS: dict[str, Value] = {
    "AUTHENTICATION_METHODS": ["ALL"],
    "CLIENT_TYPES": ["ALL"],
    "SECURITY_INTEGRATIONS": ["ALL"],
    "MFA_ENROLLMENT": "REQUIRED_PASSWORD_ONLY",
    "MFA_POLICY": [["ENFORCE_MFA_ON_EXTERNAL_AUTHENTICATION", "NONE"], ["ALLOWED_METHODS", ["ALL"]]],
    "PAT_POLICY": [
        ["DEFAULT_EXPIRY_IN_DAYS", 15],
        ["MAX_EXPIRY_IN_DAYS", 365],
        ["NETWORK_POLICY_EVALUATION", "ENFORCED_REQUIRED"],
        ["REQUIRE_ROLE_RESTRICTION_FOR_SERVICE_USERS", True],
    ],
    "CLIENT_POLICY": None,
    "WORKLOAD_IDENTITY_POLICY": [["ALLOWED_PROVIDERS", ["ALL"]]],
}


def _validate(properties: Properties) -> None:
    """Refuse a second factor for passwords where passwords are not let in, as Snowflake does."""
    methods = properties.get("AUTHENTICATION_METHODS", ["ALL"])
    second = properties.get("MFA_AUTHENTICATION_METHODS")
    if isinstance(methods, list) and isinstance(second, list) and "ALL" not in methods:
        for method in second:
            if method != "ALL" and method not in methods:
                raise errors.invalid_value(method, "MFA_AUTHENTICATION_METHODS")


# -- setting on the account and on users ----------------------------------------------------------------------------


def read_setting(parser: Parser, context: Context, holder: Properties, shown: str) -> Properties | None:
    """Read `SET | UNSET AUTHENTICATION POLICY` for an account or user with these properties; None for anything else.

    Returns the properties as they will be. A policy that is set already gives way only to FORCE.
    """
    word = "SET" if parser.accept("SET", *KIND.split()) else "UNSET" if parser.accept("UNSET", *KIND.split()) else None
    if word is None:
        return None
    if word == "UNSET":
        _require_apply(context, None)
        return {name: value for name, value in holder.items() if name != _KEY}
    name = context.session.qualify(parser.name(), 3, "ALTER")
    context.access.require_parents(KIND, name)
    policy = context.access.require_visible(KIND, name)
    _require_apply(context, policy)
    if parser.peek("FOR"):
        raise errors.unsupported(f"SET {KIND} ... FOR ALL users of a type")
    force = parser.accept("FORCE")
    held = policies.as_name(holder.get(_KEY))
    if held and held != policy.name and not force:
        raise errors.SnowflakeError(
            3552,
            "42710",
            f"SQL compilation error:\nObject {shown} already has a AUTHENTICATION_POLICY. Only one "
            "AUTHENTICATION_POLICY is allowed at a time.",
        )
    return {**holder, _KEY: list(policy.name)}


def _require_apply(context: Context, policy: Securable | None) -> None:
    """It takes APPLY AUTHENTICATION POLICY on the account, or the policy's own APPLY or ownership."""
    access = context.access
    if access.holds(f"APPLY {KIND}", "ACCOUNT", ACCOUNT):
        return
    if policy is None or not access.holds("APPLY", KIND, policy.name):
        raise errors.insufficient("account", context.account)


def attached(catalog: Catalog, policy: Name) -> Iterator[tuple[str, Name]]:
    """Yield what a policy is set on."""
    if policies.as_name(catalog.parameters.get(_KEY)) == policy:
        yield "ACCOUNT", ()
    for user in catalog.all("USER"):
        if policies.as_name(user.properties.get(_KEY)) == policy:
            yield "USER", user.name


def _require_unattached(context: Context, policy: Securable) -> None:
    if next(attached(context.catalog, policy.name), None) is not None:
        raise errors.policy_in_use(names.show(policy.name[-1:]))


def _renamed(context: Context, old: Name, new: Name) -> None:
    catalog = context.catalog
    if policies.as_name(catalog.parameters.get(_KEY)) == old:
        catalog.set_parameters({**catalog.parameters, _KEY: list(new)})
    for user in catalog.all("USER"):
        if policies.as_name(user.properties.get(_KEY)) == old:
            user.properties[_KEY] = list(new)
            catalog.save(user)


# -- showing --------------------------------------------------------------------------------------------------------


def show_in_force(parser: Parser, context: Context) -> Result:
    """Run SHOW AUTHENTICATION POLICIES ON ACCOUNT | USER u after ON; else the account's is a user's too."""
    catalog = context.catalog
    if parser.accept("ACCOUNT"):
        name = policies.as_name(catalog.parameters.get(_KEY))
        found = catalog.find(KIND, name)
        in_force = (found, "ACCOUNT") if found is not None else None
    else:
        parser.expect("USER")
        user = parser.name()
        own = user == (context.session.user,)
        in_force = policies.authentication_policy(
            catalog, catalog.get("USER", user) if own else context.access.require_visible("USER", user)
        )
    parser.end()
    _require_apply(context, in_force[0] if in_force is not None else None)
    rows = [{**row, "set_on": in_force[1]} for row in _rows(context, [in_force[0]])] if in_force is not None else []
    return table((*_COLUMNS, "set_on"), rows)


def _rows(_: Context, objects: Sequence[Securable]) -> list[Row]:
    return [{**basic(shown), "kind": "AUTHENTICATION_POLICY", "options": ""} for shown in objects]


def _describe(_: Context, policy: Securable) -> Result:
    rows: list[dict[str, Cell]] = [
        {"property": "NAME", "value": policy.name[-1], "default": "null", "description": "Name of the policy."},
        {"property": "OWNER", "value": policy.owner_name, "default": "null", "description": "Owner of the policy."},
        {"property": "COMMENT", "value": policy.comment, "default": "null", "description": "Comment on the policy."},
    ]
    for key, default in _DEFAULTS.items():
        rows.append(
            {
                "property": key,
                "value": _written(policy.properties.get(key, default)),
                "default": _written(default),
                "description": "",
            }
        )
    return table(("property", "value", "default", "description"), rows, DESCRIBE)


def _written(value: Value) -> str:
    """Write `[A, B]` for a list and `{NAME=value, ...}` for a group."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, list):
        return str(value)
    if value and all(isinstance(item, list) for item in value):
        return "{" + ", ".join(f"{item[0]}={_written(item[1])}" for item in value if isinstance(item, list)) + "}"
    return "[" + ", ".join(_written(item) for item in value) + "]"


def _require_integrations(context: Context, properties: Properties) -> Properties:
    named = properties.get("SECURITY_INTEGRATIONS")
    for item in named if isinstance(named, list) else []:
        if str(item).upper() != "ALL" and context.catalog.find("INTEGRATION", names.split(str(item))) is None:
            raise errors.missing("INTEGRATION", str(item))
    return properties


DEFINITION = Definition(
    kind=KIND,
    known=_KNOWN,
    depth=3,
    authorize_create=in_schema(KIND),
    validate=_validate,
    resolve=_require_integrations,
    dropped=_require_unattached,
    renamed=_renamed,
    describe=_describe,
)
VIEWS = {KIND: View(_COLUMNS, _rows)}
