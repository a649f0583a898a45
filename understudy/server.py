"""The listener: a thin shell of sockets, tasks and threads around `Session`."""

from __future__ import annotations

import asyncio
import http
import logging
import secrets
import ssl
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from understudy import routes
from understudy.breakable import BreakableConnection
from understudy.capture import Capture
from understudy.connection import MAX_MESSAGE_BYTES, Connection
from understudy.desk import Desk
from understudy.director import Director
from understudy.errors import INTERNAL_ERROR
from understudy.memory import HANDLE_TTL_S, MAX_HANDLES, ResumptionStore
from understudy.posting import PostingConnection
from understudy.profiles import PROFILES, Profile
from understudy.record import MAX_RECORDS, Recorder
from understudy.replay import Replay, load_recording
from understudy.rules import Rule, make_rule, read_option
from understudy.scenario import Scenario, load_scenario
from understudy.tls import serve_with_new_certificate
from understudy.tokens import TokenStore, error_answer
from understudy.work import Workers

_logger = logging.getLogger(__name__)
_CLOSE_TIMEOUT_S = 0.5
_PING_INTERVAL_S = 20
_PING_TIMEOUT_S = 60
"""Longer than the client's own 20 s, so that a client in a debugger is not thrown out by us."""


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
        clock_scale: How many times faster than real the limits of connections and sessions and
            the life of resumption handles pass. Nothing else is scaled: not the pace of speech
            or the detection of it, nor ephemeral tokens, whose times clients compute.
        exclusive_handles: Refuse a resumption handle while the connection that was given it is
            still open.
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
        max_records: int = MAX_RECORDS,
        max_handles: int = MAX_HANDLES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._cert_dir = cert_dir
        self._record_path = record_path
        self._keys = keys
        self._forced_profile: Profile | None = PROFILES[profile] if profile else None
        self._scenario = load_scenario(scenario) if isinstance(scenario, Path) else scenario
        self._rules = list(self._scenario.rules) if self._scenario else []
        self._rules += [read_option(fault) if isinstance(fault, str) else fault for fault in faults]
        self._attempts = 0
        self._directors: WeakKeyDictionary[ServerConnection, Director] = WeakKeyDictionary()
        self._running: dict[str, Connection] = {}
        self._capture_dir = capture_dir
        self._cues = load_recording(replay) if replay is not None else None
        self._control_port = control_port
        self._plain_port = plain_port
        self._text_frames = text_frames
        self._clock = clock
        self._tokens = TokenStore(new_hex=lambda: secrets.token_hex(32))
        self._clock_scale = clock_scale
        self._exclusive_handles = exclusive_handles
        self._max_records = max_records
        self._store = ResumptionStore(ttl_s=HANDLE_TTL_S / clock_scale, max_handles=max_handles)
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
            self.base_url = _base_url("https", self._host, server)
            if self._plain_port is not None:
                plain = await stack.enter_async_context(self._listen(self._plain_port, None))
                self.plain_url = _base_url("http", self._host, plain)
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

    def _listen(self, port: int, context: ssl.SSLContext | None) -> Server:
        connection = partial(PostingConnection, on_post=self._answer_post)
        return serve(
            self._serve,
            self._host,
            port,
            ssl=context,
            process_request=self._process_request,
            compression=None,  # base64 of noise-like PCM barely shrinks, at 10x the CPU
            max_size=MAX_MESSAGE_BYTES,
            ping_interval=_PING_INTERVAL_S,
            ping_timeout=_PING_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            server_header="understudy",
            logger=_quiet_logger(),
            create_connection=cast(type[ServerConnection], connection),
        )

    def _answer_post(
        self, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[http.HTTPStatus, str]:
        """Mints ephemeral tokens."""
        route = routes.route(target, headers)
        if not isinstance(route, routes.TokensRoute):
            return error_answer(http.HTTPStatus.NOT_FOUND, "There is nothing to post to here.")
        if refusal := routes.check_key(route.key, self._keys):
            is_bad = refusal.code == 1007
            status = http.HTTPStatus.BAD_REQUEST if is_bad else http.HTTPStatus.FORBIDDEN
            return error_answer(status, refusal.reason)
        return self._tokens.mint(body)

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers what is no Live session; returns None to let the upgrade go on."""
        route = routes.route(request.path, _lower(request.headers))
        if isinstance(route, routes.LiveRoute):
            self._attempts += 1
            director = Director(self._rules, connection=self._attempts, now_s=self._clock())
            self._directors[connection] = director
            if refusal := director.refuse():
                return connection.respond(*refusal)
            return None
        if isinstance(route, routes.ModelsRoute):
            if (body := routes.models_body(route.model)) is not None:
                response = connection.respond(http.HTTPStatus.OK, body)
                del response.headers["Content-Type"]
                response.headers["Content-Type"] = "application/json; charset=UTF-8"
                return response
            return connection.respond(http.HTTPStatus.NOT_FOUND, "There is no such model here.\n")
        return connection.respond(
            http.HTTPStatus.NOT_FOUND,
            "The understudy plays the Gemini Live API only: connect a WebSocket to /ws/google.ai."
            "generativelanguage.v1beta.GenerativeService.BidiGenerateContent.\n",
        )

    async def _serve(self, websocket: ServerConnection) -> None:
        assert isinstance(websocket, BreakableConnection) and websocket.request is not None
        route = routes.route(websocket.request.path, _lower(websocket.request.headers))
        assert isinstance(route, routes.LiveRoute)
        self._connections += 1
        session_id = f"s{self._connections}"
        self._recorder.add(session_id, "connected", {"version": route.api_version})
        capture = self._capture(session_id)
        try:
            await asyncio.shield(self._warm)
            # Loaded by now: importing it at the top would take 0.4 s from the start.
            from understudy.session import Session

            session = (
                Replay(self._cues)
                if self._cues is not None
                else Session(
                    store=self._store,
                    new_id=lambda: str(uuid.uuid4()),
                    api_version=route.api_version,
                    refusal=routes.check_access(route, self._keys),
                    scenario=self._scenario,
                    forced_profile=self._forced_profile,
                    clock_scale=self._clock_scale,
                    exclusive_handles=self._exclusive_handles,
                    admit=partial(self._tokens.admit, route.key or "")
                    if route.is_constrained
                    else None,
                )
            )
            connection = self._running[session_id] = Connection(
                websocket,
                session,
                workers=self._workers,
                clock=self._clock,
                note=lambda event, fields: self._recorder.add(session_id, event, fields),
                director=self._directors[websocket],
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


def _base_url(scheme: str, host: str, server: Server) -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    if ":" in reachable and not reachable.startswith("["):
        reachable = f"[{reachable}]"
    return f"{scheme}://{reachable}:{port}"


def _quiet_logger() -> logging.Logger:
    """A logger for websockets, which would log request targets (with keys) and every scan."""
    logger = logging.getLogger("understudy.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
