"""What Pipecat 1.14.0's Gemini Live service does, and what ours does instead.

A test of Pipecat's own behaviour that fails means that upstream has mended it: ours can go.
"""

import asyncio
import io
from typing import Any

import pytest
from google.genai.types import Content, LiveServerContent, LiveServerMessage, Part, UsageMetadata
from google.genai.types import Transcription as GenaiTranscription
from PIL import Image
from pipecat.frames.frames import (
    Frame,
    InputImageRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    TranscriptionFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserImageRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.tests.utils import run_test
from pipecat.workers.runner import WorkerRunner
from websockets.exceptions import ConnectionClosedError

from pipeline.frames import ModelSawFrame, PictureTurnFrame
from pipeline.live_service import LiveService, http_options
from pipeline.pictures import Picture
from tests.support.understudies import understudy_in


class Session:
    """In the place of the SDK's session: remembers what is sent."""

    def __init__(self, *, closed: bool = False):
        self.sent: list[dict[str, Any]] = []
        self._closed = closed

    async def send_realtime_input(self, **what: Any) -> None:
        if self._closed:
            raise ConnectionClosedError(None, None)
        self.sent.append(what)

    async def send_client_content(self, **what: Any) -> None:
        self.sent.append({"content": what})


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


def rgb_frame() -> InputImageRawFrame:
    return InputImageRawFrame(image=bytes(8 * 6 * 3), size=(8, 6), format="RGB")


# --- the connection --------------------------------------------------------------------------------


async def errors_and_usability(service: GeminiLiveLLMService) -> tuple[list[str], bool]:
    """What a pipeline hears within two seconds of a service that can't connect."""
    errors: list[str] = []
    worker = PipelineWorker(Pipeline([service]), enable_rtvi=False)

    @worker.event_handler("on_pipeline_error")
    async def on_pipeline_error(worker, frame):
        errors.append(frame.error)

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(2)
    usable = service.is_usable
    await worker.cancel()
    await running
    return errors, usable


async def test_pipecats_service_says_nothing_when_the_key_is_refused(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path):
        service = GeminiLiveLLMService(
            api_key="invalid", http_options=http_options(connect_timeout_s=2)
        )
        errors, usable = await errors_and_usability(service)
    assert errors == [] and usable


async def test_ours_says_it_and_is_no_longer_usable(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path):
        service = LiveService(api_key="invalid", connect_timeout_s=2)
        errors, usable = await errors_and_usability(service)
    assert errors == ["Gemini refused the API key. Check GOOGLE_API_KEY."] and not usable


async def test_ours_ends_the_turn_that_a_drop_cuts():
    service = ours()
    connected(service)
    pushed = Pushed(service)
    service._bot_is_responding = True
    await service._leave_session()
    assert not service._bot_is_responding
    assert pushed.of(TTSStoppedFrame) and pushed.of(LLMFullResponseEndFrame)


async def test_pipecats_service_pushes_an_error_for_each_message_that_a_closed_link_refuses():
    service = pipecats()
    connected(service, Session(closed=True))
    errors = []
    service.push_error = lambda **what: _note(errors, what)  # pyright: ignore
    for _ in range(3):
        await service._send_user_text("hello")
    assert len(errors) == 3


async def test_ours_leaves_that_to_the_one_who_receives():
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


async def test_pipecats_service_drops_typed_text_while_there_is_no_connection():
    service = pipecats()
    await service._send_user_text("hello")
    session = connected(service)
    await service._handle_session_ready(session)  # pyright: ignore
    assert session.sent == []


async def test_ours_sends_it_when_there_is_one():
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


async def test_pipecats_service_takes_one_frame_a_second_of_all_sources_together():
    service = pipecats()
    session = connected(service)
    for _ in range(3):
        await service._send_user_video(rgb_frame())
    assert len(session.sent) == 1


async def test_ours_sends_each_frame_that_it_is_given_and_says_so():
    service = ours()
    session = connected(service)
    pushed = Pushed(service)
    for _ in range(3):
        await service._send_user_video(jpeg_frame())
    assert [list(sent) for sent in session.sent] == [["video"]] * 3
    assert len(pushed.of(ModelSawFrame)) == 3


async def test_pipecats_service_takes_an_uploaded_picture_for_raw_pixels():
    service = pipecats()
    session = connected(service)
    with pytest.raises(ValueError, match="mode"):
        await service._send_user_video(
            UserImageRawFrame(image=jpeg_frame().image, size=(0, 0), format="image/jpeg")
        )
    assert session.sent == []


async def test_pipecats_user_aggregator_gives_the_service_nothing_to_send_of_typed_text():
    aggregator = LLMContextAggregatorPair(LLMContext()).user()
    typed = LLMMessagesAppendFrame(messages=[{"role": "user", "content": "hello"}], run_llm=True)
    down, _ = await run_test(aggregator, frames_to_send=[typed])
    (context_frame,) = [frame for frame in down if isinstance(frame, LLMContextFrame)]
    service = pipecats()
    service._context = LLMContext()
    session = connected(service)
    await service._handle_context(context_frame.context)
    assert session.sent == []


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


async def test_ours_keeps_a_question_whole_whose_words_come_during_the_answer():
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


async def test_an_answer_to_what_was_typed_after_the_last_word_is_not_dropped():
    service = ours()
    pushed = Pushed(service)
    await service._handle_server_message(said("Done."))
    complete = LiveServerMessage(server_content=LiveServerContent(generation_complete=True))
    await service._handle_server_message(complete)
    await service._handle_interruption()
    await service._handle_server_message(said("You typed."))
    assert [frame.text for frame in pushed.of(TTSTextFrame)] == ["Done.", "You typed."]


async def usage_seen(service: GeminiLiveLLMService) -> int:
    """How many times usage that comes in a message of its own is reported."""
    Pushed(service)
    usage = UsageMetadata(prompt_token_count=5, response_token_count=7, total_token_count=12)
    counts = []
    service.start_llm_usage_metrics = lambda tokens: _note(counts, tokens)  # pyright: ignore
    await service._handle_server_message(LiveServerMessage(usage_metadata=usage))
    turn = Content(role="model", parts=[Part(text="x", thought=True)])
    content = LiveServerContent(model_turn=turn, turn_complete=True)
    await service._handle_server_message(
        LiveServerMessage(server_content=content, usage_metadata=usage)
    )
    return len(counts)


async def test_pipecats_service_reads_usage_only_where_a_turn_completes():
    assert await usage_seen(pipecats()) == 1


async def test_ours_reads_it_wherever_it_comes_and_once():
    assert await usage_seen(ours()) == 2
