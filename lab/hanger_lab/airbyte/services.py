"""What the routes work with, wired once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from hanger_lab.airbyte.actors import Actors
from hanger_lab.airbyte.auth import Tokens
from hanger_lab.airbyte.connections import engine_stream
from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.connectors.snowflake import SnowflakeConfig
from hanger_lab.airbyte.engine.destination import LAB_ACCOUNT
from hanger_lab.airbyte.engine.sync import Task
from hanger_lab.airbyte.errors import Problem, not_found
from hanger_lab.airbyte.jobs import Job, JobStore
from hanger_lab.airbyte.runner import Runner
from hanger_lab.airbyte.store import Json, Store

WORKSPACE_NAME = "Default Workspace"
ORGANIZATION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Services:
    """One installation."""

    store: Store
    jobs: JobStore
    tokens: Tokens
    runner: Runner
    workspace: str
    sources: Actors
    destinations: Actors

    @classmethod
    def open(cls, directory: Path, client_id: str, client_secret: str, account: str = LAB_ACCOUNT) -> Services:
        """Open the installation in a directory, or make a new one."""
        store = Store(directory / "airbyte.sqlite")
        workspace = store.meta("workspace", str(uuid.uuid4()))
        if store.get("workspace", workspace) is None:
            store.add("workspace", {"name": WORKSPACE_NAME, "notifications": {}}, workspace)
        sources = Actors(store, "source", workspace, account)
        destinations = Actors(store, "destination", workspace, account)
        jobs = JobStore(store)

        def task_of(job: Job) -> Task:
            connection = store.get("connection", job.connection_id)
            if connection is None:
                raise not_found("connection", job.connection_id)
            source = sources.model(connection["sourceId"])
            destination = destinations.model(connection["destinationId"])
            assert isinstance(source, PostgresConfig)  # noqa: S101
            assert isinstance(destination, SnowflakeConfig)  # noqa: S101
            streams = tuple(engine_stream(item, connection, destination.schema_) for item in connection["streams"])
            states = store.states(job.connection_id)
            return Task(job.connection_id, job.id, source, destination, streams, states, account)

        tokens = Tokens(client_id, client_secret, store.token_key())
        return cls(store, jobs, tokens, Runner(store, jobs, task_of), workspace, sources, destinations)

    def actors(self, kind: str) -> Actors:
        """Return sources or destinations."""
        return self.sources if kind == "source" else self.destinations

    def connection(self, identifier: str) -> Json:
        """Return a stored connection; raise the problem of status 404."""
        body = self.store.get("connection", identifier)
        if body is None:
            raise not_found("connection", identifier)
        return body

    def delete_connection(self, identifier: str) -> None:
        """Cancel what a connection does, and delete it."""
        self.connection(identifier)
        for job in self.jobs.of(identifier):
            if job.active:
                self.runner.cancel(job.id)
        self.store.delete(identifier)

    def start_job(self, connection_id: str, job_type: str) -> Job:
        """Start a job of a connection; raise the problem that forbids it."""
        body = self.connection(connection_id)
        if body["status"] != "active":
            raise Problem(409, "state-conflict", f"The connection is {body['status']}, it cannot run a job.")
        return self.runner.submit(connection_id, job_type)

    def close(self) -> None:
        """Stop jobs and close the store."""
        self.runner.stop()
        self.store.close()
