"""Pictures that come in pieces."""

import base64
import json
import random
from typing import Any

import pytest

from pipeline.rooms.picture_pieces import (
    MAX_AT_ONCE,
    MAX_PIECE_CHARACTERS,
    MAX_PIECES,
    MAX_WAITING_S,
    PicturePieces,
    PieceError,
    Whole,
)

FILE = random.Random(5).randbytes(20_000)


def pieces_of(file: bytes = FILE, *, id: str = "1", **about: Any) -> list[dict[str, Any]]:
    data, size = base64.b64encode(file).decode(), MAX_PIECE_CHARACTERS
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return [
        {
            "id": id,
            "piece": number,
            "of": len(parts),
            "data": part,
            **(about if number == 0 else {}),
        }
        for number, part in enumerate(parts)
    ]


def gather(told: list[Any], pictures: PicturePieces | None = None, now_s: float = 0) -> list[Whole]:
    pictures = pictures or PicturePieces()
    whole = [pictures.add("ana", piece, now_s) for piece in told]
    return [picture for picture in whole if picture]


def test_a_picture_is_whole_when_all_of_it_has_come():
    told = pieces_of(format="image/png", name="cat.png", caption="My cat")
    (picture,) = gather(told)
    assert base64.b64decode(picture.data) == FILE
    assert (picture.format, picture.name, picture.caption) == ("image/png", "cat.png", "My cat")


def test_in_whatever_order_and_however_often():
    told = pieces_of(caption="Mine") * 2
    random.Random(1).shuffle(told)
    pictures = gather(told)
    assert base64.b64decode(pictures[0].data) == FILE
    assert pictures[0].caption == "Mine"


def test_a_small_picture_is_one_piece():
    (picture,) = gather(pieces_of(b"abc"))
    assert base64.b64decode(picture.data) == b"abc"


def test_a_piece_fits_into_an_app_message():
    piece = pieces_of(format="image/png", name="n" * 100, caption="c" * 300)[0]
    message = {"label": "rtvi-ai", "type": "client-message", "id": "x" * 36}
    message["data"] = {"t": "picture", "d": piece}  # pyright: ignore
    assert len(json.dumps(message)) < 4096


def test_two_people_may_have_the_same_thought():
    pictures = PicturePieces()
    for piece in pieces_of()[:-1]:
        assert pictures.add("ana", piece, 0) is None
        assert pictures.add("ben", piece, 0) is None
    assert pictures.add("ana", pieces_of()[-1], 0)
    assert pictures.add("ben", pieces_of()[-1], 0)


GOOD = {"id": "1", "piece": 0, "of": 2, "data": "QUJD"}


@pytest.mark.parametrize(
    "told",
    [
        None,
        3,
        "x",
        [],
        {},
        *({key: value for key, value in GOOD.items() if key != left_out} for left_out in GOOD),
        GOOD | {"id": ""},
        GOOD | {"id": "x" * 65},
        GOOD | {"id": 1},
        GOOD | {"piece": -1},
        GOOD | {"piece": "0"},
        GOOD | {"piece": True},
        GOOD | {"of": 0},
        GOOD | {"of": 1e3},
        GOOD | {"data": ""},
        GOOD | {"data": "Q" * (MAX_PIECE_CHARACTERS + 1)},
        GOOD | {"data": "<script>"},
        GOOD | {"data": "QUJD\n"},
        GOOD | {"data": {"a": []}},
        GOOD | {"format": "image/svg+xml"},
        GOOD | {"name": "x" * 201},
        GOOD | {"caption": ["x"]},
    ],
    ids=repr,
)
def test_what_is_no_piece_is_told_so_in_a_sentence(told: Any):
    with pytest.raises(PieceError, match=r"^A piece of a picture could not be read: .*\.$"):
        PicturePieces().add("ana", told, 0)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ([GOOD | {"of": MAX_PIECES + 1}], "too large: a room carries 3 MB"),
        ([GOOD, GOOD | {"piece": 1, "of": 3}], "do not fit together"),
        ([GOOD | {"piece": 2}], "do not fit together"),
        ([GOOD, GOOD | {"piece": 1, "data": "QQ"}], "make no base64"),
    ],
)
def test_a_picture_that_can_not_be_had_is_refused_once(told: list[Any], sentence: str):
    pictures = PicturePieces()
    with pytest.raises(PieceError, match=sentence):
        gather(told, pictures)
    assert gather(told, pictures) == [], "the rest of it is not refused again"


def test_one_person_sends_a_few_pictures_at_a_time():
    pictures = PicturePieces()
    for number in range(MAX_AT_ONCE):
        gather(pieces_of(id=str(number))[:1], pictures)
    with pytest.raises(PieceError, match="2 pictures at a time"):
        gather(pieces_of(id="more"), pictures)
    assert pictures.add("ben", GOOD, 0) is None


@pytest.mark.parametrize("happens", ["time", "leaving"])
def test_what_is_never_complete_is_forgotten(happens: str):
    pictures, told = PicturePieces(), pieces_of()
    gather(told[:-1], pictures)
    if happens == "leaving":
        pictures.left("ana")
    now_s = MAX_WAITING_S + 1 if happens == "time" else 1
    assert gather(told[-1:], pictures, now_s) == []
    (picture,) = gather(told[:-1], pictures, now_s)
    assert base64.b64decode(picture.data) == FILE


def test_random_json_never_hurts():
    rng, pictures, errors = random.Random(7), PicturePieces(), 0
    values: list[Any] = [None, 0, 1, -5, 10**400, 2.5, "x", "1", "QUJD", [], {}, True]
    for number in range(2000):
        told = {key: rng.choice(values) for key in [*GOOD, "format", "name"] if rng.random() < 0.8}
        try:
            pictures.add("ana", told, number)
        except PieceError:
            errors += 1
    assert errors > 1000
