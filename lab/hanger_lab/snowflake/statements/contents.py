"""Whether a database or schema may be dropped with what is in it."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import authentication_policy, network, tagging


def require_removable(context: Context, container: Securable) -> None:
    """Refuse to drop a database or schema while a policy is set that is in it; its tags come off everything."""
    catalog = context.catalog
    for rule in catalog.all("NETWORK RULE", within=container.name):
        if network.users_of_rule(catalog, rule.name):
            raise _refusal(container, rule)
    for policy in catalog.all("AUTHENTICATION POLICY", within=container.name):
        if next(authentication_policy.attached(catalog, policy.name), None) is not None:
            raise _refusal(container, policy)
    tagging.forget(catalog, container.name)


def _refusal(container: Securable, held: Securable) -> errors.SnowflakeError:
    kind = errors.label_of(held.kind)
    return errors.SnowflakeError(
        3540,
        "55000",
        f"SQL compilation error:\nCannot drop {container.kind.lower()} {names.show(container.name)} because: {kind} "
        f"'{names.show(held.name)}' in it is in use.",
    )
