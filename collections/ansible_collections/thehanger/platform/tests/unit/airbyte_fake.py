# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Airbyte in a thread, with the traps of the real one: masks, coordinates, stripped types, cron's UTC."""

from __future__ import annotations

import copy
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MASK = "**********"
SECRETS = {"password", "private_key"}
WORKSPACE = "11111111-1111-4111-8111-111111111111"
READ_LIKE = ("/applications/token", "/check_connection", "/check_connection_for_update", "/jobs/get")


def stream(name, namespace="public", fields=("id", "updated_at"), key=("id",), modes=None):
    return {
        "streamName": name,
        "streamnamespace": namespace,
        "syncModes": modes or ["full_refresh_overwrite", "full_refresh_append", "incremental_append"],
        "defaultCursorField": [],
        "sourceDefinedCursorField": False,
        "sourceDefinedPrimaryKey": [[field] for field in key],
        "propertyFields": [[field] for field in fields],
    }


class Problem(Exception):
    def __init__(self, status, detail, **data):
        super().__init__(detail)
        self.status = status
        self.body = {"status": status, "type": "error", "title": "problem", "detail": detail, "data": data}


class FakeAirbyte:
    def __init__(self):
        self.requests = []
        self.failures = []
        self.lost = {}
        self.tokens = set()
        self.objects = {"sources": {}, "destinations": {}, "connections": {}}
        self.coordinates = {}
        self.jobs = {}
        self.details = {}
        self.script = ["running", "succeeded"]
        self.streams = [stream("members"), stream("routes"), stream("routeclimbs")]
        self.check = {"status": "succeeded"}
        self.secret = "right"
        self.page_size = None
        handler = type("Handler", (Handler,), {"api": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def writes(self):
        return [
            f"{method} {path}"
            for method, path, _body in self.requests
            if method != "GET" and not path.endswith(READ_LIKE)
        ]

    def sent(self, method, fragment):
        return [body for verb, path, body in self.requests if verb == method and fragment in path]

    def handle(self, method, path, query, body, token):
        if self.failures:
            raise Problem(*self.failures.pop(0))
        if path == "/api/public/v1/health":
            return "Successful operation"
        if path.endswith("/applications/token"):
            return self.token(body)
        if token not in self.tokens:
            raise Problem(401, "Unauthorized")
        parts = path.split("/")
        if path.startswith("/api/v1/"):
            return self.config_api(parts[3:], body)
        kind, identifier = parts[4], parts[5] if len(parts) > 5 else None
        if kind == "workspaces":
            return self.page([{"workspaceId": WORKSPACE, "name": "Default Workspace"}], query)
        if kind == "streams":
            return self.streams
        if kind == "jobs":
            return self.job(method, identifier, query, body)
        return self.crud(kind, method, identifier, query, body)

    def token(self, body):
        if body.get("client_secret") != self.secret:
            raise Problem(401, "Unauthorized")
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 900}

    def page(self, items, query):
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 20))
        limit = min(limit, self.page_size or limit)
        data = items[offset : offset + limit]
        return {"data": data, "previous": "", "next": "more" if data else ""}

    def crud(self, kind, method, identifier, query, body):
        table = self.objects[kind]
        if identifier is None and method == "GET":
            return self.page([self.shown(kind, item, False) for item in table.values()], query)
        if identifier is None:
            return self.create(kind, body)
        if identifier not in table:
            raise Problem(404, f"{kind} {identifier} not found")
        item = table[identifier]
        if method == "DELETE":
            del table[identifier]
            return None
        if method in ("PATCH", "PUT") and "configuration" in body:
            old = item["configuration"]
            new = self.secured(identifier, body["configuration"], old)
            item["configuration"] = new if method == "PUT" else merge(old, new)
        elif method in ("PATCH", "PUT"):
            item.update(body)
        return self.shown(kind, item, query.get("includeSecretCoordinates") == "true")

    def create(self, kind, body):
        singular = kind[:-1]
        identifier = str(uuid.uuid4())
        item = {"status": "active", "prefix": "", **copy.deepcopy(body), f"{singular}Id": identifier}
        if kind != "connections":
            configuration = item["configuration"]
            item[f"{singular}Type"] = configuration.pop(f"{singular}Type", "custom")
            if not isinstance(configuration.get("port", 1), int):
                raise Problem(422, "The body does not fit", message="$.port: string found, integer expected")
            item["configuration"] = self.secured(identifier, configuration)
        self.objects[kind][identifier] = item
        return self.shown(kind, item, False)

    def secured(self, owner, configuration, old=None):
        stored = {}
        for key, value in configuration.items():
            before = old.get(key) if isinstance(old, dict) else None
            if value == MASK and before is not None:
                value = before
            elif isinstance(value, dict):
                value = self.secured(owner, value, before)
            elif key in SECRETS:
                self.coordinates[owner, key] = self.coordinates.get((owner, key), 0) + 1
                value = {"_coordinate": f"airbyte_workspace_secret_{key}_v{self.coordinates[owner, key]}"}
            stored[key] = value
        return stored

    def shown(self, kind, item, coordinates):
        item = copy.deepcopy(item)
        if kind == "connections":
            schedule = item.setdefault("schedule", {"scheduleType": "manual"})
            if schedule.get("cronExpression") and not schedule["cronExpression"].endswith("UTC"):
                schedule["cronExpression"] += " UTC"
            return item
        item["configuration"] = visible(item["configuration"], coordinates)
        return item

    def job(self, method, identifier, query, body):
        if method == "POST":
            if any(job["status"] == "running" for job in self.jobs.values()):
                raise Problem(409, "A sync is already running for this connection")
            identifier = len(self.jobs) + 1
            self.jobs[identifier] = {
                "jobId": identifier,
                "status": self.script[0],
                "jobType": "sync",
                "connectionId": body["connectionId"],
                "script": self.script[1:],
            }
            return public_job(self.jobs[identifier])
        if identifier is None:
            jobs = [job for job in self.jobs.values() if query.get("status") in (None, job["status"])]
            return self.page([public_job(job) for job in reversed(jobs)], query)
        job = self.jobs[int(identifier)]
        if method == "DELETE":
            job["status"] = "cancelled"
        elif job["script"]:
            job["status"] = job["script"].pop(0)
        return public_job(job)

    def config_api(self, parts, body):
        if "check_connection" in parts[-1]:
            return self.check
        if parts == ["jobs", "get"]:
            return self.details
        raise Problem(404, "no such call")


