import asyncio
import base64
import io
from typing import Any, cast

import pytest
from PIL import Image
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputTextRawFrame,
    UserFileRawFrame,
    UserImageRawFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame, RTVIServerMessageFrame
from pipecat.tests.utils import run_test
from pipecat.utils.file_resolver import FileResolver
from pipecat.utils.file_storage import LocalFileStorage

from pipeline.frames import PictureTurnFrame
from pipeline.picture_decoder import Picture
from processors import image_injector
from processors.image_injector import DEFAULT_CAPTION, ImageInjector
from processors.text_bridge import TextBridge
from serving.session_files import SessionFiles
from tests.support.pictures import PLACE, placed


def png(color: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def sent_bytes(data: bytes, caption: str | None = "What colour?") -> UserImageRawFrame:
    """As `RTVIProcessor` makes it of a picture in a `send-file` message."""
    return UserImageRawFrame(
        image=data, size=(0, 0), format="image/png", text=caption, append_to_context=True
    )


def sent_url(url: str, name: str | None = "photo.png", caption: str = "") -> UserFileRawFrame:
    """As `RTVIProcessor` makes it of an upload's address in a `send-file` message."""
    return UserFileRawFrame(
        file=url,
        type="url",
        filename=name,
        format="image/png",
        text=caption,
        append_to_context=True,
    )


class PatientInjector(ImageInjector):
    """Lets the test end when there is nothing to do any more, not while pictures are decoded."""

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        if isinstance(frame, EndFrame):
            while self._busy or not self._jobs.empty():
                await asyncio.sleep(0.01)
        await super().process_frame(frame, direction)


async def injected(*frames, files: FileResolver | None = None):
    context = LLMContext()
    injector = PatientInjector(context=context, files=files or FileResolver())
    down, _ = await run_test(injector, frames_to_send=frames)
    return down, context


def turns(frames) -> list[PictureTurnFrame]:
    return [frame for frame in frames if isinstance(frame, PictureTurnFrame)]


def told(frames) -> list[dict]:
    return [frame.data for frame in frames if isinstance(frame, RTVIServerMessageFrame)]


async def test_a_picture_and_its_caption_are_one_turn():
    down, _ = await injected(sent_bytes(png()))
    (turn,) = turns(down)
    assert turn.caption == "What colour?"
    assert (turn.picture.width, turn.picture.height) == (40, 30)
    assert Image.open(io.BytesIO(turn.picture.jpeg)).format == "JPEG"


async def test_it_is_in_the_context_once_with_its_caption():
    _, context = await injected(sent_bytes(png()))
    (message,) = context.get_messages()
    content: Any = cast(dict[str, Any], message)["content"]
    text, image = content
    assert text == {"type": "text", "text": "What colour?"}
    assert image["image_url"]["url"].startswith("data:image/jpeg;base64,")


async def test_an_upload_is_found_by_its_address_and_named(tmp_path):
    storage = LocalFileStorage(str(tmp_path))
    url = await storage.save("photo.png", png())
    down, _ = await injected(sent_url(url), files=FileResolver(file_storage=storage))
    (turn,) = turns(down)
    assert (turn.filename, turn.caption) == ("photo.png", DEFAULT_CAPTION)
    assert list(tmp_path.iterdir()) == []  # read once, then gone


async def test_what_the_server_has_cleaned_is_shown_as_it_is(tmp_path, monkeypatch):
    files = SessionFiles(tmp_path / "files")
    files.create()
    url = await files.save("photo.png", png())
    jpeg = await files.load(url)
    monkeypatch.setattr(image_injector, "clean_picture", None)
    down, _ = await injected(sent_url(url), files=FileResolver(file_storage=files))
    (turn,) = turns(down)
    assert turn.picture == Picture(jpeg=jpeg, width=40, height=30)
    assert list(files.folder.iterdir()) == []


async def test_beside_such_files_what_comes_otherwise_is_cleaned_all_the_same(tmp_path):
    files = SessionFiles(tmp_path / "files")
    files.create()
    url = "data:image/jpeg;base64," + base64.b64encode(placed("JPEG")).decode()
    down, _ = await injected(sent_url(url), files=FileResolver(file_storage=files))
    (turn,) = turns(down)
    assert PLACE not in turn.picture.jpeg


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo.png", "photo.png"),
        ("/etc/passwd", "passwd"),
        ("C:\\pictures\\me.jpg", "me.jpg"),
        ("a\r\nb\x1b[31m\u202ec.png", "a  b [31m c.png"),
        ("x" * 1000, "x" * 100),
        ("\n", "The file"),
        (None, "The file"),
    ],
)
async def test_a_name_is_shown_without_what_is_not_its_own(name, shown):
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    down, _ = await injected(sent_url(url, name=name))
    assert turns(down)[0].filename == shown


async def test_pictures_come_in_the_order_in_which_they_were_sent():
    large, small = png("red", (3000, 2000)), png("blue", (8, 8))
    down, _ = await injected(sent_bytes(large, "first"), sent_bytes(small, "second"))
    assert [turn.caption for turn in turns(down)] == ["first", "second"]


async def test_what_is_typed_after_a_picture_stays_after_it():
    large = png("red", (3000, 2000))
    down, _ = await injected(sent_bytes(large), InputTextRawFrame(text="and now?"))
    kinds = [type(f) for f in down if isinstance(f, PictureTurnFrame | InputTextRawFrame)]
    assert kinds == [PictureTurnFrame, InputTextRawFrame]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (sent_bytes(b"%PDF-1.7"), "not a JPEG"),
        (sent_bytes(png()[:50]), "broken"),
        (sent_url("data:text/plain;base64," + base64.b64encode(b"hello").decode()), "not a JPEG"),
        (sent_url("data:image/png;base64,####"), "The upload is gone|not a JPEG"),
        (sent_url("https://example.com/a.png"), "not a link"),
        (sent_url("http://169.254.169.254/latest"), "not a link"),
        (sent_url("file:///etc/passwd"), "not a link"),
        (sent_url("pipecat:" + "0" * 32), "The upload is gone"),
        (sent_url("pipecat:../../etc/passwd"), "The upload is gone"),
    ],
    ids=["pdf", "half", "text", "base64", "https", "metadata", "file", "gone", "path"],
)
async def test_what_cannot_be_shown_is_told_in_a_sentence(frame, why, tmp_path):
    files = FileResolver(file_storage=LocalFileStorage(str(tmp_path)))
    down, context = await injected(frame, files=files)
    assert turns(down) == []
    assert context.get_messages() == []
    (message,) = told(down)
    assert message["type"] == "picture" and message["state"] == "refused"
    assert any(part in message["text"] for part in why.split("|"))


async def test_a_refused_picture_does_not_stop_the_next_one():
    down, _ = await injected(sent_bytes(b"nothing"), sent_bytes(png()))
    assert len(turns(down)) == 1


async def test_typed_text_becomes_input_for_the_model():
    sent = [RTVISendTextFrame(msg_id="1", text="hello"), RTVISendTextFrame(msg_id="2", text="  ")]
    down, _ = await run_test(TextBridge(), frames_to_send=sent)
    (text,) = [f for f in down if isinstance(f, InputTextRawFrame)]
    assert text.text == "hello" and not text.append_to_context, "it is not the bot who says it"
    assert [f for f in down if isinstance(f, RTVISendTextFrame)] == sent


async def test_no_task_is_left():
    before = asyncio.all_tasks()
    await injected(sent_bytes(png()))
    assert asyncio.all_tasks() == before
