"""What becomes of files that are made to do harm, or are something else than they seem."""

import asyncio
import io
import json
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.picture_decoder import (
    MAX_PICTURE_PIXELS,
    Picture,
    PictureError,
    prepare_upload,
)
from pipeline.picture_process import clean_picture
from pipeline.settings import ROOT
from tests.support.pictures import (
    BOMBS,
    ODD,
    PLACE,
    SCRIPT,
    animated,
    black_png,
    noise,
    placed,
    saved,
    turned,
    zeros,
)

SAMPLES = BOMBS | ODD
FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its pixels."""
    markers, at = [], 2
    while jpeg[at + 1] != 0xDA:
        markers.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return markers


def assert_clean(picture: Picture) -> Image.Image:
    """It is a JPEG of a bounded size, with nothing in it but what is seen."""
    image = Image.open(io.BytesIO(picture.jpeg), formats=["JPEG"])
    image.load()
    assert image.size == (picture.width, picture.height)
    assert image.mode == "RGB" and max(image.size) <= 1600
    tables, header, comment = {0xDB, 0xC4, 0xC0}, 0xE0, 0xFE
    assert set(segments(picture.jpeg)) <= {*tables, header, comment}
    assert image.info["comment"] == b"source=upload"
    assert picture.jpeg.endswith(b"\xff\xd9")
    return image


@pytest.mark.parametrize("name", SAMPLES)
async def test_each_is_refused_in_a_sentence_or_becomes_a_clean_picture(name):
    sample = SAMPLES[name]
    content = sample.make()
    if sample.refused is None:
        picture = await clean_picture(content)
        assert_clean(picture)
        assert SCRIPT not in picture.jpeg
        return
    with pytest.raises(sample.refused, match=sample.sentence) as refused:
        await clean_picture(content)
    assert type(refused.value) is sample.refused
    sentence = str(refused.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 100


async def test_none_takes_more_memory_than_it_may(tmp_path):
    for name, sample in BOMBS.items():
        (tmp_path / name).write_bytes(sample.make())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.decoding", *sorted(tmp_path.iterdir())),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    printed, _ = await process.communicate()
    seen = json.loads(printed)
    assert seen["clean"] == sum(sample.refused is None for sample in BOMBS.values())
    assert seen["most_mb"] <= 512


def test_the_bombs_are_what_they_seem():
    # The same as the one of 50,000 x 50,000, small enough to be looked at.
    image = Image.open(io.BytesIO(black_png(1200, 900)))
    assert np.asarray(image).shape == (900, 1200) and image.getextrema() == (0, 0)
    assert len(BOMBS["png-50000"].make()) < 50_000 * 50_000 / 1000
    assert len(BOMBS["webp-49-megapixels"].make()) < 100
    assert 7000 * 7000 < MAX_PICTURE_PIXELS


def test_the_zeros_are_a_whole_stream():
    assert zlib.decompress(zeros(3_000_000)) == bytes(3_000_000)


@pytest.mark.parametrize("format", FORMATS)
async def test_nothing_tells_where_a_picture_was_taken(format):
    content = placed(format)
    assert PLACE in content, "or the test shows nothing"
    picture = await clean_picture(content)
    assert_clean(picture)
    for trace in (PLACE, b"Exif", b"xmp", b"GPS", b"Photoshop"):
        assert trace not in picture.jpeg


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_it_stands_upright_however_the_camera_was_held(orientation):
    image = assert_clean(await clean_picture(turned(orientation)))
    assert image.size == (80, 48)
    for color, at in (("red", (20, 12)), ("lime", (60, 12)), ("blue", (20, 36))):
        wanted = np.array(Image.new("RGB", (1, 1), color).getpixel((0, 0)))
        assert np.abs(np.array(image.getpixel(at)) - wanted).max() < 40, color


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_picture_is_seen(format):
    content = animated(format)
    assert Image.open(io.BytesIO(content)).n_frames == 2  # pyright: ignore
    red, green, blue = assert_clean(await clean_picture(content)).getpixel((20, 15))  # pyright: ignore
    assert red > 240 and green < 20 and blue < 20


async def test_four_inks_become_the_colours_that_they_print():
    image = assert_clean(await clean_picture(ODD["cmyk"].make()))
    red, green, blue = image.getpixel((20, 15))  # pyright: ignore
    assert red > 200 and green < 60 and blue < 60


def cuts(content: bytes, count: int = 40) -> list[int]:
    """Where to cut: everywhere in the header, then here and there."""
    return [*range(40), *range(40, len(content), max((len(content) - 40) // count, 1))]


@pytest.mark.parametrize("format", FORMATS)
def test_cut_off_anywhere_it_is_refused_or_a_clean_picture(format):
    content = noise(format, (48, 40))
    for at in cuts(content):
        try:
            picture = prepare_upload(io.BytesIO(content[:at]))
        except PictureError:
            continue
        assert_clean(picture)
        assert at > len(content) * 0.9, "most of it was missing"


ORIGINALS = [
    *(noise(format, (24, 20)) for format in FORMATS),
    *(placed(format) for format in FORMATS),
    *(animated(format) for format in ("GIF", "WEBP", "PNG")),
    saved(Image.new("RGBA", (9, 9)), "PNG"),
    turned(6),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file in which some bytes are others, are missing, or are there twice."""
    content = bytearray(draw(st.sampled_from(ORIGINALS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content) - 1))
        length = draw(st.integers(0, 8))
        piece = draw(st.binary(max_size=8) | st.just(bytes(content[at : at + 40])))
        content[at : at + length] = piece
    return bytes(content)


@settings(max_examples=40, deadline=None)
@given(content=mutated() | st.binary(max_size=200))
async def test_whatever_is_changed_in_a_file_it_is_refused_or_a_clean_picture(content):
    try:
        picture = await clean_picture(content)
    except PictureError as error:
        assert "could not be read" in str(error) or type(error) is not PictureError
    else:
        assert_clean(picture)
