"""Pictures, and turns sent as clientContent."""

import tracemalloc

from tests.understudy.support import (
    MODEL_2_5,
    MODEL_3_1,
    Client,
    encode,
    model,
    picture,
    user,
)


def test_frames_are_told_in_the_next_answer_once():
    client = Client().set_up()
    for _ in range(3):
        client.show(picture("red", source="camera"))
    client.show(picture("green", size=(1280, 720), source="screenVideo"))
    client.type("hello")
    client.wait(15)
    assert client.said() == (
        "You typed: hello. I saw 3 camera frames, 640 by 480 pixels, mostly red. "
        "I saw one screen frame, 1280 by 720 pixels, mostly green."
    )
    client.type("hello")
    client.wait(15)
    assert client.said() == "You typed: hello."


def test_a_picture_with_a_caption():
    client = Client().set_up()
    client.content(user("what colour is this?", picture("red")))
    client.wait(10)
    assert client.said() == (
        "I see the picture you sent, 640 by 480 pixels, mostly red. You asked: what colour is this?"
    )


def test_an_answer_waits_for_the_picture():
    client = Client().set_up()
    client.holds_work = True
    client.content(user("what colour?", picture("blue")))
    client.wait(5)
    assert not client.noted("answer")
    client.do_work()
    client.wait(10)
    assert "mostly blue" in client.said()


def test_what_is_no_picture_is_refused():
    client = Client().set_up()
    client.show(b"no picture")
    assert client.closed == (1007, "Request contains an invalid argument.")
    assert client.noted("unreadable")


def test_documents_are_refused():
    client = Client().set_up()
    pdf = {"inlineData": {"data": encode(b"%PDF"), "mimeType": "application/pdf"}}
    client.content({"role": "user", "parts": [pdf]})
    assert client.closed == (1008, "Operation not supported")


# clientContent


def test_content_that_is_not_complete_waits():
    client = Client().set_up()
    client.content(user("one"), complete=False)
    client.wait(10)
    assert not client.noted("answer")
    client.content(user("two"))
    client.wait(10)
    assert client.said() == "You typed: one two."


def test_texts_that_wait_take_little():
    """A client may write megabytes, time and again, and never ask for an answer."""
    client = Client().set_up()
    tracemalloc.start()
    for _ in range(10):
        client.content(user("x" * 1_000_000), complete=False)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1_000_000
    assert client.noted("content")[0]["characters"] == 1_000_000


def test_content_interrupts():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    client.content(user("stop"), complete=False)
    assert client.noted("interrupted")
    client.wait(60)
    assert len(client.noted("answer")) == 1


def test_completing_nothing_answers_nothing():
    client = Client().set_up()
    client.say(clientContent={"turnComplete": True})
    client.wait(10)
    assert not client.noted("answer")


def test_3_1_takes_content_only_before_its_first_turn():
    client = Client().set_up(MODEL_3_1)
    client.content(user("hello"))
    client.wait(10)
    client.content(user("again"))
    assert client.closed == (1007, "Request contains an invalid argument.")


def test_3_8_wants_a_role():
    client = Client().set_up()
    client.content({"parts": [{"text": "hello"}]})
    assert client.closed == (1007, "Please use a valid role: user, model.")


def test_2_5_wants_the_user_to_have_the_last_word():
    client = Client().set_up(MODEL_2_5)
    client.content(user("hello"), model("hi"))
    assert client.closed == (1007, "Request contains an invalid argument.")
