"""A picture that the user sends reaches the model: once, with its caption, in one turn.

Pipecat 1.14 loses them: bytes that the page sends become a `UserImageRawFrame` with an encoded
image in it, which the service takes for raw pixels and refuses; an upload's URL goes into the
context only, which the service never sends.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable

from loguru import logger
from pipecat.frames.frames import Frame, InputTextRawFrame, UserFileRawFrame, UserImageRawFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.utils.file_resolver import FileResolver, FileResolverError

from pipeline.file_name import shown_name
from pipeline.frames import PictureTurnFrame
from pipeline.live_input import picture_message
from pipeline.picture_decoder import Picture, PictureError
from pipeline.picture_process import clean_picture
from pipeline.pictures import PICTURE_THREADS
from processors.worker import WorkingProcessor

DEFAULT_CAPTION = "Here is a picture. Say what you see."


class ImageInjector(WorkingProcessor):
    """Makes each picture that the user sends one turn for the model.

    Its place is between the user aggregator and the service. It takes Pipecat's `send-file`
    frames (`UserImageRawFrame` with bytes, `UserFileRawFrame` with a URL), has each decoded in
    a process of its own, unless it comes from a storage in which there are only pictures that were
    (`holds_clean_pictures`), and pushes a `PictureTurnFrame` for the service. A picture that can't be
    used is answered with one sentence to the page. What is typed after a picture stays after it.

    Args:
        context: Gets one user message for each picture, with the caption.
        files: Where uploads wait; only what it stores itself is read, never a URL of somebody
            else's.
    """

    def __init__(self, *, context: LLMContext, files: FileResolver):
        super().__init__()
        self._context = context
        self._files = files
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._busy = False

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take pictures and files; pass everything else on."""
        await super().process_frame(frame, direction)
        match frame:
            case UserFileRawFrame():
                self._jobs.put_nowait(functools.partial(self._inject_file, frame))
            case UserImageRawFrame() if frame.append_to_context:
                self._jobs.put_nowait(functools.partial(self._inject_image, frame))
            case InputTextRawFrame() if self._busy or not self._jobs.empty():
                self._jobs.put_nowait(functools.partial(self.push_frame, frame, direction))
            case _:
                await self.push_frame(frame, direction)

    async def work(self):
        """Take the next picture, or what was typed after one."""
        job = await self._jobs.get()
        self._busy = True
        try:
            await job()
        finally:
            self._busy = False

    async def _inject_file(self, frame: UserFileRawFrame):
        name = shown_name(frame.filename, "The file")
        is_inline = frame.file.startswith("data:")
        if not is_inline and "://" in frame.file:
            return await self._refuse(name, "Only an uploaded picture can be shown, not a link.")
        try:
            data = await self._files.fetch(frame.file)
        except FileResolverError as error:
            logger.warning(f"{self}: {error}")
            return await self._refuse(name, "The upload is gone. Please send the picture again.")
        self._files.forget(frame.file)
        is_clean = getattr(self._files.file_storage, "holds_clean_pictures", False)
        if is_clean and not is_inline:
            loop = asyncio.get_running_loop()
            picture = loop.run_in_executor(PICTURE_THREADS, Picture.of, data)
        else:
            picture = clean_picture(data)
        await self._inject(name, frame.text, picture)

    async def _inject_image(self, frame: UserImageRawFrame):
        await self._inject("The picture", frame.text, clean_picture(frame.image))

    async def _inject(self, name: str, text: str | None, preparing: Awaitable[Picture]):
        try:
            picture = await preparing
        except PictureError as error:
            return await self._refuse(name, str(error))
        except Exception:
            logger.exception(f"{self}: a picture could not be prepared")
            return await self._refuse(name, "The picture is broken: it could not be read.")
        caption = (text or "").strip() or DEFAULT_CAPTION
        await self._context.add_image_frame_message(
            format="image/jpeg",
            size=(picture.width, picture.height),
            image=picture.jpeg,
            text=caption,
        )
        await self.push_frame(PictureTurnFrame(picture=picture, caption=caption, filename=name))

    async def _refuse(self, name: str, why: str):
        await self.push_frame(RTVIServerMessageFrame(picture_message("refused", name, why)))
