"""One session from hello to hang-up: what Pipecat's runner and Pipecat Cloud call."""

import atexit
import shutil
import tempfile
from collections import deque
from typing import Any

from pipeline.tracing import prepare_tracing, tracing

prepare_tracing()  # before anything of Pipecat is imported

from loguru import logger
from pipecat.runner.types import (
    DailyRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)
from pipecat.runner.utils import create_transport
from pipecat.transports.base_transport import BaseTransport
from pipecat.utils.file_storage import FileStorage, LocalFileStorage
from pydantic import SecretStr

from pipeline.build import build
from pipeline.choices import ChoiceError, read_choices
from pipeline.persona import PersonaError
from pipeline.phone.call import IN_BODY, PhoneCall
from pipeline.phone.line import Line, StreamError
from pipeline.phone.telephone import telephone_of
from pipeline.rooms.room import Room
from pipeline.session import Session
from pipeline.settings import Settings, SettingsError, load_settings
from pipeline.transports import TRANSPORT_PARAMS, daily_transport

OWN_KEY = "own_model_key"
"""Where a caller's own key to the model is in the `body` of a session's arguments."""

PHONE = IN_BODY
"""Where the telephone call that a session is for, a `PhoneCall`, is there; no JSON can hold one."""

SESSIONS: set[Session] = set()
"""The sessions of this process, for whoever has to end them."""

LATEST: deque[Session] = deque(maxlen=1)
"""The one that began last, also when it is over, for whoever tells how it ended: a call that nobody
takes is over sooner than anybody looks."""


async def bot(args: RunnerArguments) -> None:
    """Hold one conversation over the transport that the arguments name.

    `args.body` may choose who answers, and how: `{"persona": "art-critic", "answers": "text"}` (see
    `read_choices`). What can't be used is logged in a sentence, and the caller is hung up on.
    """
    try:
        await _converse(args)
    except Exception as error:
        # Whatever it is, nobody may be left on a line that nobody answers.
        told = isinstance(error, SettingsError | PersonaError | ChoiceError | StreamError)
        logger.opt(exception=None if told else error).error(f"The session can't start: {error}")
        if isinstance(args, SmallWebRTCRunnerArguments):
            await args.webrtc_connection.disconnect()


async def _converse(args: RunnerArguments) -> None:
    settings = load_settings()
    body = args.body if isinstance(args.body, dict) else {}
    # No JSON can hold one: it comes from the server, beside what the caller has sent.
    own_key = body.get(OWN_KEY)
    if isinstance(own_key, SecretStr):
        settings = settings.model_copy(update={"google_api_key": own_key})
    elif settings.google_api_key is None:
        raise SettingsError("GOOGLE_API_KEY is missing; for example GOOGLE_API_KEY=AIza...")
    choices = read_choices(body, settings)
    persona = choices.persona
    settings = settings.model_copy(update={"language": choices.language})
    call = body.get(PHONE)
    transport, line = await _come_in(args, call, settings, title=persona.title)
    telephone = telephone_of(call, transport=transport, settings=settings, line=line)
    room = None
    if isinstance(args, DailyRunnerArguments) and telephone is None:
        room = Room(
            transport=transport,
            grace_s=settings.room_grace_s,
            name=args.session_id or "session",
            title=persona.title,
        )
    conversation = await build(
        transport,
        persona=persona,
        settings=settings,
        file_storage=args.file_storage,
        answers=choices.answers,
        has_own_key=isinstance(own_key, SecretStr),
        **telephone.beside(persona) if telephone else {},
        room=room,
    )
    session = Session(
        transport=transport,
        conversation=conversation,
        args=args,
        persona=persona,
        settings=settings,
        telephone=telephone,
    )
    SESSIONS.add(session)
    LATEST.append(session)
    try:
        async with tracing(with_words=settings.trace_words):
            await session.run()
    finally:
        SESSIONS.discard(session)


async def _come_in(
    args: RunnerArguments, call: Any, settings: Settings, *, title: str
) -> tuple[BaseTransport, Line | None]:
    """The way in, and what can be done with the line of a telephone call that needs no room."""
    if isinstance(call, PhoneCall) and isinstance(args, WebSocketRunnerArguments):
        from pipeline.phone.stream_transport import open_stream  # it needs a transport's libraries

        transport = await open_stream(args.websocket, call, settings)
        return transport, transport.line
    if isinstance(args, DailyRunnerArguments):
        is_phone = isinstance(call, PhoneCall)
        return daily_transport(args, name=title, is_phone=is_phone), None
    return await create_transport(args, TRANSPORT_PARAMS), None


def create_file_storage() -> FileStorage:
    """Where Pipecat's runner keeps uploads until they are shown to the model."""
    folder = load_settings().uploads_dir
    if folder is None:
        folder = tempfile.mkdtemp(prefix="salon-uploads-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return LocalFileStorage(str(folder), max_files=100)
