"""The service, message by message; `framework` sets it against Pipecat's own, on the wire."""

import asyncio
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from google.genai.live import AsyncSession
from google.genai.types import Blob, Content, LiveServerContent, LiveServerMessage, Part
from google.genai.types import Transcription as GenaiTranscription
from PIL import Image
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InputImageRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.services.llm_service import FunctionCallRunnerItem
from websockets.exceptions import ConnectionClosedError

from pipeline.frames import ModelSawFrame, PictureTurnFrame
from pipeline.live_client import http_options
from pipeline.live_input import _audio_message
from pipeline.live_service import LiveService
from pipeline.patience import TELL_S, Silence
from pipeline.picture_decoder import Picture
from pipeline.waiting import Audio


class Session:
    """In the place of the SDK's session: remembers what is sent."""

    def __init__(self, *, closed: bool = False):
        self.sent: list[dict[str, Any]] = []
        self._closed = closed
        self._ws = self

    async def send(self, message: str) -> None:
        await self.send_realtime_input(**json.loads(message)["realtime_input"])

    async def send_realtime_input(self, **what: Any) -> None:
        if self._closed:
            raise ConnectionClosedError(None, None)
        self.sent.append(what)

    async def send_client_content(self, **what: Any) -> None:
        self.sent.append({"content": what})

    async def close(self) -> None:
        self._closed = True


class Pushed:
    """Takes down what a service pushes, instead of the rest of a pipeline."""

    def __init__(self, service: GeminiLiveLLMService):
        self.frames: list[Frame] = []
        service.push_frame = self.push  # pyright: ignore

    async def push(self, frame: Frame, direction=FrameDirection.DOWNSTREAM) -> None:
        self.frames.append(frame)

    def of(self, kind: type) -> list[Any]:
        return [frame for frame in self.frames if isinstance(frame, kind)]


def pipecats() -> GeminiLiveLLMService:
    return GeminiLiveLLMService(api_key="key", http_options=http_options(connect_timeout_s=2))


def ours(model: str = "models/gemini-3.8-live") -> LiveService:
    settings = LiveService.Settings(model=model)
    return LiveService(api_key="key", connect_timeout_s=2, settings=settings)


def connected(service: GeminiLiveLLMService, session: Session | None = None) -> Session:
    session = session or Session()
    service._session = session  # pyright: ignore
    service._ready_for_realtime_input = True
    return session


def jpeg_frame() -> InputImageRawFrame:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "JPEG")
    return InputImageRawFrame(image=buffer.getvalue(), size=(8, 6), format="image/jpeg")


# --- the connection --------------------------------------------------------------------------------


async def test_a_closed_connection_is_left_to_the_one_who_receives():
    service = ours()
    connected(service, Session(closed=True))
    errors = []
    service.push_error = lambda *what, **more: _note(errors, what)  # pyright: ignore
    for _ in range(3):
        await service._send_user_text("hello")
        await service._send_user_video(jpeg_frame())
    assert errors == []


async def _note(errors: list, what: Any) -> None:
    errors.append(what)


# --- what the user sends ---------------------------------------------------------------------------


async def test_typed_text_is_sent_when_there_is_a_connection():
    service = ours()
    await service._send_user_text("one")
    await service._send_user_text("two")
    session = connected(service)
    await service._handle_session_ready(session)  # pyright: ignore
    assert session.sent == [{"text": "one"}, {"text": "two"}]


async def test_what_a_closing_connection_refuses_goes_over_the_next_one_in_order():
    service = ours()
    pushed = Pushed(service)
    connected(service, Session(closed=True))
    await service._send_user_text("one")
    await service._send_user_text("two")
    assert not pushed.frames
    session = connected(service)
    await service._handle_session_ready(session)  # pyright: ignore
    assert session.sent == [{"text": "one"}, {"text": "two"}]


async def test_each_frame_that_is_given_is_sent_and_told():
    service = ours()
    session = connected(service)
    pushed = Pushed(service)
    for _ in range(3):
        await service._send_user_video(jpeg_frame())
    assert [list(sent) for sent in session.sent] == [["video"]] * 3
    assert len(pushed.of(ModelSawFrame)) == 3


def picture_turn() -> PictureTurnFrame:
    picture = Picture(jpeg=b"jpeg", width=8, height=6)
    return PictureTurnFrame(picture=picture, caption="What is it?", filename="a.png")


