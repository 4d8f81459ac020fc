"""The end of the Kubernetes API that runs commands: a WebSocket of v5.channel.k8s.io with an echo in it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


class ExecServer:
    """Notes what it was asked for; its "shell" repeats what is typed in capitals until "exit"."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.sizes: list[dict[str, int]] = []
        self.refuse: tuple[int, str] | None = None
        self.without_shell = False
        self.open_now = 0
        self.url = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request)
        if self.refuse:
            status, message = self.refuse
            body = json.dumps({"kind": "Status", "message": message})
            return Response(body, status, mimetype="application/json")(environ, start_response)
        socket = Server(environ, subprotocols=["v5.channel.k8s.io"])
        self.open_now += 1
        try:
            self._serve(socket)
        except ConnectionClosed:
            pass  # Hung up.
        finally:
            self.open_now -= 1
        return Response("")(environ, start_response)

    def _serve(self, socket: Server) -> None:
        if self.without_shell:
            message = 'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown'
            self._end(socket, {"status": "Failure", "reason": "InternalError", "message": message})
            return
        socket.send(b"\x01$ ")
        while True:
            message = socket.receive()
            channel, data = message[0], message[1:]
            if channel == 4:
                self.sizes.append(json.loads(data))
            elif channel == 0 and data.strip() == b"exit":
                return self._end(socket, {"status": "Success"})
            elif channel == 0:
                socket.send(b"\x01" + data.upper())

    @staticmethod
    def _end(socket: Server, status: dict[str, Any]) -> None:
        socket.send(b"\x03" + json.dumps(status).encode())
        socket.close()


@contextmanager
def exec_server() -> Iterator[ExecServer]:
    """Serve until the block ends."""
    application = ExecServer()
    server = make_server("127.0.0.1", 0, application, threaded=True)
    application.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, name="exec-server")
    thread.start()
    try:
        yield application
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
