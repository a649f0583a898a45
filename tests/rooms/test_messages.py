"""What people send into a room."""

import json
from typing import Any

import pytest
from pipecat.processors.frameworks.rtvi import models as rtvi

from pipeline.rooms.messages import (
    MAX_CHAT_CHARACTERS,
    Chat,
    Rtvi,
    chat_pieces,
    read,
    sent_picture,
    signed,
    typed,
)
from processors.image_injector import DEFAULT_CAPTION

ANYTHING: list[Any] = [
    None,
    True,
    17,
    1e308,
    "hello",
    "",
    [],
    [{"label": "rtvi-ai"}],
    {},
    {"label": 3},
    {"label": ["rtvi-ai"]},
    {"event": "chat-msg"},
    {"event": "chat-msg", "message": None},
    {"event": "chat-msg", "message": {"a": 1}},
    {"event": "chat-msg", "message": "  \n"},
    {"event": "sync-chat-complete", "message": "x"},
    {"event": {}, "message": "x"},
]


@pytest.mark.parametrize("message", ANYTHING, ids=repr)
def test_what_is_not_for_us_is_nothing(message: Any):
    assert read(message) is None


def test_a_message_of_the_chat_of_dailys_own_page():
    told = {"event": "chat-msg", "message": " Hello! ", "name": "Ana", "room": "main-room"}
    assert read(told) == Chat("Hello!")


def test_chat_is_bounded():
    chat = read({"event": "chat-msg", "message": "x" * 100_000})
    assert chat == Chat("x" * MAX_CHAT_CHARACTERS)


@pytest.mark.parametrize("type", ["", "send-text", None, 3, {}])
def test_a_message_of_a_page(type: Any):
    message = {"label": "rtvi-ai", "type": type}
    told = read(message)
    assert isinstance(told, Rtvi)
    assert told.message is message and not told.is_of_a_bot and told.picture_piece is None


@pytest.mark.parametrize("type", ["bot-ready", "bot-output", "bot-started-speaking"])
def test_what_only_a_bot_says(type: str):
    told = read({"label": "rtvi-ai", "type": type})
    assert isinstance(told, Rtvi) and told.is_of_a_bot


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        ({"t": "picture", "d": {"id": "1"}}, {"id": "1"}),
        ({"t": "picture", "d": [1]}, [1]),
        ({"t": "picture"}, {}),
        ({"t": "network-stats", "d": {}}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_piece_of_a_picture(data: Any, piece: Any):
    told = read({"label": "rtvi-ai", "type": "client-message", "id": "1", "data": data})
    assert isinstance(told, Rtvi)
    assert told.picture_piece == piece


def test_typed_text_and_captions_are_signed():
    text = typed("Hello", id="1")
    picture = sent_picture("QUJD", format="image/png", name="a.png", caption="Mine", id="2")
    assert signed(text, "Ana")["data"]["content"] == "Ana: Hello"
    assert signed(picture, "Ana")["data"]["content"] == "Ana: Mine"
    assert signed(picture, "Ana")["data"]["file"] == picture["data"]["file"]
    assert text["data"]["content"] == "Hello", "what came stays what it was"
    assert signed(text, "") is text


def test_a_picture_without_a_caption_gets_the_usual_one():
    picture = sent_picture("QUJD", format="image/png", name="a.png", caption="", id="2")
    assert signed(picture, "Ana")["data"]["content"] == f"Ana: {DEFAULT_CAPTION}"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "client-ready", "data": {"content": "x"}},
        {"type": "send-text"},
        {"type": "send-text", "data": []},
        {"type": "send-text", "data": {"content": 3}},
        {"type": ["send-text"], "data": {"content": "x"}},
    ],
    ids=json.dumps,
)
def test_other_messages_are_as_they_came(message: dict[str, Any]):
    assert signed(message, "Ana") is message


def test_what_is_made_is_what_pipecat_takes():
    text = rtvi.Message.model_validate(typed("Hello", id="1"))
    assert rtvi.SendTextData.model_validate(text.data).content == "Hello"
    picture = sent_picture("QUJD", format="image/png", name="a.png", caption="Mine", id="2")
    file = rtvi.SendFileData.model_validate(rtvi.Message.model_validate(picture).data).file
    assert isinstance(file.source, rtvi.FileBytes)
    assert (file.name, file.format, file.source.bytes) == ("a.png", "image/png", "QUJD")


def test_long_answers_are_parted_between_words():
    text = "word " * 1000
    pieces = chat_pieces(text, most=300)
    assert all(len(piece) <= 300 for piece in pieces)
    assert " ".join(pieces) == text.strip()
    assert chat_pieces("长" * 700, most=300) == ["长" * 300, "长" * 300, "长" * 100]
    assert chat_pieces(" short ") == ["short"]
    assert chat_pieces("  ") == []