@pytest.mark.parametrize(
    "model", ["gemini-3.8-live", "gemini-2.5-flash-native-audio-preview-12-2025"]
)
async def test_a_picture_and_its_caption_are_one_content_turn(model):
    service = ours(f"models/{model}")
    session = connected(service)
    pushed = Pushed(service)
    await service._send_or_hold(service._picture_turn(picture_turn()))  # pyright: ignore
    (sent,) = session.sent
    image, text = sent["content"]["turns"].parts
    assert sent["content"]["turn_complete"] is True
    assert (image.inline_data.mime_type, text.text) == ("image/jpeg", "What is it?")
    (saw,) = pushed.of(ModelSawFrame)
    assert (saw.source, saw.filename, saw.caption) == ("upload", "a.png", "What is it?")


async def test_a_model_that_refuses_content_gets_the_picture_before_the_caption():
    service = ours("models/gemini-3.1-flash-live-preview")
    session = connected(service)
    Pushed(service)
    await service._send_or_hold(service._picture_turn(picture_turn()))  # pyright: ignore
    assert [list(sent) for sent in session.sent] == [["video"], ["text"]]


# --- what the model sends --------------------------------------------------------------------------


def heard(text: str) -> LiveServerMessage:
    transcription = GenaiTranscription(text=text)
    return LiveServerMessage(server_content=LiveServerContent(input_transcription=transcription))


def said(text: str) -> LiveServerMessage:
    transcription = GenaiTranscription(text=text)
    return LiveServerMessage(server_content=LiveServerContent(output_transcription=transcription))


async def order_of_transcripts(service: GeminiLiveLLMService) -> list[str]:
    """Who is heard first when the answer follows the question at once."""
    pushed = Pushed(service)
    service.create_task = lambda coroutine, *_: coroutine.close()  # pyright: ignore
    await service._handle_server_message(heard("what is this"))
    await service._handle_server_message(said("A cup."))
    kinds = [type(frame).__name__ for frame in pushed.frames]
    return [kind for kind in kinds if kind in ("TranscriptionFrame", "TTSTextFrame")]


async def test_pipecats_service_lets_a_quick_answer_come_before_the_question():
    assert await order_of_transcripts(pipecats()) == ["TTSTextFrame"]


async def test_ours_settles_the_question_first():
    assert await order_of_transcripts(ours()) == ["TranscriptionFrame", "TTSTextFrame"]


async def test_a_question_is_kept_whole_whose_words_come_during_the_answer():
    service = ours()
    pushed = Pushed(service)
    service.create_task = lambda coroutine, *_: coroutine.close()  # pyright: ignore
    for message in (heard(" What is the"), said("It"), heard(" wea"), said(" is"), heard("ther?")):
        await service._handle_server_message(message)
    words = [frame.text for frame in pushed.of(TranscriptionFrame)]
    assert words == ["What is the", "weather?"]


async def test_the_rest_of_an_answer_that_was_cut_here_is_not_played_again():
    service = ours()
    pushed = Pushed(service)
    await service._handle_server_message(said("One, two,"))
    await service._handle_interruption()
    await service._handle_server_message(said(" three,"))
    interrupted = LiveServerMessage(server_content=LiveServerContent(interrupted=True))
    service.broadcast_interruption = lambda: _note([], None)  # pyright: ignore
    await service._handle_server_message(interrupted)
    await service._handle_server_message(said("You typed."))
    texts = [frame.text for frame in pushed.of(TTSTextFrame)]
    assert texts == ["One, two,", "You typed."]


def complete() -> LiveServerMessage:
    return LiveServerMessage(server_content=LiveServerContent(turn_complete=True))


async def is_in_a_turn_after_late_words(service: GeminiLiveLLMService) -> tuple[bool, list[str]]:
    """Whether a turn is open after words that came behind theirs, and all words that were pushed."""
    pushed = Pushed(service)
    for message in (said("One,"), complete(), said(" two.")):
        await service._handle_server_message(message)
    return service._bot_is_responding, [frame.text for frame in pushed.of(TTSTextFrame)]


async def test_pipecats_service_opens_a_turn_for_words_that_come_after_theirs():
    assert await is_in_a_turn_after_late_words(pipecats()) == (True, ["One,", " two."])


async def test_ours_adds_them_to_the_turn_that_is_over():
    assert await is_in_a_turn_after_late_words(ours()) == (False, ["One,", " two."])


async def interruptions_between_turns(service: GeminiLiveLLMService) -> int:
    """How often playing is cut off by an interruption after a turn in which nobody was heard."""
    Pushed(service)
    cut: list[None] = []
    service.broadcast_interruption = lambda: _note(cut, None)  # pyright: ignore
    interrupted = LiveServerMessage(server_content=LiveServerContent(interrupted=True))
    for message in (said("One,"), complete(), interrupted):
        await service._handle_server_message(message)
    return len(cut)


async def test_pipecats_service_cuts_off_the_end_of_an_answer_that_nobody_interrupts():
    assert await interruptions_between_turns(pipecats()) == 1


