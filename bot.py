"""One session from hello to hang-up: what Pipecat's runner and Pipecat Cloud call."""

import atexit
import shutil
import tempfile

from loguru import logger
from pipecat.runner.types import RunnerArguments, SmallWebRTCRunnerArguments
from pipecat.runner.utils import create_transport
from pipecat.utils.file_storage import FileStorage, LocalFileStorage

from pipeline.build import build
from pipeline.persona import PersonaError, load_persona
from pipeline.session import Session
from pipeline.settings import SettingsError, load_settings
from pipeline.transports import TRANSPORT_PARAMS

SESSIONS: set[Session] = set()
"""The sessions of this process, for whoever has to end them."""


async def bot(args: RunnerArguments) -> None:
    """Hold one conversation over the transport that the arguments name.

    `args.body` may choose who answers: `{"persona": "art-critic"}`. What can't be used is logged
    in a sentence, and the caller is hung up on.
    """
    try:
        await _converse(args)
    except Exception as error:
        # Whatever it is, nobody may be left on a line that nobody answers.
        told = isinstance(error, SettingsError | PersonaError)
        logger.opt(exception=None if told else error).error(f"The session can't start: {error}")
        if isinstance(args, SmallWebRTCRunnerArguments):
            await args.webrtc_connection.disconnect()


async def _converse(args: RunnerArguments) -> None:
    settings = load_settings()
    if settings.google_api_key is None:
        raise SettingsError("GOOGLE_API_KEY is missing; for example GOOGLE_API_KEY=AIza...")
    body = args.body if isinstance(args.body, dict) else {}
    persona = load_persona(body.get("persona") or settings.persona)
    transport = await create_transport(args, TRANSPORT_PARAMS)
    conversation = await build(
        transport, persona=persona, settings=settings, file_storage=args.file_storage
    )
    session = Session(
        transport=transport,
        conversation=conversation,
        args=args,
        persona=persona,
        settings=settings,
    )
    SESSIONS.add(session)
    try:
        await session.run()
    finally:
        SESSIONS.discard(session)


def create_file_storage() -> FileStorage:
    """Where Pipecat's runner keeps uploads until they are shown to the model."""
    folder = load_settings().uploads_dir
    if folder is None:
        folder = tempfile.mkdtemp(prefix="salon-uploads-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return LocalFileStorage(str(folder), max_files=100)
