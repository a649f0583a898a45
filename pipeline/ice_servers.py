"""The STUN and TURN servers of a call: given, coturn's with a name for one call, or minted for it.

What mints them is a TURN service (`turn_services.py`). Nothing here has a clock or a socket. TURN names that end by themselves are those of
draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`: the TURN server needs to know
the secret only, and no list of users.
"""

import base64
import hmac
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.settings import Settings

_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:[^\s:?/@\[\]]+|\[[0-9a-fA-F:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<transport>\?transport=(?:udp|tcp))?"
)
_KEYS = {"urls", "username", "credential"}


def ice_servers(
    settings: "Settings",
    *,
    session_id: str,
    now_s: float,
    minted: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """The servers that both sides of one session may use, as `RTCPeerConnection` takes them.

    Args:
        settings: What is given, and for how long a TURN name is good.
        session_id: Part of the TURN name, so that the TURN server's log tells whose call it was:
            the bare id, never a token.
        now_s: The time, in seconds since 1970.
        minted: What a TURN service gave for this session.
    """
    given = settings.ice_servers
    servers = parse_ice_servers(given.get_secret_value()) if given else []
    if settings.turn_urls and settings.turn_secret:
        username = f"{int(now_s) + settings.turn_ttl_s}:{session_id}"
        secret = settings.turn_secret.get_secret_value()
        digest = hmac.digest(secret.encode(), username.encode(), "sha1")
        credential = base64.b64encode(digest).decode()
        urls = parse_turn_urls(settings.turn_urls)
        servers.append({"urls": urls, "username": username, "credential": credential})
    return [*servers, *minted]


def own_ice_servers(
    settings: "Settings",
    *,
    session_id: str,
    now_s: float,
    minted: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Those of a session's servers that its own side of the connection uses.

    None on a machine that knows its public address: it is reached there, by callers and by their
    relays. Left out is what aiortc 1.16.0 raises for, where a browser does not: a server by an IPv6
    address. Of the others aiortc uses the first STUN and the first TURN server.
    """
    if settings.public_address:
        return []
    servers = []
    for server in ice_servers(settings, session_id=session_id, now_s=now_s, minted=minted):
        urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
        if usable := [url for url in urls if "[" not in url]:
            servers.append({**server, "urls": usable})
    return servers


def parse_ice_servers(text: str) -> list[dict[str, Any]]:
    """Read `PIPECAT_ICE_SERVERS`: addresses with commas between them, or JSON.

    Raises:
        ValueError: When it is neither, or names a server that no browser would take.
    """
    text = text.strip()
    if text[:1] not in ("[", "{"):
        return [checked_server({"urls": url.strip()}) for url in text.split(",")]
    given = json.loads(text)
    return [checked_server(server) for server in (given if isinstance(given, list) else [given])]


def parse_turn_urls(text: str) -> list[str]:
    """Read `SALON_TURN_URLS`: TURN servers with commas between them.

    Raises:
        ValueError: When one is none.
    """
    urls = [url.strip() for url in text.split(",")]
    if not all(_scheme(url).startswith("turn") for url in urls):
        raise ValueError("only TURN servers have a use for the secret")
    return urls


def checked_server(server: Any) -> dict[str, Any]:
    """One server as a browser takes it.

    Raises:
        ValueError: When no browser would.
    """
    if isinstance(server, str):
        server = {"urls": server}
    if not isinstance(server, dict) or not server.get("urls") or server.keys() - _KEYS:
        raise ValueError("each needs urls, and may have username and credential")
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    if any(_scheme(url).startswith("turn") for url in urls):
        # A browser refuses the whole call when one of them has none.
        if not all(isinstance(server.get(key), str) for key in ("username", "credential")):
            raise ValueError("a TURN server needs username and credential")
    return server


def _scheme(url: Any) -> str:
    """Which kind of server it is: stun, stuns, turn or turns."""
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None or not 0 < int(match["port"] or 1) < 65536:
        raise ValueError("not the address of a STUN or TURN server")
    if match["transport"] and match["scheme"].startswith("stun"):
        raise ValueError("only TURN servers are reached by a transport of choice")
    return match["scheme"]