class Handler(BaseHTTPRequestHandler):
    api: FakeAirbyte
    protocol_version = "HTTP/1.1"

    def answer(self):
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.api.requests.append((self.command, url.path, body))
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        try:
            status, answer = 200, self.api.handle(self.command, url.path, query, body, token)
        except Problem as problem:
            status, answer = problem.status, problem.body
        if self.command in self.api.lost and not url.path.endswith(READ_LIKE):
            status, answer = self.api.lost.pop(self.command), {"detail": "gateway"}
            if status is None:
                self.close_connection = True
                return
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(204 if answer is None else status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_arguments):
        pass


def merge(old, new):
    merged = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict) and "_coordinate" not in value
        merged[key] = merge(merged[key], value) if both else value
    return merged


def visible(configuration, coordinates):
    shown = {}
    for key, value in configuration.items():
        if isinstance(value, dict) and "_coordinate" in value:
            value = value["_coordinate"] if coordinates else MASK
        elif isinstance(value, dict):
            value = visible(value, coordinates)
        shown[key] = value
    return shown


def public_job(job):
    shown = {key: value for key, value in job.items() if key != "script"}
    if shown["status"] == "succeeded":
        shown.update(rowsSynced=600, bytesSynced=48000, duration="PT1M2.5S")
    return shown
