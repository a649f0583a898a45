"""A room as its session sees it, with a transport that notes what it is asked to do."""

import base64
from typing import Any

import pytest
from pipecat.frames.frames import InputTransportMessageFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frameworks.rtvi import RTVIProcessor

from pipeline.network_stats import NetworkStats
from pipeline.rooms.picture_pieces import MAX_PIECES
from pipeline.rooms.presenting import CHANGE_S
from pipeline.rooms.room import Room


class Daily:
    """In the place of a `DailyTransport`, of its input, its output, and its clients."""

    def __init__(self):
        self.captured: list[tuple[str, str]] = []
        self.released: list[tuple[str, str]] = []
        self.pushed: list[tuple[Any, str]] = []
        self.sent: list[tuple[Any, str]] = []
        self.chat: list[tuple[str, str]] = []
        self.handlers: dict[str, Any] = {}
        self.stats: Any = {}
        self._client = self
        self.get_network_stats = lambda: self.stats

    def input(self) -> "Daily":
        return self

    output = input

    def event_handler(self, name: str):
        return lambda handler: self.handlers.__setitem__(name, handler)

    async def push_app_message(self, message: Any, sender: str):
        self.pushed.append((message, sender))

    async def send_message(self, frame: Any):
        self.sent.append((frame.message, frame.participant_id))

    async def send_prebuilt_chat_message(self, message: str, user_name: str):
        self.chat.append((message, user_name))

    async def capture_participant_video(self, who: str, framerate: int, source: str):
        self.captured.append((who, source))

    async def update_subscriptions(self, participant_settings: dict[str, Any]):
        for who, settings in participant_settings.items():
            for source, state in settings["media"].items():
                assert state == "unsubscribed"
                self.released.append((who, source))


class Visit:
    """A room with its session, and a clock that a test moves."""

    def __init__(self, *names: str):
        self.daily = Daily()
        self.now_s = 100.0
        self.told: list[dict[str, Any]] = []
        self.welcomed = self.emptied = 0
        self.line: list[NetworkStats] = []
        transport: Any = self.daily
        self.room = Room(
            transport=transport, grace_s=5, name="s", title="Companion", clock=lambda: self.now_s
        )
        self.room.serve(
            tell=self._tell,
            welcome=self._welcome,
            line_is=self.line.append,
            emptied=self._emptied,
        )
        for name in names:
            self.room.joined(participant(name))

    async def _tell(self, message: dict[str, Any]):
        self.told.append(message)

    async def _welcome(self):
        self.welcomed += 1

    async def _emptied(self):
        self.emptied += 1

    async def message(self, message: Any, sender: str = "ana"):
        await self.daily.push_app_message(message, sender)

    async def look(self, after_s: float = 0.0):
        self.now_s += after_s
        self.daily.captured, self.daily.released = [], []
        await self.room.look()
        return self.daily.captured, self.daily.released


def participant(name: str, *, camera: str = "receivable", screen: str = "off") -> dict[str, Any]:
    media = {"camera": {"state": camera}, "screenVideo": {"state": screen}}
    return {"id": name.lower(), "info": {"userName": name}, "media": media}


def rtvi(type: str, data: Any = None) -> dict[str, Any]:
    return {"label": "rtvi-ai", "type": type, "id": "1", "data": data}


def piece(**fields: Any) -> dict[str, Any]:
    told = {"id": "p", "piece": 0, "of": 1, "data": base64.b64encode(b"abc").decode()} | fields
    return rtvi("client-message", {"t": "picture", "d": told})


def contents(context: LLMContext) -> list[str]:
    return [
        str(message.get("content")) for message in context.messages if isinstance(message, dict)
    ]


# --- who is here ----------------------------------------------------------------------------------


def test_the_room_is_empty_when_the_last_person_has_left_not_when_any_has():
    visit = Visit("Ana", "Ben")
    assert not visit.room.left(participant("Ana"))
    assert visit.room.left(participant("Ben"))


def test_a_room_that_nobody_has_been_in_is_not_left():
    visit = Visit()
    recorder = {"id": "r", "info": {"permissions": {"hasPresence": False}}}
    assert not visit.room.joined(recorder)
    assert not visit.room.left(recorder)


def test_a_recorder_keeps_nobody_waiting():
    visit = Visit("Ana")
    assert not visit.room.joined({"id": "r", "info": {"permissions": {"hasPresence": False}}})
    assert visit.room.left(participant("Ana"))


