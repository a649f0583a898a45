from journal.turns import NOISE_AFTER_S, Turn, TurnLog


class Conversation:
    """A turn log with a clock that moves by a tenth of a second with every event."""

    def __init__(self):
        self.log = TurnLog()
        self.now_s = 1_700_000_000.0
        self.turns: list[Turn] = []

    def __getattr__(self, event: str):
        def happens(*args) -> list[Turn]:
            self.now_s += 0.1
            turns = getattr(self.log, event)(*args, self.now_s)
            self.turns += turns
            return turns

        return happens

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def said(self) -> list[tuple[str, str]]:
        return [(turn.side, turn.text) for turn in self.turns]


TOKENS = {"prompt_tokens": 10, "completion_tokens": 5}


def greeted() -> Conversation:
    talk = Conversation()
    talk.bot_started()
    talk.bot_heard()
    talk.bot_said("Hello.")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    return talk


def asked(talk: Conversation, text: str = "What is this?") -> None:
    talk.user_started()
    talk.wait(2)
    talk.user_stopped()
    talk.user_said(text)


def test_a_greeting_answers_nothing():
    (greeting,) = greeted().turns
    assert (greeting.number, greeting.side, greeting.text) == (1, "bot", "Hello.")
    assert greeting.latency_ms is None
    assert greeting.tokens == TOKENS
    assert not greeting.interrupted


def test_what_a_turn_takes_is_counted_by_modality_before_it_is_complete():
    talk = Conversation()
    talk.bot_started()
    talk.bot_said("Hello.")
    talk.bot_spent({"text_in": 10, "audio_out": 2}, 0.1)
    talk.bot_spent({"text_in": 10, "audio_in": 5}, None)
    talk.bot_counted(TOKENS)
    (greeting,) = talk.bot_ended()
    assert greeting.modalities == {"text_in": 20, "audio_out": 2, "audio_in": 5}
    assert greeting.cost_so_far_usd is None


def test_what_was_not_counted_is_not_known():
    talk = Conversation()
    talk.bot_spent({"text_in": 10}, 0.1)
    talk.bot_started()
    talk.bot_ended()
    (greeting,) = talk.session_ended()
    assert greeting.modalities is None and greeting.cost_so_far_usd is None


def test_both_sides_in_the_order_in_which_they_began():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_heard()
    talk.bot_said("A")
    talk.bot_said(" cup.")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    assert talk.said() == [("bot", "Hello."), ("user", "What is this?"), ("bot", "A cup.")]
    assert [turn.number for turn in talk.turns] == [1, 2, 3]
    assert talk.turns[1].start < talk.turns[1].end < talk.turns[2].start


def test_the_users_turn_is_complete_when_the_answer_begins():
    talk = greeted()
    asked(talk)
    (turn,) = talk.bot_started()
    assert (turn.side, turn.text) == ("user", "What is this?")


def test_latency_is_from_the_end_of_the_question_to_the_first_sound():
    talk = greeted()
    asked(talk)
    talk.wait(0.4)
    talk.bot_started()
    talk.bot_heard()
    talk.bot_counted(TOKENS)
    (answer,) = talk.bot_ended()
    assert answer.latency_ms == 700  # 0.1 to the transcript, 0.5 to the start, 0.1 to the sound


def test_a_pause_in_a_question_does_not_split_it():
    talk = greeted()
    asked(talk, "What is")
    asked(talk, "this?")
    (turn,) = talk.bot_started()
    assert turn.text == "What is this?"


def test_text_that_comes_after_the_answer_began_still_comes_first():
    talk = greeted()
    talk.user_started()
    talk.user_stopped()
    assert talk.bot_started() == []
    talk.user_said("What is this?")
    talk.bot_said("A cup.")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    assert talk.said()[1:] == [("user", "What is this?"), ("bot", "A cup.")]


def test_text_that_comes_too_late_is_kept_and_says_where_it_belongs():
    talk = greeted()
    asked(talk, "What is")
    talk.bot_started()
    talk.user_said("this?")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    late = next(turn for turn in talk.turns if turn.continues)
    assert (late.side, late.text, late.continues) == ("user", "this?", 2)


def test_a_question_whose_text_comes_after_its_answer_gets_it():
    talk = greeted()
    talk.user_started()
    talk.user_stopped()
    talk.bot_started()
    talk.bot_said("A cup.")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    talk.user_said("What is this?")
    question = talk.turns[-3]
    late = talk.turns[-1]
    assert (question.side, question.text) == ("user", "")
    assert (late.side, late.text, late.continues) == ("user", "What is this?", question.number)


def test_words_of_an_answer_that_come_after_it_belong_to_it():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_ended()
    talk.bot_said("It is")
    talk.bot_counted(TOKENS)
    assert talk.said()[-1] == ("bot", "It is")
    talk.bot_said(" a cup.")
    late = next(turn for turn in talk.turns if turn.continues)
    assert (late.side, late.text, late.continues) == ("bot", "a cup.", talk.turns[-2].number)


def test_words_of_an_interrupted_answer_that_come_after_it_were_not_heard():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_said("It is a cup")
    talk.interrupted()
    talk.bot_counted(TOKENS)
    talk.bot_was_heard("It is")
    talk.bot_said(" of tea.")
    assert talk.said()[-1] == ("bot", "It is")


