"""Serve EC2, RDS, IAM, STS and SSM on one port, with the lab's machines behind EC2's instances."""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from hanger_lab.config import Lab
from hanger_lab.ec2 import differences, hooks, metadata_machine
from hanger_lab.ec2.application import Application
from hanger_lab.ec2.door import Door
from hanger_lab.ec2.faults import Faults
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.front import Front, MachineFront
from hanger_lab.ec2.journal import Journal
from hanger_lab.ec2.metadata_service import MetadataService
from hanger_lab.ec2.patches import Patches
from hanger_lab.ec2.rds import differences as rds_differences
from hanger_lab.ec2.reconcile import reconcile
from hanger_lab.ec2.s3 import differences as s3_differences
from hanger_lab.ec2.s3.application import Storage
from hanger_lab.ec2.s3.callers import Callers
from hanger_lab.ec2.s3.objects import Objects
from hanger_lab.ec2.ssm import agent
from hanger_lab.ec2.ssm.sessions import Sessions
from hanger_lab.ec2.state import State
from hanger_lab.ec2.tls import EitherServer, server_context
from hanger_lab.ec2.truth import Truth
from hanger_lab.keys import ec2_key

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
OBJECTS = "objects"


class PortTakenError(RuntimeError):
    """Something else listens on the port; the message names it and the variable that changes it."""


class _Quiet(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave the log to the application, which knows the action."""


@contextmanager
def running(
    lab: Lab,
    fleet: Fleet,
    range_conflicts: hooks.RangeConflicts,
    port: int | None = None,
    machines_address: str | None = None,
) -> Iterator[Application]:
    """Serve until the context is left; raise PortTakenError, StateError. State is under `<lab>/ec2/`.

    Calls are signed with the key in `<lab>/secrets/ec2.json`, which is made when there is none. `machines_address` is
    where machines reach their metadata and S3, on the same port.
    """
    port = lab.ec2_port if port is None else port
    directory, key = state_file(lab).parent, ec2_key(lab.directory)
    state, objects, faults = State(state_file(lab)), Objects(directory / OBJECTS), Faults(directory)
    journal = Journal(directory)
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(HOST, port))
        patches = stack.enter_context(Patches())
        differences.install(patches, fleet.images)
        hooks.install(patches, fleet, range_conflicts, faults)
        truth = Truth(fleet, faults)
        truth.install(patches)
        objects.install(patches)
        s3_differences.install(patches)
        rds_differences.install(patches)
        sessions = Sessions(fleet, f"http://{HOST}:{listener.getsockname()[1]}")
        sessions.install(patches)
        metadata_machine.install(patches)
        if machines_address:
            fleet.metadata = (machines_address, listener.getsockname()[1])
        save = partial(objects.saved, state.save)
        if state.restore(fleet.images):
            reconcile(fleet, [backend for _, _, backend in ec2_backends.iter_backends()])
            save()
        moto = DomainDispatcherApplication(create_backend_app)
        application = Application(moto, save, key, journal, faults, truth.observe)
        stack.callback(_finish, application, lab)
        secret = key.secret_key.encode()
        callers = Callers(key, secret)
        storage = Storage(create_backend_app("s3"), save, callers, journal, application.writing, agent.package)
        door = Door(key, fleet.name, {"session": sessions.page})
        _serve(stack, listener, Front(application, storage, door))
        if machines_address:
            gateway = stack.enter_context(_listen(machines_address, listener.getsockname()[1]))
            tls = server_context(lab.directory, machines_address)
            _serve(stack, gateway, MachineFront(storage, MetadataService(secret)), tls)
        log.info("EC2 of lab %s is on http://%s:%d", lab.id, *listener.getsockname())
        yield application


def serve(lab: Lab, fleet: Fleet, range_conflicts: hooks.RangeConflicts, machines_address: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT; a call that is under way is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(lab, fleet, range_conflicts, machines_address=machines_address):
        stop.wait()


def state_file(lab: Lab) -> Path:
    """Return the file that keeps the API's books."""
    return lab.directory / "ec2" / "state.pickle"


def _serve(stack: ExitStack, listener: socket.socket, application: Any, tls: ssl.SSLContext | None = None) -> None:
    """Answer at a listener until the stack is left."""
    server = _server(listener, application, tls)
    thread = threading.Thread(target=server.serve_forever, name="ec2", daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)


def _finish(application: Application, lab: Lab) -> None:
    with application.writing:
        log.info("EC2 of lab %s has stopped", lab.id)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"port {port} on {host} cannot be used ({error.strerror}): set HANGER_LAB_EC2_PORT to a free one"
        ) from error
    listener.listen(128)
    return listener


def _server(listener: socket.socket, application: Any, tls: ssl.SSLContext | None) -> BaseWSGIServer:
    host, port = listener.getsockname()
    if tls:
        return EitherServer(host, port, application, _Quiet, fd=listener.fileno(), tls=tls)
    return make_server(host, port, application, threaded=True, request_handler=_Quiet, fd=listener.fileno())
