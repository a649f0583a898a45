"""A relay: raw audio and JPEGs from a WebSocket to google-genai, raw audio back, nothing else."""

import argparse
import asyncio

from google import genai
from google.genai import types
from websockets.asyncio.server import ServerConnection, serve

MODEL = "gemini-3.8-live"
AUDIO, PICTURE = 0, 1
"""What a message begins with."""


async def carry(socket: ServerConnection) -> None:
    """Carries a conversation until the caller hangs up."""
    config = types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO])
    async with genai.Client().aio.live.connect(model=MODEL, config=config) as session:

        async def back() -> None:
            while True:
                async for message in session.receive():
                    if message.data:
                        await socket.send(message.data)

        task = asyncio.create_task(back())
        try:
            async for message in socket:
                kind, data = message[0], message[1:]
                if kind == AUDIO:
                    blob = types.Blob(data=data, mime_type="audio/pcm;rate=16000")
                    await session.send_realtime_input(audio=blob)
                elif kind == PICTURE:
                    blob = types.Blob(data=data, mime_type="image/jpeg")
                    await session.send_realtime_input(video=blob)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def main() -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    async with serve(carry, arguments.host, arguments.port, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