async def test_a_bot_keeps_nobody_waiting_either():
    visit = Visit("Ana", "Helper")
    await visit.message(rtvi("bot-ready", {"version": "1"}), "helper")
    assert visit.emptied == 0 and visit.daily.pushed == []
    assert visit.room.left(participant("Ana"))
    await Visit("Helper").message(rtvi("bot-ready"), "helper")


async def test_who_turns_out_to_be_a_bot_may_have_been_the_last_person():
    visit = Visit("Helper")
    await visit.message(rtvi("bot-output"), "helper")
    assert visit.emptied == 1


def test_the_model_is_told_who_is_here_before_the_greeting():
    visit, context = Visit("Ana", "Ben"), LLMContext([{"role": "developer", "content": "Greet."}])
    visit.room.introduce(context)
    names, greeting = context.messages
    assert isinstance(names, dict) and "Ana, Ben" in str(names.get("content"))
    assert greeting == {"role": "developer", "content": "Greet."}


async def test_what_a_new_link_is_seeded_with_is_who_is_here_by_then():
    visit, context = Visit("Ana"), LLMContext([{"role": "developer", "content": "Greet."}])
    visit.room.introduce(context)
    context.add_message({"role": "user", "content": "Hello"})
    visit.room.joined(participant("Ben"))
    renamed = participant("Ben") | {"info": {"userName": "Benedict"}}
    await visit.daily.handlers["on_participant_updated"](visit.daily, renamed)
    assert "Ana, Benedict" in contents(context)[0]
    assert contents(context)[1:] == ["Greet.", "Hello"]
    visit.room.left(participant("Ana"))
    visit.room.left(renamed)
    assert contents(context) == ["Greet.", "Hello"]


# --- who is seen ----------------------------------------------------------------------------------


async def test_of_somebody_alone_both_are_taken_as_soon_as_they_come():
    visit = Visit()
    visit.room.joined(participant("Ana", camera="off"))
    captured, _ = await visit.look()
    assert captured == [("ana", "camera"), ("ana", "screenVideo")]
    assert visit.room.is_shown("ana", "camera")


async def test_of_several_only_what_is_shown_is_taken_from_daily():
    visit = Visit("Ana")
    await visit.look()
    visit.room.joined(participant("Ben", screen="receivable"))
    captured, released = await visit.look()
    assert captured == [("ben", "screenVideo")]
    assert released == [("ana", "screenVideo")]
    assert await visit.look() == ([], [])


async def test_the_camera_follows_who_speaks_and_the_former_is_given_back():
    visit = Visit("Ana", "Ben")
    await visit.look()
    await visit.room._speaks("ben")
    captured, released = await visit.look(CHANGE_S + 1)
    assert (captured, released) == ([("ben", "camera")], [("ana", "camera")])
    assert visit.told == [{"type": "speaker", "name": "Ben"}]
    await visit.room._speaks(None)
    assert visit.told[-1] == {"type": "speaker", "name": None}


async def test_daily_says_when_somebody_switches_something_on():
    visit = Visit("Ana", "Ben")
    await visit.look()
    told = participant("Ben", screen="loading")
    await visit.daily.handlers["on_participant_updated"](visit.daily, told)
    captured, _ = await visit.look()
    assert captured == [("ben", "screenVideo")]


async def test_who_left_is_not_taken_again_and_nothing_of_them_is_given_back():
    visit = Visit("Ana", "Ben")
    await visit.look()
    visit.room.left(participant("Ana"))
    await visit.daily.handlers["on_participant_updated"](visit.daily, participant("Ana"))
    captured, released = await visit.look()
    assert captured == [("ben", "camera"), ("ben", "screenVideo")]
    assert released == []


async def test_an_asked_for_frame_is_taken_until_it_has_come():
    visit = Visit("Ana", "Ben")
    await visit.look()
    visit.daily.captured = []
    await visit.room.requested("ben", "camera")
    assert visit.daily.captured == [("ben", "camera")]
    assert await visit.look() == ([], [])
    await visit.room.answered("ben", "camera")
    assert await visit.look() == ([], [("ben", "camera")])


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [None, 3, "hi", [], {}, {"label": 1}, {"event": "chat-msg"}])
async def test_messages_of_others_never_reach_pipecat(message: Any):
    visit = Visit("Ana")
    await visit.message(message)
    assert visit.daily.pushed == []


