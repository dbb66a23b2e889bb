"""Decides what roles may do: inheritance, privileges, and what is hidden from whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import ACCOUNT, DATABASE_OBJECTS, SCHEMA_OBJECTS, Securable, role_kind
from hanger_lab.snowflake.names import Name

Roles = frozenset[str]


def inherited(catalog: Catalog, roles: Iterable[str]) -> Roles:
    """Collect these roles and all that they inherit; PUBLIC is always among them."""
    return catalog.inherited(frozenset(roles))


def assumable(catalog: Catalog, user: str) -> Roles:
    """Collect the roles that a user may log in with or switch to."""
    return frozenset(role for role in secondary(catalog, user) if role_kind(role) == "ROLE")


def secondary(catalog: Catalog, user: str) -> Roles:
    """Collect the roles that work for a user beside the primary one; database roles among them."""
    return inherited(catalog, catalog.roles_of("USER", user))


@dataclass(frozen=True)
class Access:
    """The rights of one statement: its primary role's, and those that secondary roles add."""

    catalog: Catalog
    account: str
    primary_role: str
    primary: Roles
    all: Roles

    def holds(self, privilege: str, kind: str, name: Name, *, primary_only: bool = False) -> bool:
        """Whether a role in force owns the object or was granted the privilege."""
        roles = self.primary if primary_only else self.all
        found = self.catalog.find(kind, name)
        if found is not None and found.owner in roles:
            return True
        if any(g.privilege == privilege and g.role in roles for g in self.catalog.grants_on(kind, name)):
            return True
        managed = kind == "WAREHOUSE" and privilege in ("MODIFY", "MONITOR", "OPERATE") and found is not None
        return managed and self.holds("MANAGE WAREHOUSES", "ACCOUNT", ACCOUNT, primary_only=primary_only)

    def owns(self, kind: str, name: Name) -> bool:
        """Whether a role in force owns the object."""
        found = self.catalog.find(kind, name)
        return found is not None and found.owner in self.all

    @property
    def manages_grants(self) -> bool:
        """Whether the global privilege MANAGE GRANTS is in force."""
        return self.holds("MANAGE GRANTS", "ACCOUNT", ACCOUNT)

    def sees(self, kind: str, name: Name) -> bool:
        """Whether the object exists as far as the session may know: some privilege on it or on something inside."""
        if self.catalog.find(kind, name) is None:
            return False
        if kind == "DATABASE ROLE" and self.sees("DATABASE", name[:1]):
            return True
        if kind == "ROLE" or self.owns(kind, name) or self.manages_grants:
            return True
        if kind == "WAREHOUSE" and self.holds("MANAGE WAREHOUSES", "ACCOUNT", ACCOUNT):
            return True
        return any(g.role in self.all for g in self.catalog.grants_on(kind, name))

    def lists(self, kind: str, name: Name) -> bool:
        """Whether the object appears in SHOW and INFORMATION_SCHEMA: seen, and its database and schema usable."""
        if not self.sees(kind, name):
            return False
        if self.manages_grants:
            return True
        try:
            self.require_parents(kind, name)
        except errors.SnowflakeError:
            return False
        return True

    def require_account(self, privilege: str) -> None:
        """Require a privilege on the account; the primary role must hold it, as for every CREATE."""
        if not self.holds(privilege, "ACCOUNT", ACCOUNT, primary_only=True):
            raise errors.insufficient("account", self.account)

    def require_visible(self, kind: str, name: Name) -> Securable:
        """Return the object, or say that it does not exist or is not authorised."""
        if not self.sees(kind, name):
            raise errors.missing(kind, names.show(name))
        return self.catalog.get(kind, name)

    def require(self, privilege: str, kind: str, name: Name, *, primary_only: bool = False) -> Securable:
        """Require a privilege; without any right the object stays hidden, with too few it is refused."""
        self.require_parents(kind, name)
        if not self.holds(privilege, kind, name, primary_only=primary_only):
            if not self.sees(kind, name):
                raise errors.missing(kind, names.show(name))
            raise errors.insufficient(kind, names.show(name[-1:]))
        return self.catalog.get(kind, name)

    def require_owner(self, kind: str, name: Name) -> Securable:
        """Require ownership."""
        self.require_parents(kind, name)
        if not self.owns(kind, name):
            if not self.sees(kind, name):
                raise errors.missing(kind, names.show(name))
            raise errors.insufficient(kind, names.show(name[-1:]))
        return self.catalog.get(kind, name)

    def require_parents(self, kind: str, name: Name) -> None:
        """Require USAGE on the database and schema that hold the object."""
        if kind in (*DATABASE_OBJECTS, *SCHEMA_OBJECTS) and not self._usable("DATABASE", name[:1]):
            raise errors.missing("DATABASE", names.show(name[:1]))
        if kind in SCHEMA_OBJECTS and not self._usable("SCHEMA", name[:2]):
            raise errors.missing("SCHEMA", names.show(name[:2]))

    def _usable(self, kind: str, name: Name) -> bool:
        return self.catalog.find(kind, name) is not None and self.holds("USAGE", kind, name)
