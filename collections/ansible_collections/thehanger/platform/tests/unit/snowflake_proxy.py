# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of an emulated account, on which a test breaks the connection at a statement of its choice."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASS, CUT, SWALLOW = "pass", "cut", "swallow"


class Proxy:
    """Forwards requests; `decide` is asked with each statement: to pass, to cut before, or to swallow the answer."""

    def __init__(self, port):
        self._target = port
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.decide = lambda statement: PASS
        self.down = False
        self.statements = []
        self.logins = 0
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                """Say nothing."""

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                verdict = proxy.judge(self.path, self.headers, body)
                answer = None
                if verdict != CUT:
                    answer = proxy.forward(self.command, self.path, self.headers, body)
                if verdict != PASS or answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST

        return Handler

    def judge(self, path, headers, body):
        """Return what becomes of a request."""
        if self.down:
            return CUT
        self.logins += path.startswith("/session/v1/login-request")
        if not path.startswith("/queries/v1/query-request"):
            return PASS
        text = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        statement = json.loads(text)["sqlText"]
        self.statements.append(statement)
        return self.decide(statement)

    def forward(self, method, path, headers, body):
        """Send a request on and return the answer, none from an account that has ended."""
        upstream = http.client.HTTPConnection("127.0.0.1", self._target, timeout=60)
        try:
            upstream.request(method, path, body, dict(headers))
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError:
            return None
        finally:
            upstream.close()
