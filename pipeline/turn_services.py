"""TURN as a service: how Twilio and Cloudflare are asked for a name for one call. Pure.

Twilio: https://www.twilio.com/docs/stun-turn/api. Cloudflare:
https://developers.cloudflare.com/realtime/turn/generate-credentials. Both take the time for which it
is good in seconds; of the call they are told nothing else.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from pipeline.ice_servers import checked_server

if TYPE_CHECKING:
    from pipeline.settings import Settings

TurnService = Literal["twilio", "cloudflare"]
MAX_URLS = 16
"""A browser that is given many opens a relay at each."""
_BLOCKED = re.compile(r":53(\?|$)")
"""Cloudflare names the port of DNS too. Browsers refuse it, and wait for it all the same."""


class AnswerError(Exception):
    """What a service answered can't be used; the message says what it did, as `it ...`."""


@dataclass(frozen=True, kw_only=True)
class MintRequest:
    """What is posted to a service for a name and a password.

    Parameters:
        service: What it is called.
        url: Where to.
        headers: With the right to ask.
        body: How long they are to be good.
    """

    service: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def mint_request(settings: "Settings") -> MintRequest | None:
    """What the service that is set is asked; None without one."""
    match settings.turn_service:
        case "twilio":
            return _twilio(settings)
        case "cloudflare":
            return _cloudflare(settings)
    return None


def missing_for(settings: "Settings") -> str | None:
    """Which variable is missing for the service that is set; None: none."""
    match settings.turn_service:
        case "twilio":
            if not settings.twilio_account_sid:
                return "TWILIO_ACCOUNT_SID"
            if settings.twilio_api_key:
                return None if settings.twilio_api_secret else "TWILIO_API_SECRET"
            return None if settings.twilio_auth_token else "TWILIO_AUTH_TOKEN"
        case "cloudflare":
            if not settings.cloudflare_turn_key_id:
                return "CLOUDFLARE_TURN_KEY_ID"
            return None if settings.cloudflare_turn_api_token else "CLOUDFLARE_TURN_API_TOKEN"
    return None


def _twilio(settings: "Settings") -> MintRequest:
    account, secret = settings.twilio_account_sid, settings.twilio_auth_token
    user = account
    if settings.twilio_api_key:
        user, secret = settings.twilio_api_key, settings.twilio_api_secret
    assert account and secret
    basic = base64.b64encode(f"{user}:{secret.get_secret_value()}".encode()).decode()
    base_url = settings.turn_service_url or "https://api.twilio.com"
    return MintRequest(
        service="Twilio",
        url=f"{base_url}/2010-04-01/Accounts/{quote(account, safe='')}/Tokens.json",
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode({"Ttl": settings.turn_ttl_s}).encode(),
    )


def _cloudflare(settings: "Settings") -> MintRequest:
    key_id, token = settings.cloudflare_turn_key_id, settings.cloudflare_turn_api_token
    assert key_id and token
    base_url = settings.turn_service_url or "https://rtc.live.cloudflare.com"
    return MintRequest(
        service="Cloudflare",
        url=f"{base_url}/v1/turn/keys/{quote(key_id, safe='')}/credentials/generate-ice-servers",
        headers={
            "Authorization": f"Bearer {token.get_secret_value()}",
            "Content-Type": "application/json",
        },
        body=json.dumps({"ttl": settings.turn_ttl_s}).encode(),
    )


def minted_servers(status: int, body: bytes) -> list[dict[str, Any]]:
    """The STUN and TURN servers of an answer, as `RTCPeerConnection` takes them.

    Args:
        status: The answer's status.
        body: What it holds: `ice_servers` of Twilio, `iceServers` of Cloudflare.

    Raises:
        AnswerError: When there is no TURN server among them.
    """
    if status in (401, 403):
        raise AnswerError(f"it does not take the name and the secret ({status})")
    if not 200 <= status < 300:
        raise AnswerError(f"it answered {status}")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerError("it answered something else than JSON") from None
    given = answer.get("ice_servers", answer.get("iceServers")) if isinstance(answer, dict) else []
    servers, room = [], MAX_URLS
    for one in given if isinstance(given, list) else [given]:
        if server := _usable(one, room):
            servers.append(server)
            room -= len(server["urls"])
    if not any("credential" in server for server in servers):
        raise AnswerError("it named no TURN server")
    return servers


def _usable(given: Any, room: int) -> dict[str, Any] | None:
    """One server, with what a browser takes of it; None when that is nothing."""
    if not isinstance(given, dict):
        return None
    urls = given.get("urls")  # Twilio repeats it as `url`, which is long out of use
    urls = [
        url
        for url in (urls if isinstance(urls, list) else [urls])
        if isinstance(url, str) and not _BLOCKED.search(url)
    ][:room]
    names = {key: given[key] for key in ("username", "credential") if key in given}
    try:
        return checked_server({"urls": urls, **names})
    except ValueError:
        return None
