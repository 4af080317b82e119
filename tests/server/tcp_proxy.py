"""A TCP proxy whose other end can be made to go away."""

from __future__ import annotations

import contextlib
import socket
import threading


class Proxy:
    """Listens on a port of 127.0.0.1 and forwards to another server, until a test says otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._mode = "forward"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        self.refuse()

    def forward(self) -> None:
        """Be as if the proxy was not there."""
        self._become("forward")

    def refuse(self) -> None:
        """End all connections and every new one."""
        self._become("refuse")

    def hang(self) -> None:
        """End all connections; take new ones and never answer."""
        self._become("hang")

    def _become(self, mode: str) -> None:
        with self._lock:
            self._mode = mode
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._mode == "refuse":
                    client.close()
                    continue
                self._open.add(client)
                if self._mode == "hang":
                    continue
                server = socket.create_connection(self._target)
                self._open.add(server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=[source, target], daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with self._lock:
            for connection in (source, target):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
                self._open.discard(connection)