async def test_chat_is_typed_and_signed_when_there_are_several():
    visit = Visit("Ana")
    chat = {"event": "chat-msg", "message": "Hello", "name": "Mallory"}
    await visit.message(chat)
    visit.room.joined(participant("Ben"))
    await visit.message(chat)
    contents = [message["data"]["content"] for message, _ in visit.daily.pushed]
    assert contents == ["Hello", "Ana: Hello"]
    assert {message["type"] for message, _ in visit.daily.pushed} == {"send-text"}


async def test_what_a_page_types_is_signed_too():
    visit = Visit("Ana", "Ben")
    await visit.message(rtvi("send-text", {"content": "Hello"}), "ben")
    ((message, sender),) = visit.daily.pushed
    assert (message["data"], sender) == ({"content": "Ben: Hello"}, "ben")


async def test_programs_are_not_read():
    visit = Visit("Ana", "Helper")
    await visit.message(rtvi("bot-ready"), "helper")
    await visit.message({"event": "chat-msg", "message": "Buy now"}, "helper")
    await visit.message(rtvi("send-text", {"content": "x"}), "helper")
    assert visit.daily.pushed == []


async def test_one_of_several_can_not_end_it_for_all():
    visit = Visit("Ana", "Ben")
    await visit.message(rtvi("disconnect-bot"))
    assert visit.daily.pushed == []
    visit.room.left(participant("Ben"))
    await visit.message(rtvi("disconnect-bot"))
    assert [message["type"] for message, _ in visit.daily.pushed] == ["disconnect-bot"]


async def test_pages_after_the_first_are_told_what_the_session_is():
    visit = Visit("Ana", "Ben")
    await visit.message(rtvi("client-ready"), "ana")
    assert visit.welcomed == 0, "the session tells the first itself"
    await visit.message(rtvi("client-ready"), "ben")
    assert visit.welcomed == 1


async def test_a_picture_in_pieces_is_sent_as_a_page_sends_it():
    visit = Visit("Ana", "Ben")
    data = base64.b64encode(bytes(3000)).decode()
    await visit.message(piece(of=2, data=data[:2000], caption="Mine", name="a.png"))
    assert visit.daily.pushed == []
    await visit.message(piece(piece=1, of=2, data=data[2000:]))
    ((message, _),) = visit.daily.pushed
    assert message["type"] == "send-file"
    assert message["data"]["content"] == "Ana: Mine"
    assert message["data"]["file"]["source"]["bytes"] == data


@pytest.mark.parametrize(
    "fields", [{"of": MAX_PIECES + 1}, {"piece": 7}, {"data": 3}, {"id": None}]
)
async def test_who_sends_a_picture_that_can_not_be_had_is_told_and_nobody_else(fields: Any):
    visit = Visit("Ana", "Ben")
    await visit.message(piece(**fields))
    ((message, who),) = visit.daily.sent
    assert who == "ana"
    assert (message["type"], message["label"]) == ("server-message", "rtvi-ai")
    assert (message["data"]["type"], message["data"]["state"]) == ("picture", "refused")
    assert message["data"]["text"].endswith(".")


async def test_written_answers_go_to_the_chat():
    visit = Visit("Ana")
    await visit.room.write("word " * 500)
    assert len(visit.daily.chat) == 3
    assert {name for _, name in visit.daily.chat} == {"Companion"}


# --- the line -------------------------------------------------------------------------------------


async def test_the_lines_pressure_reaches_the_frames():
    visit = Visit("Ana")
    assert visit.room.pressure == 0
    status = {"connection": "recvTransport", "event": "interrupted"}
    await visit.daily.handlers["on_network_connection_status_updated"](visit.daily, status)
    assert visit.room.pressure > 0.9


async def test_what_daily_measures_is_logged():
    visit = Visit("Ana")
    visit.daily.stats = {"stats": {"latest": {"totalRecvPacketLoss": 0.02}}}
    await visit.room._measure()
    visit.daily.stats = None
    await visit.room._measure()
    assert visit.line == [NetworkStats(loss=0.02)]


async def test_pipecat_fails_on_a_message_that_is_no_object():
    """Why those are kept from it."""
    with pytest.raises(AttributeError):
        await RTVIProcessor()._handle_transport_message(InputTransportMessageFrame(message="hi"))
