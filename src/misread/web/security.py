"""Who may ask this server for what: Host, Origin, token, size of the body, and headers.

A page on the web can make a browser send requests to 127.0.0.1, under any name that resolves to it.
So that it can neither read nor write: the `Host` must be this server's, a request that another site
makes is refused, and a write must bring a token that only this server's own page has.
"""

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from misread.web.responses import last_answer, problem, refusal

TOKEN_HEADER = "x-misread-token"
MOST_BODY = 2 << 20
# Hosts that stand for all addresses of this machine.
EVERYWHERE = ("0.0.0.0", "::")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Door:
    """Under which names a server is reached, and what opens it.

    Attributes:
        names: Host names, in lower case. Any IP address is allowed where the server listens on all
            of them: another site can't make a browser send an address of this machine as its own.
        port: Where it listens.
        everywhere: Whether it listens on all addresses.
        locked: Whether reading needs the token too, as on a network.
        by_link: Whether the secret is in the address itself, one for each person: then neither
            reading nor writing needs the token.
        token: What writes must bring.
    """

    names: frozenset[str]
    port: int
    everywhere: bool = False
    locked: bool = False
    by_link: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def knows(self, host: str) -> bool:
        """Whether a `Host` header names this server."""
        name, _, port = host.rpartition(":") if _has_port(host) else (host, "", "80")
        if port != str(self.port):
            return False
        name = name.lower().strip("[]")
        return name in self.names or (self.everywhere and _is_address(name))

    @property
    def cookie(self) -> str:
        """Name of the cookie with the token: cookies of one machine don't know ports."""
        return f"misread-{self.port}"

    def opens(self, token: str) -> bool:
        """Whether this is the token; takes the same time however much of it is right."""
        return hmac.compare_digest(token.encode(), self.token.encode())


def make_door(host: str, port: int, *, by_link: bool = False, token: str | None = None) -> Door:
    """The door of a server that listens at this address.

    Reading is free on this machine's own loopback addresses, and needs the token elsewhere; with
    `by_link` the application itself looks at each address. Without a token a new one is drawn.
    """
    local = {"127.0.0.1", "localhost", "::1"}
    everywhere = host in EVERYWHERE
    names = local | {host.lower()} | ({socket.gethostname().lower()} if everywhere else set())
    loopback = host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    locked = not loopback and not by_link
    return Door(frozenset(names), port, everywhere, locked, by_link, token or make_token())


def make_token() -> str:
    """A new secret for a link."""
    return secrets.token_urlsafe(24)


class Guard:
    """Lets through what may be asked, and sets the headers of every answer.

    Args:
        app: What answers.
        door: Under which names, and with which token.
        most_body: Bytes of a request's body.
    """

    def __init__(self, app: ASGIApp, door: Door, most_body: int = MOST_BODY) -> None:
        self._app, self._door, self._most_body = app, door, most_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        refusal = self._refuse(scope, headers)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                outgoing = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    outgoing[name] = value
                outgoing.setdefault("cache-control", "no-store")
            await send(message)

        if refusal is not None:
            if scope["method"] not in _READS:
                last_answer(refusal)  # its body stays unread
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, _limited(receive, self._most_body), send_guarded)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to what may not be asked, None to what may."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._door.knows(hosts[0]):
            return refusal(headers, 403, "Host: expected this server's own name and port", "host")
        own = f"http://{hosts[0]}".lower()
        origin = headers.get("origin")
        if origin is not None and origin.lower() != own:
            return problem(403, "Origin: expected this server's own page", "origin")
        site = headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") and headers.get("sec-fetch-mode") != "navigate":
            return refusal(headers, 403, "another site's page may not ask this server", "origin")
        if scope["method"] not in _READS:
            return self._refuse_write(headers, origin)
        return self._refuse_stranger(scope, headers) if self._door.locked else None

    def _refuse_write(self, headers: Headers, origin: str | None) -> Response | None:
        if origin is None:
            return problem(403, "Origin: expected this server's own page, found none", "origin")
        if not self._door.by_link and not self._door.opens(headers.get(TOKEN_HEADER, "")):
            return problem(403, "X-Misread-Token: missing or out of date; load the page", "token")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return problem(415, f"Content-Type: expected application/json. Got {kind[:80]!a}")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._most_body:
            return problem(413, f"body: expected {self._most_body:,} bytes at most")
        return None

    def _refuse_stranger(self, scope: Scope, headers: Headers) -> Response | None:
        """Whoever brings the token in the link gets a cookie with it, and a link without it."""
        if self._door.opens(_cookie(headers, self._door.cookie)):
            return None
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not self._door.opens(dict(pairs).get("token", "")):
            line = "this page needs the whole link that `misread` printed"
            return refusal(headers, 403, line, "token")
        rest = urlencode([(key, value) for key, value in pairs if key != "token"])
        # One slash: with two the browser would take what follows for another server's name.
        path = "/" + scope["path"].lstrip("/")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(self._door.cookie, self._door.token, httponly=True, samesite="strict")
        return answer


def _limited(receive: Receive, most: int) -> Receive:
    """The same body, cut off with an error where it is longer than it may be."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise BodyTooLargeError(most)
        return message

    return limited


class BodyTooLargeError(Exception):
    """A body is longer than it may be, whatever its headers say."""

    def __init__(self, most: int) -> None:
        super().__init__(f"body: expected {most:,} bytes at most")


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _has_port(host: str) -> bool:
    # An IPv6 address in brackets has colons of its own.
    return host.rpartition("]")[2].startswith(":") if host.startswith("[") else ":" in host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
