import io

import numpy as np
import pytest
from PIL import Image

from tests.understudy.support import picture, save
from understudy.facts import Seen, Unreadable
from understudy.seeing import look


def seen(data: bytes) -> Seen:
    result = look(data)
    assert isinstance(result, Seen)
    return result


def names(image: Image.Image) -> list[str]:
    return [name for name, _ in seen(save(image)).colours]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_size_brightness_and_colour(kind):
    result = seen(picture("red", size=(320, 240), kind=kind))
    assert (result.width, result.height) == (320, 240)
    assert result.brightness == pytest.approx(76, abs=1)
    assert result.colours == (("red", 1.0),)


@pytest.mark.parametrize(
    ("css", "name"),
    [
        ("red", "red"),
        ("crimson", "red"),
        ("maroon", "red"),
        ("darkorange", "orange"),
        ("yellow", "yellow"),
        ("gold", "yellow"),
        ("lime", "green"),
        ("green", "green"),
        ("olive", "green"),
        ("forestgreen", "green"),
        ("cyan", "cyan"),
        ("turquoise", "cyan"),
        ("teal", "cyan"),
        ("blue", "blue"),
        ("navy", "blue"),
        ("skyblue", "blue"),
        ("royalblue", "blue"),
        ("purple", "purple"),
        ("indigo", "purple"),
        ("violet", "purple"),
        ("pink", "pink"),
        ("hotpink", "pink"),
        ("deeppink", "pink"),
        ("saddlebrown", "brown"),
        ("sienna", "brown"),
        ("black", "black"),
        ("#0a0a12", "black"),
        ("gray", "grey"),
        ("dimgray", "grey"),
        ("silver", "grey"),
        ("white", "white"),
        ("ivory", "white"),
    ],
)
def test_plain_colours(css, name):
    assert names(Image.new("RGB", (64, 48), css)) == [name]


def test_mixtures_are_named_by_share():
    image = Image.new("RGB", (100, 100), "blue")
    image.paste("yellow", (0, 0, 100, 40))
    image.paste("red", (0, 40, 100, 55))
    image.paste("white", (0, 55, 100, 60))
    assert names(image) == ["blue", "yellow", "red"]


def test_a_lamp_lit_room_is_not_one_colour_more_than_three():
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (100, 100, 3), np.uint8)
    assert 1 <= len(names(Image.fromarray(pixels))) <= 3


@pytest.mark.parametrize("source", ["camera", "screenVideo", "upload"])
def test_a_jpeg_comment_names_the_source(source):
    assert seen(picture(source=source)).source == source


@pytest.mark.parametrize("comment", [b"source=spy", b"made by hand", b"\xff\xfe", b""])
def test_other_comments_name_nothing(comment):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", comment=comment)
    assert seen(file.getvalue()).source == ""


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_any_kind_of_pixels(mode):
    image = Image.new(mode, (16, 16))
    kind = "JPEG" if mode in ("L", "CMYK") else "PNG"
    assert isinstance(look(save(image, kind=kind)), Seen)


def test_what_shows_through_is_white():
    transparent = save(Image.new("RGBA", (16, 16), (255, 0, 0, 0)), kind="PNG")
    assert seen(transparent).colours == (("white", 1.0),)


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", b"\xff\xd8\xff\xe0", b"GIF89a" + bytes(50), picture()[:300]],
)
def test_what_is_no_picture(data):
    assert isinstance(look(data), Unreadable)


def test_decompression_bombs_are_not_decoded():
    bomb = save(Image.new("1", (9000, 9000)), kind="PNG")
    assert look(bomb) == Unreadable("9000x9000 pixels are too many")
