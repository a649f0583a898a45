"""Which requests a server answers at all: by the host they name and the page they come from. Pure.

A page from elsewhere can make a visitor's browser send requests here, also to loopback. The browser
says in `Origin` where the page is from, for everything that changes something and for every
WebSocket; the name in `Host` shows when a foreign name was made to point here (DNS rebinding).
The same decision is taken for requests and for WebSockets, which no application sees.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from pipeline.settings import Settings
from serving.access.exposure import is_loopback
from serving.refused import Refused

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case and values, as ASGI and uvicorn's protocols have them."""

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/@?#:\[\]]+)(?::(\d{1,5}))?", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s/@?#:\[\],]+)(?::(\d{1,5}))?", re.IGNORECASE)
_PORTS = {"http": "80", "https": "443"}
_SAFE = ("GET", "HEAD", "OPTIONS")

STARTS = ("/start", "/daily", "/calls", "/phone/sip")
"""What starts a call, whatever the method: a visit to `/daily` does too."""

DOORS = ("/ws", "/ws-client")
"""WebSockets that start a call by connecting; with a session id behind it, it was started before."""


def is_start(path: str) -> bool:
    """Whether a request for a path starts a call."""
    return path in (*STARTS, *DOORS) or path.startswith(tuple(f"{start}/" for start in STARTS))


def header(headers: Headers, name: bytes) -> str | None:
    """A header's value; None when it is not there.

    Raises:
        Refused: 400 when it is there more than once: one reader would take the first and
            another the last.
    """
    values = [value for key, value in headers if key.lower() == name]
    if len(values) > 1:
        raise Refused(400, f"There may be one {name.decode().title()} header.")
    return values[0].decode("latin-1").strip() if values else None


def origin_of(text: str) -> str | None:
    """An origin as it is compared: lower case, without its scheme's own port; None: it is none."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" + (f":{port}" if port and port != _PORTS[scheme] else "")


class Origins:
    """Decides by what is allowed beside the server itself.

    Parameters:
        origins: Pages from elsewhere that may use this server, such as `https://example.com`.
        hosts: Names, without port, under which it is known beside `localhost`.
    """

    def __init__(self, *, origins: Iterable[str] = (), hosts: Iterable[str] = ()):
        self.allowed = frozenset(filter(None, map(origin_of, origins)))
        named = [match[2] for match in map(_ORIGIN.fullmatch, self.allowed) if match]
        self._hosts = frozenset(host.lower() for host in [*named, *hosts] if host)

    @classmethod
    def of(cls, settings: Settings, host: str) -> "Origins":
        """As it is set, for a server that listens on this address or name."""
        public = _ORIGIN.fullmatch(settings.public_url or "")
        named = [public[2]] if public else []
        hosts = [*settings.allowed_host_list, *named, host]
        return cls(origins=settings.allowed_origin_list, hosts=hosts)

    def check(self, method: str, path: str, headers: Headers, client: str | None) -> None:
        """Decide about a request or a WebSocket's handshake, by its head alone.

        Args:
            method: `GET`, ...
            path: What it is for.
            headers: All of them.
            client: Where it comes from; nobody is exempt.

        Raises:
            Refused: 400, 403 or 421 with a sentence.
        """
        host = header(headers, b"host")
        match = _HOST.fullmatch(host or "")
        if host is None or match is None:
            raise Refused(400, "The Host header must name this server.")
        if not self._is_known(match[1].lower()):
            raise Refused(
                421, "This server does not go by that name; SALON_ALLOWED_HOSTS says which it has."
            )
        if _matters(method, path, headers) and not self._is_welcome(headers, host.lower()):
            raise Refused(
                403, "Pages from that origin may not use this server; see SALON_ALLOWED_ORIGINS."
            )

    def _is_known(self, name: str) -> bool:
        if name in self._hosts or is_loopback(name):
            return True
        try:
            # Only a name can be made to point elsewhere: a browser that says an address went there.
            return bool(ip_address(name.strip("[]")))
        except ValueError:
            return False

    def _is_welcome(self, headers: Headers, host: str) -> bool:
        text = header(headers, b"origin")
        if text is None:
            # No browser, or a picture or link in a page: of those this tells where it is from.
            return header(headers, b"sec-fetch-site") in (None, "none", "same-origin")
        origin = origin_of(text)
        if origin is None:  # "null": a sandboxed frame, a file
            return False
        # Whether TLS ends here or before is not seen here, so the scheme is the page's.
        own = origin_of(f"{origin.partition(':')[0]}://{host}")
        return origin == own or origin in self.allowed


def _matters(method: str, path: str, headers: Headers) -> bool:
    """Whether a page from elsewhere could do harm without reading the answer."""
    if method not in _SAFE or is_start(path):
        return True
    is_preflight = header(headers, b"access-control-request-method") is not None
    upgrade = header(headers, b"upgrade")
    return is_preflight or (upgrade is not None and "websocket" in upgrade.lower())
