"""Serving an application on this machine until Ctrl-C."""

import contextlib
import errno
import ipaddress
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from misread.errors import PortInUseError, ServerError
from misread.web.security import EVERYWHERE

DEFAULT_PORT = 7470
_SHUTDOWN_SECONDS = 2


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens already: who connects from now on is answered once the server runs.

    Args:
        host: Address or name to listen on.
        port: 0 for a free one; None for `DEFAULT_PORT`, or a free one where that is taken.

    Raises:
        ServerError: The port is taken, or the host isn't one of this machine's.
    """
    try:
        return _bind(host, DEFAULT_PORT if port is None else port)
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return listen(host, 0)
        raise _explain(host, port or 0, error) from error


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        # So that a port can be had again right after another server has left it.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening


def _explain(host: str, port: int, error: OSError) -> ServerError:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ServerError(f"host: expected an address of this machine. Got {host!a} instead.")
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(f"port: {port} is in use; --port 0 takes a free one")
    return ServerError(f"can't listen on {host}, port {port}: {error.strerror}")


def address(host: str, listening: socket.socket) -> str:
    """The URL of a server, as a browser on this machine reaches it."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return f"http://{name}:{listening.getsockname()[1]}"


def network_address(host: str, listening: socket.socket) -> str:
    """The URL of a server, as a browser on another machine of the network reaches it.

    Where the server listens everywhere: at the address from which this machine would talk to the
    rest of the network, else at its name.
    """
    if host not in EVERYWHERE:
        return address(host, listening)
    found = _own_address(socket.AF_INET, "192.0.2.1")
    if found is None and listening.family == socket.AF_INET6:
        found = _own_address(socket.AF_INET6, "2001:db8::1")
    return address(found or socket.gethostname(), listening)


def _own_address(family: socket.AddressFamily, beyond: str) -> str | None:
    """This machine's address on the way to another one; None where no way leads there.

    Connecting a datagram socket asks the routing table alone: nothing is sent.
    """
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((beyond, 9))
            found = str(probe.getsockname()[0])
    except OSError:
        return None
    return None if ipaddress.ip_address(found).is_loopback else found


def open_browser(url: str) -> None:
    """Open a page in the user's browser, without waiting for it; where there is none, nothing."""
    if not _has_screen():
        return

    def go() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(url)

    threading.Thread(target=go, daemon=True).start()


def _has_screen() -> bool:
    """Whether a browser would have a window: one for the terminal would take it over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def make_server(app: ASGIApp) -> uvicorn.Server:
    """A server that isn't running yet; `should_exit` ends it."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    )


def run_server(
    app: ASGIApp, listening: socket.socket, on_start: Callable[[], None] | None = None
) -> None:
    """Answer requests until Ctrl-C or SIGTERM; what is being answered then is answered.

    Args:
        app: What answers.
        listening: From `listen`.
        on_start: Called once before the first answer.
    """
    server = make_server(app)
    if on_start is not None:
        on_start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