def test_an_interrupted_answer_says_what_was_heard_of_it_and_waits_for_its_tokens():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_said("This is a long")
    talk.user_started()
    assert talk.interrupted() == []
    talk.interrupted()  # broadcast in both directions
    assert talk.bot_counted(TOKENS) == []
    (answer,) = talk.bot_was_heard("This is")
    assert answer.interrupted and answer.text == "This is" and answer.tokens == TOKENS


def test_an_answer_whose_tokens_are_not_counted_is_written_when_the_user_goes_on():
    talk = greeted()
    talk.user_typed("one")
    talk.bot_started()
    talk.bot_said("One.")
    assert talk.bot_ended() == []
    (answer,) = talk.user_started()
    assert answer.text == "One."


def test_the_turn_that_interrupts_comes_after_the_one_it_cut():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.user_started()
    talk.interrupted()
    talk.user_said("Stop.")
    talk.user_stopped()
    talk.bot_started()  # the model never counted the tokens of what was cut
    talk.session_ended()
    assert [t.side for t in talk.turns] == ["bot", "user", "bot", "user", "bot"]
    assert [t.interrupted for t in talk.turns] == [False, False, True, False, False]


def test_typed_text_is_a_turn():
    talk = greeted()
    talk.user_typed("hello there")
    (turn,) = talk.bot_started()
    assert (turn.side, turn.text) == ("user", "hello there")


def test_a_picture_is_in_its_turn_with_its_caption():
    talk = greeted()
    talk.user_showed({"filename": "red.png", "width": 4, "height": 3}, "What colour?")
    (turn,) = talk.bot_started()
    assert turn.text == "What colour?"
    assert turn.pictures == [{"filename": "red.png", "width": 4, "height": 3}]


def test_frames_are_counted_by_source_in_the_turn_in_which_the_model_saw_them():
    talk = greeted()
    talk.model_saw("camera")
    asked(talk)
    talk.model_saw("camera")
    talk.model_saw("screenVideo")
    talk.bot_started()
    talk.model_saw("camera")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    assert [t.frames for t in talk.turns[1:]] == [{"camera": 2, "screenVideo": 1}, {"camera": 1}]


def test_what_became_of_the_frames_is_in_the_turn_by_source_and_reason():
    talk = greeted()
    talk.frames_judged("camera", {"first": 1}, {})
    asked(talk)
    talk.frames_judged("camera", {"new": 1}, {"unchanged": 4, "later": 1})
    talk.frames_judged("camera", {}, {"unchanged": 5})
    talk.bot_started()
    talk.frames_judged("screenVideo", {"new": 2}, {})
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    assert [turn.video for turn in talk.turns[1:]] == [
        {"camera": {"shown": {"first": 1, "new": 1}, "left_out": {"unchanged": 9, "later": 1}}},
        {"screenVideo": {"shown": {"new": 2}, "left_out": {}}},
    ]


def test_noise_that_nobody_answers_is_no_turn():
    talk = greeted()
    talk.user_started()
    talk.user_stopped()
    assert talk.session_ended() == []


def test_noise_long_before_a_question_is_not_its_beginning():
    talk = greeted()
    talk.user_started()
    talk.user_stopped()
    talk.wait(NOISE_AFTER_S + 1)
    began = talk.now_s
    asked(talk)
    talk.bot_started()
    from datetime import datetime

    assert datetime.fromisoformat(talk.turns[-1].start).timestamp() > began


def test_the_end_of_the_session_closes_what_is_open():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_said("This is")
    talk.session_ended()
    assert talk.said()[-1] == ("bot", "This is")


def test_nothing_is_written_twice():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    talk.bot_ended()
    talk.bot_counted(TOKENS)
    talk.session_ended()
    assert [turn.number for turn in talk.turns] == [1, 2, 3]


def test_a_turn_whose_end_was_lost_ends_when_the_next_begins():
    talk = greeted()
    talk.user_typed("one")
    talk.bot_started()
    talk.user_typed("two")
    talk.bot_started()
    talk.session_ended()
    assert [t.side for t in talk.turns] == ["bot", "user", "bot", "user", "bot"]


# --- the line ----------------------------------------------------------------------------------------


def test_a_turn_has_the_line_as_it_was_last_in_it():
    good, bad, worse = {"rtt_ms": 20}, {"rtt_ms": 400}, {"rtt_ms": 900}
    talk = greeted()
    talk.line_is(good)
    asked(talk)
    talk.bot_started()
    talk.line_is(bad)
    talk.bot_said("A chair.")
    talk.bot_counted(TOKENS)
    talk.bot_ended()
    talk.line_is(worse)
    assert [turn.network for turn in talk.turns] == [None, good, bad]


def test_who_spoke_in_a_turn_is_told_in_their_order_with_all_that_each_said():
    talk = greeted()
    asked(talk)
    talk.users_spoke([("Ana", 1.22), ("Ben", 0.5)])
    talk.user_started()
    talk.user_stopped()
    talk.users_spoke([("Ben", 1.0)])
    talk.bot_started()
    (turn,) = talk.turns[1:]
    assert turn.speaker == [{"name": "Ana", "seconds": 1.2}, {"name": "Ben", "seconds": 1.5}]


def test_a_turn_of_which_nobody_knows_who_spoke_names_nobody():
    talk = greeted()
    asked(talk)
    talk.bot_started()
    assert [turn.speaker for turn in talk.turns] == [[], []]
    assert talk.users_spoke([("Ana", 1.0)]) == [], "it comes too late for the turn"
