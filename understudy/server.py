"""The listener: a thin shell of sockets, tasks and threads around `Session`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from understudy import routes
from understudy.breakable import BreakableConnection
from understudy.capture import Capture
from understudy.connection import Connection
from understudy.desk import Desk
from understudy.director import Director
from understudy.errors import INTERNAL_ERROR
from understudy.listener import base_url, listen
from understudy.memory import MAX_HANDLES
from understudy.reception import TEXT, Reception
from understudy.record import MAX_RECORDS, Recorder
from understudy.rules import Rule, make_rule, read_option
from understudy.scenario import Scenario, load_scenario
from understudy.sessions import Sessions
from understudy.tls import serve_with_new_certificate
from understudy.tokens import TokenStore
from understudy.work import Workers

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A connection whose upgrade was not refused."""

    route: routes.LiveRoute
    director: Director


class Understudy:
    """A local stand-in for the Gemini Live API.

    Usage:
        async with Understudy(port=0) as understudy:
            options = HttpOptions(base_url=understudy.base_url, ...)

    Args:
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one.
        cert_dir: Where `cert.pem` goes; None makes a directory that is removed at the end.
        record_path: JSON lines of every event are appended here.
        keys: The only API keys taken; None takes any that doesn't begin with `invalid`.
        profile: Name of a model family to play whatever model is asked for; None lets the
            model decide, and refuses unknown ones.
        scenario: A scenario file, or what one said: what to answer and what breaks.
        faults: What else goes wrong, as `NAME[:param=value,...]` or rules of a scenario.
        capture_dir: Every session is written here, as a file that can be replayed.
        replay: A capture that every session plays, instead of answering by itself.
        control_port: Port of the control endpoint at 127.0.0.1; 0 takes a free one, None for none.
        plain_port: Port to listen at without TLS too; 0 takes a free one, None for none.
        text_frames: Send text frames; the real service's are binary.
        clock_scale: How many times faster than real the limits of connections and sessions, the
            life of resumption handles and the minute of a quota pass. Nothing else is scaled: not
            the pace of speech or the detection of it, nor ephemeral tokens, whose times clients
            compute.
        exclusive_handles: Refuse a resumption handle while the connection that was given it is
            still open.
        max_sessions_per_key: How many sessions of one key may be open at once; None: any number.
            One more is refused with 1011 after its setup. An ephemeral token counts for the key
            that minted it.
        tokens_per_minute_per_key: How many tokens the turns of one key may cost in a minute
            before the next turn or session is refused in the same way; None: any number.
        quota_at_upgrade: Refuse a session for these two with HTTP 429 instead.
        max_records: So many events are kept in memory, the last ones, and 64 MB of them at most.
        max_handles: So many resumption handles are kept; the oldest are forgotten beyond.
        clock: Monotonic seconds.

    Raises:
        ScenarioError: The scenario, the capture or a fault makes no sense.
        OSError: The scenario or the capture can't be read.

    Attributes:
        base_url: What clients take as base URL, such as `https://127.0.0.1:8443`.
        plain_url: The same without TLS, such as `http://127.0.0.1:8080`; "" without one.
        cert_path: The certificate they have to trust.
        control_url: Where faults are switched, such as `http://127.0.0.1:8444`; "" for nowhere.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        cert_dir: Path | None = None,
        record_path: Path | None = None,
        keys: Collection[str] | None = None,
        profile: str | None = None,
        scenario: Path | Scenario | None = None,
        faults: Sequence[str | Rule] = (),
        capture_dir: Path | None = None,
        replay: Path | None = None,
        control_port: int | None = None,
        plain_port: int | None = None,
        text_frames: bool = False,
        clock_scale: float = 1.0,
        exclusive_handles: bool = False,
        max_sessions_per_key: int | None = None,
        tokens_per_minute_per_key: int | None = None,
        quota_at_upgrade: bool = False,
        max_records: int = MAX_RECORDS,
        max_handles: int = MAX_HANDLES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._cert_dir = cert_dir
        self._record_path = record_path
        if isinstance(scenario, Path):
            scenario = load_scenario(scenario)
        self._rules = list(scenario.rules) if scenario else []
        self._rules += [read_option(fault) if isinstance(fault, str) else fault for fault in faults]
        tokens = TokenStore(new_hex=lambda: secrets.token_hex(32))
        self._reception = Reception(keys, tokens)
        self._sessions = Sessions(
            keys=keys,
            tokens=tokens,
            profile=profile,
            scenario=scenario,
            replay=replay,
            clock_scale=clock_scale,
            exclusive_handles=exclusive_handles,
            max_handles=max_handles,
            max_sessions_per_key=max_sessions_per_key,
            tokens_per_minute_per_key=tokens_per_minute_per_key,
            quota_at_upgrade=quota_at_upgrade,
        )
        self._attempts = 0
        self._arrivals: WeakKeyDictionary[ServerConnection, _Arrival] = WeakKeyDictionary()
        self._running: dict[str, Connection] = {}
        self._capture_dir = capture_dir
        self._control_port = control_port
        self._plain_port = plain_port
        self._text_frames = text_frames
        self._clock = clock
        self._max_records = max_records
        self._connections = 0
        self._stack = AsyncExitStack()
        self.base_url = ""
        self.control_url = ""
        self.plain_url = ""
        self.cert_path = Path()

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every event so far, as in the record file; of very many the last."""
        return self._recorder.records

    @property
    def rules(self) -> list[Rule]:
        """The faults that are on."""
        return list(self._rules)

    def inject(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        moment: str | Mapping[str, Any] | None = None,
        session: str | None = None,
    ) -> Rule:
        """Switches a fault on, in the sessions that run and in those to come.

        Args:
            name: The fault.
            parameters: Its parameters.
            moment: When: a place such as `speaking`, or a mapping as in a scenario.
            session: Only in this running session, such as `s1`.

        Raises:
            ScenarioError: There is no such fault, parameter or moment.
            KeyError: There is no such session.
        """
        rule = make_rule(name, parameters=parameters, moment=moment)
        if session is not None:
            self._running[session].inject(rule)
            return rule
        self._rules.append(rule)
        for connection in self._running.values():
            connection.inject(rule)
        return rule

    def clear_faults(self, name: str | None = None) -> int:
        """Switches faults off, in running sessions too, and returns how many.

        Args:
            name: Only those of this name; None: all.
        """
        ended = [rule for rule in self._rules if name in (None, rule.name)]
        for rule in ended:
            rule.is_on = False
        self._rules = [rule for rule in self._rules if rule.is_on]
        return len(ended)

    async def __aenter__(self) -> Understudy:
        """Starts to listen.

        Raises:
            OSError: The port is taken, or a directory or file can't be written.
        """
        async with self._stack as stack:
            self._recorder = Recorder(
                clock=self._clock, path=self._record_path, max_records=self._max_records
            )
            stack.callback(self._recorder.close)
            directory = self._cert_dir or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-"))
            )
            context, self.cert_path = serve_with_new_certificate(directory, host=self._host)
            self._workers = Workers()
            stack.callback(self._workers.close)
            if self._capture_dir is not None:
                self._capture_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            server = await stack.enter_async_context(self._listen(self._port, context))
            self.base_url = base_url("https", self._host, server)
            if self._plain_port is not None:
                plain = await stack.enter_async_context(self._listen(self._plain_port, None))
                self.plain_url = base_url("http", self._host, plain)
            if self._control_port is not None:
                desk = Desk(self, port=self._control_port)
                self.control_url = (await stack.enter_async_context(desk)).url
            self._warm = asyncio.create_task(self._workers.warm_up(), name="understudy-warm-up")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Closes every session with 1001 and stops listening."""
        self._warm.cancel()
        await asyncio.wait([self._warm])
        await self._stack.aclose()

    def _listen(
        self, port: int, context: ssl.SSLContext | None
    ) -> AbstractAsyncContextManager[Server]:
        return listen(
            self._host,
            port,
            context,
            on_session=self._serve,
            on_request=self._answer_request,
            on_post=self._reception.post,
        )

    def _answer_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers what is no Live session; returns None to let the upgrade go on."""
        route = routes.route(request.path, _lower(request.headers))
        if not isinstance(route, routes.LiveRoute):
            return _respond(connection, *self._reception.get(route))
        self._attempts += 1
        director = Director(
            self._rules,
            connection=self._attempts,
            now_s=self._clock(),
            auth_modes=routes.auth_modes(request.path, route),
        )
        self._arrivals[connection] = _Arrival(route, director)
        if refusal := director.refuse() or self._sessions.refuse(route, self._clock()):
            return _respond(connection, *refusal, TEXT)
        return None

    async def _serve(self, websocket: ServerConnection) -> None:
        assert isinstance(websocket, BreakableConnection) and websocket.request is not None
        arrival = self._arrivals[websocket]
        self._connections += 1
        session_id = f"s{self._connections}"
        route = arrival.route
        endpoint = {"version": route.api_version, "constrained": route.is_constrained}
        client = routes.note(websocket.request.path, _lower(websocket.request.headers))
        self._recorder.add(session_id, "connected", {**endpoint, **client})
        capture = self._capture(session_id)
        try:
            await asyncio.shield(self._warm)
            connection = self._running[session_id] = Connection(
                websocket,
                self._sessions.make(route),
                workers=self._workers,
                clock=self._clock,
                note=lambda event, fields: self._recorder.add(session_id, event, fields),
                director=arrival.director,
                capture=capture,
                sends_text=self._text_frames,
            )
            await connection.run()
        except Exception:  # a fault of ours costs this session, not the server
            _logger.exception("session %s failed", session_id)
            await websocket.close(1011, INTERNAL_ERROR)
        finally:
            self._running.pop(session_id, None)
            self._recorder.add(
                session_id,
                "closed",
                {"code": websocket.close_code, "reason": websocket.close_reason},
            )
            if capture is not None:
                side = "server" if websocket.was_ended_here else "client"
                capture.close(side, websocket.close_code, websocket.close_reason)

    def _capture(self, session_id: str) -> Capture | None:
        if self._capture_dir is None:
            return None
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{session_id}.jsonl"
        return Capture(self._capture_dir / name, clock=self._clock)


def _lower(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.raw_items()}


def _respond(
    connection: ServerConnection, status: HTTPStatus, body: str, content_type: str
) -> Response:
    response = connection.respond(status, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = content_type
    return response
