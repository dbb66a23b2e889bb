"""The catalogue of one account: held in memory, written through to disk at the end of every change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import FutureGrant, Grant, RoleGrant, Securable, role_key
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties
from hanger_lab.snowflake.store import Key, Store

Action = Callable[[], None]
_ObjectKey = tuple[str, Name]

log = logging.getLogger(__name__)


class Catalog:
    """Objects, grants and parameters. Change it only inside `with catalog.change():`."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._changes: dict[tuple[str, Key], dict[str, Any] | None] = {}
        self._afterwards: list[Action] = []
        self._otherwise: list[Action] = []
        self._depth = 0
        self._inherited: dict[frozenset[str], frozenset[str]] = {}
        self._load()

    # -- changes ----------------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[None]:
        """Hold the catalogue still while it is read."""
        with self._lock:
            yield

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make everything inside one change: all of it reaches the disk, or nothing is changed."""
        with self._lock:
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    if self._changes:
                        self._store.write(self._changes)
                    _carry_out(self._afterwards)
            except BaseException:
                if self._depth == 1:
                    if self._changes:
                        self._load()
                    _carry_out(reversed(self._otherwise))
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._changes, self._afterwards, self._otherwise = {}, [], []

    def afterwards(self, action: Action) -> None:
        """Do what cannot be undone once the change has reached the disk."""
        self._afterwards.append(action)

    def otherwise(self, action: Action) -> None:
        """Undo what was done already if the change does not reach the disk."""
        self._otherwise.append(action)

    # -- objects ----------------------------------------------------------------------------------------------------

    def find(self, kind: str, name: Name) -> Securable | None:
        """Look an object up."""
        return self._objects.get(kind, {}).get(name)

    def get(self, kind: str, name: Name) -> Securable:
        """Look an object up, or say that it does not exist."""
        found = self.find(kind, name)
        if found is None:
            raise errors.missing(kind, names.show(name))
        return found

    def relation(self, name: Name) -> Securable | None:
        """Look up a table or a view, which share one name space."""
        return self.find("TABLE", name) or self.find("VIEW", name)

    def all(self, kind: str, within: Name = ()) -> list[Securable]:
        """List the objects of a kind by name, all of them or those inside a database or schema."""
        found = (o for o in self._objects.get(kind, {}).values() if o.name[: len(within)] == within)
        return sorted(found, key=lambda o: o.name)

    def everything(self) -> list[Securable]:
        """List all objects of all kinds."""
        return [found for objects in self._objects.values() for found in objects.values()]

    def create(self, kind: str, name: Name, owner: str, properties: Properties | None = None) -> Securable:
        """Record a new object with its owner, and give out what future grants promise."""
        made = Securable(kind, name, owner, self._clock(), dict(properties or {}))
        promised = self._promised(kind, name)
        for future in promised:
            if future.privilege == "OWNERSHIP":
                made.owner = future.role
        self.save(made)
        for future in promised:
            if future.privilege != "OWNERSHIP":
                self.grant(Grant(future.privilege, kind, name, future.role, made.owner, future.with_option))
        return made

    def save(self, changed: Securable) -> None:
        """Record an object whose fields were changed."""
        self._objects.setdefault(changed.kind, {})[changed.name] = changed
        self._changes["object", (changed.kind, *changed.name)] = asdict(changed)

    def remove(self, kind: str, name: Name) -> None:
        """Forget an object, what it contains, and every grant that names them."""
        if kind in ("DATABASE", "SCHEMA"):
            for inner in list(self._objects):
                for found in self.all(inner, within=name):
                    if found.name != name:
                        self._remove_one(inner, found.name)
            for future in [f for f in self._futures.values() if f.scope[: len(name)] == name]:
                self.revoke_future(future)
        self._remove_one(kind, name)

    def rename(self, kind: str, old: Name, new: Name) -> None:
        """Give an object another name; its contents and grants follow."""
        inner_kinds = list(self._objects) if kind in ("DATABASE", "SCHEMA") else []
        moving = [self.get(kind, old)] + [o for k in inner_kinds for o in self.all(k, within=old) if o.name != old]
        for found in moving:
            grants = self.grants_on(found.kind, found.name)
            self._forget(found.kind, found.name)
            before = found.name
            found.name = new + before[len(old) :]
            self.save(found)
            if found.kind in ("ROLE", "DATABASE ROLE"):
                self._rename_role(role_key(before), role_key(found.name))
            for grant in grants:
                self.grant(Grant(**{**asdict(grant), "name": found.name}))
        for future in [f for f in self._futures.values() if f.scope[: len(old)] == old and inner_kinds]:
            self.revoke_future(future)
            self.grant_future(FutureGrant(**{**asdict(future), "scope": new + future.scope[len(old) :]}))

    # -- grants -----------------------------------------------------------------------------------------------------

    def grants_on(self, kind: str, name: Name) -> list[Grant]:
        """List the grants on an object, ownership left out."""
        return list(self._grants_on.get((kind, name), {}).values())

    def grants_to(self, role: str) -> list[Grant]:
        """List the grants that a role holds, ownership left out."""
        return list(self._grants_to.get(role, {}).values())

    def owned_by(self, role: str) -> list[Securable]:
        """List the objects that a role owns."""
        return [o for objects in self._objects.values() for o in objects.values() if o.owner == role]

    def grant(self, grant: Grant) -> None:
        """Record a grant; one that is there already can only gain the grant option."""
        held = self._grants_on.get((grant.kind, grant.name), {}).get((grant.privilege, grant.role))
        if held is not None and (held.with_option or not grant.with_option):
            return
        self._index(grant)
        self._changes["grant", self._grant_key(grant)] = asdict(grant)

    def revoke(self, grant: Grant) -> None:
        """Forget a grant."""
        self._grants_on.get((grant.kind, grant.name), {}).pop((grant.privilege, grant.role), None)
        self._grants_to.get(grant.role, {}).pop((grant.privilege, grant.kind, grant.name), None)
        self._changes["grant", self._grant_key(grant)] = None

    def replace(self, grant: Grant) -> None:
        """Record a grant whatever was there before."""
        self._index(grant)
        self._changes["grant", self._grant_key(grant)] = asdict(grant)

    def futures(self) -> list[FutureGrant]:
        """List all future grants."""
        return list(self._futures.values())

    def grant_future(self, future: FutureGrant) -> None:
        """Record a future grant."""
        key = self._future_key(future)
        self._futures[key] = future
        self._changes["future", key] = asdict(future)

    def revoke_future(self, future: FutureGrant) -> None:
        """Forget a future grant."""
        key = self._future_key(future)
        self._futures.pop(key, None)
        self._changes["future", key] = None

    # -- roles ------------------------------------------------------------------------------------------------------

    def role_grants(self) -> list[RoleGrant]:
        """List every grant of a role."""
        return list(self._role_grants.values())

    def grant_role(self, grant: RoleGrant) -> None:
        """Give a role; giving it twice changes nothing."""
        key = (grant.role, grant.to_kind, grant.to_name)
        if key not in self._role_grants:
            self._index_role(key, grant)
            self._changes["role_grant", key] = asdict(grant)

    def revoke_role(self, role: str, to_kind: str, to_name: str) -> None:
        """Take a role back."""
        key = (role, to_kind, to_name)
        if self._role_grants.pop(key, None) is not None:
            self._given[to_kind, to_name].pop(role)
            self._inherited = {}
            self._changes["role_grant", key] = None

    def roles_of(self, kind: str, name: str) -> list[str]:
        """List the roles given directly to a role or user."""
        return list(self._given.get((kind, name), ()))

    def inherited(self, roles: frozenset[str]) -> frozenset[str]:
        """Collect these roles and all that they inherit; PUBLIC is always among them."""
        known = self._inherited  # a change puts another in its place, so that nothing older is remembered
        found = known.get(roles)
        if found is None:
            collected: set[str] = set()
            waiting = [*roles, "PUBLIC"]
            while waiting:
                role = waiting.pop()
                if role not in collected:
                    collected.add(role)
                    waiting.extend(self.roles_of("ROLE", role))
            found = known[roles] = frozenset(collected)
        return found

    # -- account parameters -----------------------------------------------------------------------------------------

    @property
    def parameters(self) -> Properties:
        """The parameters set on the account."""
        return self._parameters

    def set_parameters(self, values: Properties) -> None:
        """Replace the account's parameters."""
        self._parameters.clear()
        self._parameters.update(values)
        self._changes["account", ("PARAMETERS",)] = dict(values)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        self._objects: dict[str, dict[Name, Securable]] = {}
        self._grants_on: dict[_ObjectKey, dict[tuple[str, str], Grant]] = {}
        self._grants_to: dict[str, dict[tuple[str, str, Name], Grant]] = {}
        self._futures: dict[Key, FutureGrant] = {}
        self._role_grants: dict[Key, RoleGrant] = {}
        self._given: dict[tuple[str, str], dict[str, None]] = {}
        for _, document in self._store.load("object"):
            found = Securable(**{**document, "name": tuple(document["name"])})
            self._objects.setdefault(found.kind, {})[found.name] = found
        for _, document in self._store.load("grant"):
            self._index(Grant(**{**document, "name": tuple(document["name"])}))
        for key, document in self._store.load("future"):
            self._futures[key] = FutureGrant(**{**document, "scope": tuple(document["scope"])})
        for key, document in self._store.load("role_grant"):
            self._index_role(key, RoleGrant(**document))
        self._inherited = {}
        self._parameters = Properties(dict(self._store.load("account")).get(("PARAMETERS",), {}))

    def _promised(self, kind: str, name: Name) -> list[FutureGrant]:
        """Find the future grants for a new object; those on the schema replace those on the database."""
        for scope in (name[:2], name[:1]) if len(name) > 2 else (name[:1],):
            found = [f for f in self._futures.values() if f.kind == kind and f.scope == scope and scope != name]
            if found:
                return found
        return []

    def _remove_one(self, kind: str, name: Name) -> None:
        if kind in ("ROLE", "DATABASE ROLE", "USER"):
            self._remove_grants_of("USER" if kind == "USER" else "ROLE", role_key(name))
        self._forget(kind, name)

    def _rename_role(self, old: str, new: str) -> None:
        """Let what a role owns, holds, gives and is promised follow its name."""
        for owned in self.owned_by(old):
            owned.owner = new
            self.save(owned)
        for grant in self.grants_to(old):
            self.revoke(grant)
            self.grant(replace(grant, role=new))
        for granted in [g for grants in self._grants_on.values() for g in grants.values() if g.granted_by == old]:
            self.replace(replace(granted, granted_by=new))
        for future in [f for f in self.futures() if f.role == old]:
            self.revoke_future(future)
            self.grant_future(replace(future, role=new))
        for given in self.role_grants():
            receives = (given.to_kind, given.to_name) == ("ROLE", old)
            if given.role == old or receives:
                self.revoke_role(given.role, given.to_kind, given.to_name)
                role, receiver = new if given.role == old else given.role, new if receives else given.to_name
                self.grant_role(replace(given, role=role, to_name=receiver))

    def _forget(self, kind: str, name: Name) -> None:
        for grant in self.grants_on(kind, name):
            self.revoke(grant)
        if self._objects.get(kind, {}).pop(name, None) is not None:
            self._changes["object", (kind, *name)] = None

    def _remove_grants_of(self, kind: str, name: str) -> None:
        for given in self.role_grants():
            if (given.to_kind, given.to_name) == (kind, name) or (kind == "ROLE" and given.role == name):
                self.revoke_role(given.role, given.to_kind, given.to_name)
        if kind == "ROLE":
            for grant in self.grants_to(name):
                self.revoke(grant)
            for future in self.futures():
                if future.role == name:
                    self.revoke_future(future)

    def _index(self, grant: Grant) -> None:
        self._grants_on.setdefault((grant.kind, grant.name), {})[grant.privilege, grant.role] = grant
        self._grants_to.setdefault(grant.role, {})[grant.privilege, grant.kind, grant.name] = grant

    def _index_role(self, key: Key, grant: RoleGrant) -> None:
        self._role_grants[key] = grant
        self._given.setdefault((grant.to_kind, grant.to_name), {})[grant.role] = None
        self._inherited = {}

    @staticmethod
    def _grant_key(grant: Grant) -> Key:
        return (grant.privilege, grant.role, grant.kind, *grant.name)

    @staticmethod
    def _future_key(future: FutureGrant) -> Key:
        return (future.privilege, future.kind, future.role, *future.scope)


def _carry_out(actions: Iterable[Action]) -> None:
    """Carry out what belongs to a change that is decided; a failure is mended when the account starts again."""
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("the catalogue and the data differ until the account is started again")
