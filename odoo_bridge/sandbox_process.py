"""Guards for what would leave the process in test mode: connections to other hosts, and programs.

Python tells of both by its audit events (PEP 578), wherever they are used from. They are refused as the system refuses
them, with an OSError: code that can do without goes on. Where a call fails for it, ``sandbox.isolated`` says why.
"""

from __future__ import annotations

import errno
import socket
import sys
from multiprocessing.process import BaseProcess
from typing import Any

from .sandbox_state import kept_in, refused, state

#: Audit events of what starts a program, or another process of this one.
_PROGRAMS = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen"}
)
#: Audit events of what reaches or looks up another host; the functions below say it better where they are used.
_HOSTS = frozenset(
    {"socket.connect", "socket.gethostbyaddr", "socket.gethostbyname", "socket.sendmsg", "socket.sendto"}
)
_EVENTS = _PROGRAMS | _HOSTS


def _watch(event: str, arguments: tuple[Any, ...], *, events: frozenset[str] = _EVENTS) -> None:
    """Audit hook: refuse programs and other hosts in test mode; count programs at any time."""
    if event not in events:  # most are none of ours
        return
    if event in _PROGRAMS:
        state.ways_out += 1
        if state.testing:
            raise _no_program()
    elif state.testing:
        place = _place(next((part for part in reversed(arguments) if part is not None), ""))
        _refuse_network(place)
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"Test mode lets no call reach {place}.")


sys.addaudithook(_watch)


def _no_program() -> PermissionError:
    error = refused("The call wants to start a program, which test mode does not let it.", "programs")
    return PermissionError(errno.EPERM, error.message)


@kept_in(BaseProcess, "start")  # some of its ways raise no event
def _no_process(process: Any) -> None:
    raise _no_program()


def _refuse_network(where: object) -> None:
    refused(f"The call wants to reach {where}, which test mode does not let it.", "network")


@kept_in(socket.socket, "connect")
def _no_connection(sock: socket.socket, address: Any) -> None:
    _refuse_network(_place(address))
    raise ConnectionRefusedError(f"Test mode lets no call reach {_place(address)}.")


@kept_in(socket.socket, "connect_ex")
def _no_connection_either(sock: socket.socket, address: Any) -> int:
    _refuse_network(_place(address))
    return errno.ECONNREFUSED


@kept_in(socket.socket, "sendto")
def _no_datagram(sock: socket.socket, data: Any, *arguments: Any) -> int:
    _refuse_network(_place(arguments[-1]))
    raise ConnectionRefusedError(f"Test mode lets no call reach {_place(arguments[-1])}.")


@kept_in(socket, "getaddrinfo")
def _no_lookup(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    _refuse_network(f"{host}:{port}")
    raise socket.gaierror(socket.EAI_FAIL, f"Test mode looks up no host, and not {host}.")


def _place(address: Any) -> str:
    return ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
