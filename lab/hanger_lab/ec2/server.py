"""Serve EC2, IAM, STS and SSM on one port, with the lab's machines behind EC2's instances."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from hanger_lab.config import Lab
from hanger_lab.ec2 import differences, hooks
from hanger_lab.ec2.application import Application
from hanger_lab.ec2.door import Door
from hanger_lab.ec2.faults import Faults
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.front import Front
from hanger_lab.ec2.journal import Journal
from hanger_lab.ec2.patches import Patches
from hanger_lab.ec2.reconcile import reconcile
from hanger_lab.ec2.state import State
from hanger_lab.keys import ec2_key

log = logging.getLogger(__name__)

HOST = "127.0.0.1"


class PortTakenError(RuntimeError):
    """Something else listens on the port; the message names it and the variable that changes it."""


class _Quiet(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave the log to the application, which knows the action."""


@contextmanager
def running(
    lab: Lab, fleet: Fleet, range_conflicts: hooks.RangeConflicts, port: int | None = None
) -> Iterator[Application]:
    """Serve until the context is left; raise PortTakenError, StateError. State is under `<lab>/ec2/`.

    Calls are signed with the key in `<lab>/secrets/ec2.json`, which is made when there is none.
    """
    listener = _listen(lab.ec2_port if port is None else port)
    state = State(state_file(lab))
    faults = Faults(state_file(lab).parent)
    with listener, Patches() as patches:
        differences.install(patches, fleet.images)
        hooks.install(patches, fleet, range_conflicts, faults)
        if state.restore(fleet.images):
            reconcile(fleet, [backend for _, _, backend in ec2_backends.iter_backends()])
            state.save()
        moto = DomainDispatcherApplication(create_backend_app)
        key = ec2_key(lab.directory)
        application = Application(moto, state.save, key, Journal(state_file(lab).parent), faults)
        server = _server(listener, Front(application, Door(key, fleet.name)))
        thread = threading.Thread(target=server.serve_forever, name="ec2", daemon=True)
        thread.start()
        log.info("EC2 of lab %s is on http://%s:%d", lab.id, *listener.getsockname())
        try:
            yield application
        finally:
            server.shutdown()
            thread.join()
            with application.writing:
                log.info("EC2 of lab %s has stopped", lab.id)


def serve(lab: Lab, fleet: Fleet, range_conflicts: hooks.RangeConflicts) -> None:
    """Serve until SIGTERM or SIGINT; a call that is under way is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(lab, fleet, range_conflicts):
        stop.wait()


def state_file(lab: Lab) -> Path:
    """Return the file that keeps the API's books."""
    return lab.directory / "ec2" / "state.pickle"


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"port {port} on {HOST} cannot be used ({error.strerror}): set HANGER_LAB_EC2_PORT to a free one"
        ) from error
    listener.listen(128)
    return listener


def _server(listener: socket.socket, application: Any) -> BaseWSGIServer:
    host, port = listener.getsockname()
    return make_server(host, port, application, threaded=True, request_handler=_Quiet, fd=listener.fileno())
