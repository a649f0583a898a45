"""Stand-ins for the APIs of Twilio and Cloudflare that mint TURN names, on loopback.

Both answer as the services document it. The TURN server that they name may be a real coturn: its
names are made from its secret, and end after as many seconds as were asked for.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.access.support import served

ACCOUNT, KEY, KEY_ID = "ACplanted", "SKplanted", "planted-key-id"
SECRET = "planted-service-secret"
TWILIO = {
    "SALON_TURN_SERVICE": "twilio",
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_API_KEY": KEY,
    "TWILIO_API_SECRET": SECRET,
}
CLOUDFLARE = {
    "SALON_TURN_SERVICE": "cloudflare",
    "CLOUDFLARE_TURN_KEY_ID": KEY_ID,
    "CLOUDFLARE_TURN_API_TOKEN": SECRET,
}


@dataclass
class TurnServiceStandIn:
    """What the services' API does.

    Parameters:
        url: Its address.
        turn_url: The TURN server that it names.
        turn_secret: Of that one; names are made from it, as coturn reads them.
        fault: What is wrong with it right now.
        asked: For how long each name was to be good, in seconds, in order.
    """

    url: str = ""
    turn_url: str = "turn:turn.example.com:3478"
    turn_secret: str = "x"
    fault: str | None = None
    asked: list[int] = field(default_factory=list)

    def mint(self, ttl_s: int) -> dict[str, str]:
        """A name and a password, each different."""
        self.asked.append(ttl_s)
        username = f"{int(time.time()) + ttl_s}:minted{len(self.asked)}"
        digest = hmac.digest(self.turn_secret.encode(), username.encode(), "sha1")
        return {"username": username, "credential": base64.b64encode(digest).decode()}

    async def twilio(self, request: Request) -> Response:
        """`POST /2010-04-01/Accounts/{sid}/Tokens.json`."""
        assert request.path_params["account"] == ACCOUNT
        basic = request.headers["authorization"].removeprefix("Basic ")
        if base64.b64decode(basic).decode() not in (f"{KEY}:{SECRET}", f"{ACCOUNT}:{SECRET}"):
            return JSONResponse({"code": 20003, "message": "Authenticate"}, 401)
        (ttl,) = parse_qs((await request.body()).decode())["Ttl"]
        names = self.mint(int(ttl))
        stun, urls = "stun:global.stun.twilio.com:3478", [self.turn_url]
        answer = {
            "account_sid": ACCOUNT,
            "ttl": ttl,  # as text
            "username": names["username"],
            "password": names["credential"],
            "ice_servers": [
                {"url": stun, "urls": stun},
                *({"url": url, "urls": url, **names} for url in urls),
            ],
        }
        return JSONResponse(answer, 201)

    async def cloudflare(self, request: Request) -> Response:
        """`POST /v1/turn/keys/{key id}/credentials/generate-ice-servers`."""
        assert request.path_params["key_id"] == KEY_ID
        if request.headers["authorization"] != f"Bearer {SECRET}":
            return JSONResponse({"error": "unauthorized"}, 401)
        names = self.mint((await request.json())["ttl"])
        answer = {
            "iceServers": [
                {"urls": ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"]},
                {"urls": [self.turn_url, "turn:turn.cloudflare.com:53?transport=udp"], **names},
            ]
        }
        return JSONResponse(answer, 201)


FAULTS = {
    "silent": "it did not answer within 0.2 s",
    "error": "it answered 500",
    "redirect": "it answered 302",
    "html": "it answered something else than JSON",
    "deep": "it answered something else than JSON",
    "a list": "it named no TURN server",
    "nothing": "it named no TURN server",
    "stun only": "it named no TURN server",
    "without a password": "it named no TURN server",
    "rubbish": "it named no TURN server",
    "huge": "it answered too much",
    "cut off": "it can't be reached",
}
"""What may be wrong with an answer, and what is said of it."""
_ANSWERS: dict[str, Any] = {
    "a list": [1],
    "nothing": {},
    "stun only": {"iceServers": [{"urls": ["stun:stun.example.com"]}]},
    "without a password": {"iceServers": {"urls": "turn:turn.example.com", "username": "u"}},
    "rubbish": {"iceServers": [None, 3, {"urls": 4}, {"urls": ["http://x", None]}, {}]},
}


async def _faulty(fault: str) -> Response:
    match fault:
        case "silent":
            await asyncio.sleep(30)
        case "error":
            return Response("no", 500)
        case "redirect":
            return Response(status_code=302, headers={"Location": "https://evil.example/"})
        case "html":
            return Response("<html>", 201)
        case "deep":
            return Response("[" * 50_000, 201)
        case "huge":
            return Response(" " * 300_000, 201)
        case "cut off":
            return Response("{}", 201, headers={"Content-Length": "90"})
    return Response(json.dumps(_ANSWERS[fault]), 201)


@contextlib.asynccontextmanager
async def turn_service(**options: Any) -> AsyncIterator[TurnServiceStandIn]:
    """Run them."""
    stand_in = TurnServiceStandIn(**options)

    async def answer(request: Request) -> Response:
        if stand_in.fault:
            return await _faulty(stand_in.fault)
        is_twilio = "account" in request.path_params
        return await (stand_in.twilio if is_twilio else stand_in.cloudflare)(request)

    minting = "/v1/turn/keys/{key_id}/credentials/generate-ice-servers"
    paths = ("/2010-04-01/Accounts/{account}/Tokens.json", minting)
    app = Starlette(routes=[Route(path, answer, methods=["POST"]) for path in paths])
    async with served(app, timeout_graceful_shutdown=1) as url:
        stand_in.url = url
        yield stand_in
