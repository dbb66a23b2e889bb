"""Which warehouses run, what that costs, and what resource monitors do about it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.usage import billing, intervals
from hanger_lab.snowflake.usage.billing import Charge, Run
from hanger_lab.snowflake.usage.records import KEPT_SECONDS, Records

log = logging.getLogger(__name__)

Clock = Callable[[], float]
_SAVE_SECONDS = 1.0


class Meter:
    """The state of every warehouse, by one clock. Hold the catalogue still (`read` or `change`) to call it.

    Time goes on while the account is closed, as it would for a real one: a warehouse that does not suspend itself is
    billed until it is suspended.
    """

    def __init__(self, records: Records, catalog: Catalog, clock: Clock) -> None:
        self._records = records
        self._catalog = catalog
        self._clock = clock
        self._lock = threading.RLock()
        self._working: dict[int, str] = {}
        self._runs = {run.warehouse: run for run in records.runs()}
        self._saved: dict[str, float] = {}
        self._past: dict[tuple[str, float, bool], float] = {}
        for run in list(self._runs.values()):
            if catalog.find("WAREHOUSE", (run.warehouse,)) is None:
                self._close(run, clock())

    # -- what runs --------------------------------------------------------------------------------------------------

    def state(self, warehouse: Securable) -> str:
        """STARTED, SUSPENDED, or SUSPENDING while statements of a suspended warehouse come to their end."""
        with self._lock:
            run = self._settle(warehouse.name[0])
            if run is None:
                return "SUSPENDED"
            return "SUSPENDING" if run.stopping else "STARTED"

    def working(self, warehouse: str) -> list[int]:
        """The sessions whose statements the warehouse works on."""
        with self._lock:
            return [session for session, name in self._working.items() if name == warehouse]

    def begin(self, session: int, warehouse: Securable) -> None:
        """Let a warehouse work for a session until `finish`, starting it; raises where it may not start."""
        name, now = warehouse.name[0], self._clock()
        with self._lock:
            run = self._settle(name)
            if run is None or run.stopping:
                self.require_quota(warehouse)
                if warehouse.properties.get("AUTO_RESUME", True) is False:
                    raise errors.no_warehouse()
                run = self._start(warehouse)
            elif (monitor := self._exceeded(run.warehouse, run.monitor, now)) is not None:
                self._stop(run, now)
                raise errors.over_quota(names.show((name,)), names.show((monitor,)))
            run.used = now
            self._working[session] = name
            self._save_sometimes(run, now)

    def finish(self, session: int) -> str | None:
        """Note that the session's statement has ended, and return the warehouse that worked for it.

        A warehouse that was to be suspended then is.
        """
        with self._lock:
            name = self._working.pop(session, None)
            run = self._runs.get(name) if name is not None else None
            if run is None:
                return name
            now = run.used = self._clock()
            if run.stopping and not self.working(run.warehouse):
                self._close(run, now)
            else:
                self._save_sometimes(run, now)
            return name

    def resume(self, warehouse: Securable) -> None:
        """Start a warehouse, or go on with one that is about to be suspended."""
        self._start(warehouse)

    def _start(self, warehouse: Securable) -> Run:
        name, now = warehouse.name[0], self._clock()
        with self._lock:
            run = self._settle(name)
            if run is None:
                given = warehouse.properties
                run = Run(name, identity(warehouse), _monitor_of(warehouse), billing.auto_suspend_of(given), used=now)
                run.resize(billing.rate_of(given), now)
                self._runs[name] = run
            run.stopping = False
            run.used = now
            self._save(run, now)
            return run

    def suspend(self, warehouse: str) -> None:
        """Suspend a warehouse as soon as its statements have ended."""
        with self._lock:
            run = self._settle(warehouse)
            if run is not None:
                self._stop(run, self._clock())

    def follow(self, warehouse: Securable) -> None:
        """Take over the size, the monitor and the idle time that were set on a warehouse."""
        now = self._clock()
        with self._lock:
            run = self._settle(warehouse.name[0])
            if run is None:
                return
            monitor = _monitor_of(warehouse)
            charges = run.assign(monitor, now) if monitor != run.monitor else []
            charges += run.resize(billing.rate_of(warehouse.properties), now)
            run.auto_suspend = billing.auto_suspend_of(warehouse.properties)
            self._past.clear()
            self._records.save(run, charges)

    def rename(self, old: str, new: str) -> None:
        """Follow a warehouse that has another name; what it was billed for before keeps the old one."""
        with self._lock:
            run = self._settle(old)
            if run is None:
                return
            del self._runs[old]
            run.warehouse = new
            self._runs[new] = run
            self._working = {s: new if name == old else name for s, name in self._working.items()}
            self._records.rename_run(old, run)

    def forget(self, warehouse: str) -> None:
        """End the run of a warehouse that was dropped."""
        with self._lock:
            run = self._settle(warehouse)
            if run is not None:
                self._close(run, self._clock())

    def check(self) -> list[int]:
        """Suspend what is idle or over its quota; return the sessions whose statements are to be cancelled."""
        cancelled: list[int] = []
        now = self._clock()
        with self._lock:
            for name in list(self._runs):
                run = self._settle(name)
                if run is None:
                    continue
                if self.working(name):
                    run.used = now
                if self._exceeded(name, run.monitor, now, at_once=True) is not None:
                    cancelled += self.working(name)
                if (monitor := self._exceeded(name, run.monitor, now)) is not None:
                    log.warning("warehouse %s is suspended by resource monitor %s", name, monitor)
                    self._stop(run, now)
                else:
                    self._save_sometimes(run, now)
        return cancelled

    # -- what it costs ----------------------------------------------------------------------------------------------

    def charges(self, since: float = 0.0) -> list[Charge]:
        """Everything that is billed after a time, open runs as if they ended now."""
        now = self._clock()
        with self._lock:
            for name in list(self._runs):
                self._settle(name)
            past = self._records.charges(max(since, now - KEPT_SECONDS))
            return past + [charge for run in self._runs.values() for charge in run.charges(now)]

    def used(self, monitor: Securable) -> float:
        """The credits that a resource monitor has counted in its current interval."""
        now = self._clock()
        since = max(intervals.current(monitor.properties, monitor.created, now), monitor.created)
        whole = self._catalog.parameters.get("RESOURCE_MONITOR") == names.show(monitor.name)
        name = monitor.name[0]
        with self._lock:
            for running in list(self._runs):
                self._settle(running)
            key = (name, since, whole)
            if key not in self._past:
                past = (c for c in self._records.charges(since) if whole or c.monitor == name)
                self._past[key] = sum(c.credits(since, float("inf")) for c in past)
            runs = [run for run in self._runs.values() if whole or run.monitor == name]
            return self._past[key] + sum(c.credits(since, float("inf")) for run in runs for c in run.charges(now))

    def require_quota(self, warehouse: Securable) -> None:
        """Refuse to start a warehouse whose resource monitor, or the account's, has exceeded its quota."""
        with self._lock:
            found = self._exceeded(warehouse.name[0], _monitor_of(warehouse), self._clock())
        if found is not None:
            raise errors.over_quota(names.show(warehouse.name), names.show((found,)))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _exceeded(self, warehouse: str, monitor: str | None, now: float, *, at_once: bool = False) -> str | None:
        """The name of a monitor that suspends the warehouse now."""
        whole = self._catalog.parameters.get("RESOURCE_MONITOR")
        for name in dict.fromkeys([monitor, names.split(whole)[0] if isinstance(whole, str) else None]):
            found = self._catalog.find("RESOURCE MONITOR", (name,)) if name is not None else None
            if found is not None and self._is_over(found, now, at_once=at_once):
                return name
        return None

    def _is_over(self, monitor: Securable, now: float, *, at_once: bool) -> bool:
        given = monitor.properties
        if now < intervals.beginning(given, monitor.created):
            return False
        end = intervals.ending(given)
        if end is not None and now >= end:
            return True
        quota, triggers = given.get("CREDIT_QUOTA"), given.get("TRIGGERS")
        actions = ("SUSPEND_IMMEDIATE",) if at_once else ("SUSPEND", "SUSPEND_IMMEDIATE")
        pairs = [t for t in triggers if isinstance(t, list)] if isinstance(triggers, list) else []
        percents = [percent for percent, action in pairs if action in actions and isinstance(percent, int)]
        if not percents or not isinstance(quota, (int, float)):
            return False
        return self.used(monitor) >= quota * min(percents) / 100

    def _settle(self, warehouse: str) -> Run | None:
        """Return the open run of a warehouse; one that has been idle for too long is ended at the time it was."""
        run = self._runs.get(warehouse)
        if run is None:
            return None
        end = run.idle_end()
        if end is not None and end <= self._clock() and not self.working(warehouse):
            self._close(run, end)
            return None
        return run

    def _stop(self, run: Run, now: float) -> None:
        if self.working(run.warehouse):
            run.stopping = True
            self._save(run, now)
        else:
            self._close(run, now)

    def _close(self, run: Run, end: float) -> None:
        del self._runs[run.warehouse]
        self._past.clear()
        self._records.close_run(run, list(run.charges(end)), end)

    def _save(self, run: Run, now: float) -> None:
        self._saved[run.warehouse] = now
        self._records.save(run)

    def _save_sometimes(self, run: Run, now: float) -> None:
        if now - self._saved.get(run.warehouse, 0.0) >= _SAVE_SECONDS:
            self._save(run, now)


def identity(warehouse: Securable) -> int:
    """The number that tells a warehouse from others that had its name."""
    return int(warehouse.created * 1000)


def _monitor_of(warehouse: Securable) -> str | None:
    name = warehouse.properties.get("RESOURCE_MONITOR")
    return names.split(name)[0] if isinstance(name, str) else None
