"""The server's command with a bot in place of the real one that only waits."""

import asyncio
import sys

from pipecat.runner.types import (
    DailyRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)

import runner


async def bot(args: RunnerArguments) -> None:
    """Stay until the caller hangs up; in a room that is called `over`, not at all."""
    match args:
        case WebSocketRunnerArguments():
            async for _ in args.websocket.iter_bytes():
                pass
        case SmallWebRTCRunnerArguments():
            closed = asyncio.Event()

            @args.webrtc_connection.event_handler("closed")
            async def on_closed(connection: object) -> None:
                closed.set()

            await args.webrtc_connection.connect()
            await closed.wait()
        case DailyRunnerArguments() if args.room_url.endswith("/over"):
            pass
        case _:
            await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(runner.main(bot_path="tests.support.tiny_server:bot"))
