"""A telephone and the service that carries its calls: webhooks, XML, streams and a REST API."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlencode
from xml.etree import ElementTree

import httpx
from aiohttp import web

from understudy.streams.account import Account
from understudy.streams.call import StreamCall

WEBHOOK_S = 15.0
"""How long Twilio waits for an answer to its webhook; the others wait no longer here."""


@dataclass
class _Failure:
    status: int
    times: int


class StreamPhone:
    """Calls a server as the customers of a telephone service would.

    Use it as an asynchronous context manager: meanwhile there is the service's REST API.

    Args:
        service: `twilio`, `telnyx` or `plivo`.
        server_url: Where the server that is called is reached.
        port: Of the REST API; 0: one that is free.
        account: Whose calls they are.
        public_url: What the server takes for its own address; as `server_url` when not given.

    Attributes:
        number: The telephone's own; each has another.
        requests: What the REST API was asked, as method, path and body.
        answers: The status of each answer to a webhook, and the answer.
    """

    def __init__(
        self,
        service: str,
        server_url: str = "",
        *,
        port: int = 0,
        account: Account | None = None,
        public_url: str | None = None,
    ):
        self.account = account or Account(service=service)
        self.server_url = server_url
        self.requests: list[tuple[str, str, dict]] = []
        self.answers: list[tuple[int, str]] = []
        self.number = f"+1555{secrets.randbelow(10_000_000):07}"
        self._service = service
        self._port = port
        self._public_url = public_url
        self._calls: dict[str, StreamCall] = {}
        self._next: dict[str, bytes] = {}
        self._failure: _Failure | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "StreamPhone":
        """Open the REST API."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *error: object) -> None:
        """End all calls."""
        for call in self._calls.values():
            await call.hang_up()
        assert self._runner
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """Where the REST API is."""
        return f"http://127.0.0.1:{self._port}"

    def fail(self, status: int, *, times: int = 1) -> None:
        """Have the REST API answer the next requests so."""
        self._failure = _Failure(status, times)

    def expect(self) -> StreamCall:
        """A call that is connected, and that the REST API knows, without a stream or a server."""
        call = StreamCall(self._service, self.account.name)
        call.state = "connected"
        self._calls[call.call_id] = call
        call.life = asyncio.create_task(self._wait(call))
        return call

    async def dial(
        self,
        number: str = "+15550001111",
        *,
        caller: str | None = None,
        path: str | None = None,
        call_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> StreamCall:
        """Call a number.

        Args:
            number: The number; it is the server's.
            caller: Whose telephone this is; another number than its own, or a withheld one.
            path: Where the service announces calls to it.
            call_id: What the service calls the call.
            headers: Of SIP, by name.

        Returns:
            The call, once the server has answered the webhook; what it said is done from now on.
        """
        call = StreamCall(self._service, self.account.name, call_id=call_id)
        self._calls[call.call_id] = call
        form = self.form(call.call_id, number, caller or self.number, headers or {})
        xml = await self.announce(path or f"/phone/{self._service}", form)
        call.life = asyncio.create_task(self._live(call, xml))
        return call

    def form(
        self,
        call_id: str,
        number: str = "+15550001111",
        caller: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """What the service says of a call."""
        caller = caller or self.number
        headers = headers or {}
        if self._service == "plivo":
            named = {f"X-PH-{name}": value for name, value in headers.items()}
            plain = {"From": caller.lstrip("+"), "To": number.lstrip("+")}
            return {
                **plain,
                **named,
                "CallUUID": call_id,
                "Direction": "inbound",
                "CallStatus": "ringing",
                "Event": "StartApp",
            }
        named = {f"SipHeader_{name}": value for name, value in headers.items()}
        return {
            **named,
            "AccountSid": self.account.name,
            "CallSid": call_id,
            "From": caller,
            "To": number,
            "CallStatus": "ringing",
            "Direction": "inbound",
        }

    async def announce(
        self, path: str, form: Mapping[str, str], *, replayed: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a signed webhook.

        Args:
            path: To where, with its query.
            form: What it says.
            replayed: Headers of another one, instead of a signature.

        Returns:
            What it was answered; empty when that was no XML.
        """
        body = urlencode(form).encode()
        signed = self.account.sign(f"{self._public_url or self.server_url}{path}", form, body)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(replayed or signed)}
        async with httpx.AsyncClient(timeout=WEBHOOK_S) as http:
            answer = await http.post(f"{self.server_url}{path}", content=body, headers=headers)
        self.answers.append((answer.status_code, answer.text))
        return answer.content if answer.is_success else b""

    async def _wait(self, call: StreamCall) -> None:
        while call.call_id not in self._next:  # noqa: ASYNC110 - the API puts it there
            await asyncio.sleep(0.01)
        await self._live(call, self._next.pop(call.call_id))

    # --- the XML --------------------------------------------------------------------------------

    async def _live(self, call: StreamCall, xml: bytes) -> None:
        """Do what the server said, one thing after the other, and what the API says instead."""
        while xml:
            for verb in ElementTree.fromstring(xml):
                if not await self._do(call, verb) or call.call_id in self._next:
                    break
            xml = self._next.pop(call.call_id, b"")
        if call.state != "transferred":
            call.state = "ended"

    async def _do(self, call: StreamCall, verb: ElementTree.Element) -> bool:
        """Do one thing; False when it was the last."""
        match verb.tag, self._service:
            case ("Say", "twilio" | "telnyx") | ("Speak", "plivo"):
                call.told.append(verb.text or "")
            case "Connect", "twilio" | "telnyx":
                (stream,) = verb
                if self._service == "telnyx" and stream.get("bidirectionalMode") != "rtp":
                    raise ValueError("nothing that the server sends would be heard")
                await call.stream(stream.attrib["url"])
            case "Stream", "plivo":
                if (verb.get("bidirectional"), verb.get("keepCallAlive")) != ("true", "true"):
                    raise ValueError("nothing that the server sends would be heard")
                await call.stream(verb.text or "")
            case "Dial", _:
                (target,) = verb
                call.transferred_to, call.state = target.text, "transferred"
                return False
            case "Hangup", _:
                return False
            case tag, service:
                raise ValueError(f"{service} knows no {tag}")
        return True

    # --- the REST API ---------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.Response:
        if request.content_type == "application/json":
            body = dict(await request.json())
        else:
            body = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append((request.method, request.path, body))
        if request.headers.get("Authorization") != self.account.authorization:
            return web.json_response({}, status=401)
        if self._failure and self._failure.times:
            self._failure.times -= 1
            return web.json_response({"message": "It failed."}, status=self._failure.status)
        parts = unquote(request.raw_path).replace(".json", "").strip("/").split("/")
        call = next((self._calls[part] for part in parts if part in self._calls), None)
        if call is None or call.state == "ended":
            status = 422 if self._service == "telnyx" else 404
            return web.json_response({"code": 20404}, status=status)
        act = getattr(self, f"_{self._service}")
        return await act(call, request.method, parts, body)

    async def _twilio(
        self, call: StreamCall, method: str, parts: list[str], body: dict
    ) -> web.Response:
        if parts[:2] != ["2010-04-01", "Accounts"] or parts[2] != self.account.name:
            return web.json_response({}, status=404)
        if body.get("Status") == "completed":
            await self._end(call)
        elif twiml := body.get("Twiml"):
            await self._redirect(call, twiml.encode())
        else:
            return web.json_response({"code": 20001}, status=400)
        return web.json_response({"sid": call.call_id})

    async def _telnyx(
        self, call: StreamCall, method: str, parts: list[str], body: dict
    ) -> web.Response:
        match method, parts[-1]:
            case "POST", "hangup":
                await self._end(call)
            case "POST", "transfer":
                call.transferred_to, call.state = body["to"], "transferred"
                await call.redirect()
            case _:
                return web.json_response({}, status=404)
        return web.json_response({"data": {"result": "ok"}})

    async def _plivo(
        self, call: StreamCall, method: str, parts: list[str], body: dict
    ) -> web.Response:
        if method == "DELETE":
            await self._end(call)
            return web.Response(status=204)
        path = body["aleg_url"].removeprefix(self._public_url or self.server_url)
        xml = await self.announce(path, self.form(call.call_id))
        await self._redirect(call, xml)
        return web.json_response({"message": "call transferred"}, status=202)

    async def _end(self, call: StreamCall) -> None:
        self._next[call.call_id] = b""
        await call.redirect()
        call.state = "ended"

    async def _redirect(self, call: StreamCall, xml: bytes) -> None:
        self._next[call.call_id] = xml
        await call.redirect()