async def test_ours_lets_it_be_heard():
    assert await interruptions_between_turns(ours()) == 0


def speech(pcm: bytes) -> LiveServerMessage:
    part = Part(inline_data=Blob(data=pcm, mime_type="audio/pcm;rate=24000"))
    turn = Content(role="model", parts=[part])
    return LiveServerMessage(server_content=LiveServerContent(model_turn=turn))


async def test_an_interruption_before_the_answer_does_not_end_the_question():
    service = ours()
    Pushed(service)
    service.broadcast_interruption = lambda: _note([], None)  # pyright: ignore
    service._exchange.user_began()
    interrupted = LiveServerMessage(server_content=LiveServerContent(interrupted=True))
    await service._handle_server_message(interrupted)
    assert service._exchange.is_open and service._is_busy


async def test_after_the_answer_what_was_typed_during_it_is_waited_for():
    service = ours()
    Pushed(service)
    connected(service)
    await service._send_user_text("first")
    await service._handle_server_message(said("One."))
    await service._send_user_text("second")
    generated = LiveServerMessage(server_content=LiveServerContent(generation_complete=True))
    await service._handle_server_message(generated)
    await service._handle_server_message(complete())
    now_s = asyncio.get_running_loop().time()
    assert service._patience.check(now_s + TELL_S) is Silence.SLOW


async def test_an_uh_huh_during_an_answer_keeps_the_line_from_nothing():
    service = ours()
    Pushed(service)
    connected(service)
    await service._send_user_text("first")
    await service._handle_server_message(said("One."))
    service._exchange.user_began()
    await service._send_user_audio(InputAudioRawFrame(bytes(640), 16_000, 1))
    await service._handle_server_message(complete())
    assert not service._is_busy


async def test_the_speech_of_a_session_is_not_kept():
    for service, kept in ((pipecats(), 4_800), (ours(), 0)):
        Pushed(service)
        await service._handle_server_message(speech(bytes(4_800)))
        assert len(service._bot_audio_buffer) == kept


async def test_half_a_sample_of_one_connection_is_not_put_before_the_next():
    service = ours()
    connected(service)
    pushed = Pushed(service)
    await service._handle_server_message(speech(b"\x01\x00\x02"))
    await service._leave_session()
    await service._handle_server_message(speech(b"\x03\x00"))
    assert [frame.audio for frame in pushed.of(TTSAudioRawFrame)] == [b"\x01\x00", b"\x03\x00"]
    await service.cleanup()
    assert service._turn_watch is None


async def test_a_microphone_that_goes_off_while_there_is_no_connection_is_told_of_later():
    service = ours()
    await service._send_user_audio(InputAudioRawFrame(bytes(640), 16_000, 1))
    await service._end_stream()
    session = connected(service)
    await service._send_waiting()
    assert [[*sent] for sent in session.sent] == [["audio"], ["audio_stream_end"]]
    await service._send_waiting()
    assert len(session.sent) == 2, "it is told once"
    await service.cleanup()


async def test_the_model_is_told_of_a_function_that_something_else_has_cancelled():
    service = ours()
    told: list[tuple[str, str, dict]] = []

    async def send_tool_response(*, function_responses):
        told.append((function_responses.id, function_responses.name, function_responses.response))

    session = connected(service)
    session.send_tool_response = send_tool_response  # pyright: ignore
    Pushed(service)
    item = FunctionCallRunnerItem(
        registry_item=None,  # pyright: ignore - not looked at
        function_name="look_up",
        tool_call_id="1",
        arguments={},
        context=LLMContext(),
    )
    for _ in range(2):
        await service._broadcast_function_call_cancelled(item)
    assert told == [("1", "look_up", {"value": "CANCELLED"})]


async def test_an_answer_to_what_was_typed_after_the_last_word_is_not_dropped():
    service = ours()
    pushed = Pushed(service)
    await service._handle_server_message(said("Done."))
    complete = LiveServerMessage(server_content=LiveServerContent(generation_complete=True))
    await service._handle_server_message(complete)
    await service._handle_interruption()
    await service._handle_server_message(said("You typed."))
    assert [frame.text for frame in pushed.of(TTSTextFrame)] == ["Done.", "You typed."]


async def test_sound_is_written_as_the_sdk_writes_it():
    written: list[str] = []

    class Socket:
        async def send(self, message: str) -> None:
            written.append(message)

    live = AsyncSession(SimpleNamespace(vertexai=False), Socket())  # pyright: ignore
    sound = Audio(bytes(range(256)), 16_000)
    await live.send_realtime_input(audio=Blob(data=sound.pcm, mime_type="audio/pcm;rate=16000"))
    assert written == [_audio_message(sound)]
