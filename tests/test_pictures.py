import io

import numpy as np
import pytest
from PIL import Image

from pipeline import picture_decoder
from pipeline.picture_decoder import Picture, PictureError
from pipeline.pictures import Pixels, label_of, thumbnail


def file_of(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def prepare_upload(data: bytes) -> Picture:
    return picture_decoder.prepare_upload(io.BytesIO(data))


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.jpeg))
    assert image.format == "JPEG"
    assert image.size == (picture.width, picture.height)
    return image


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_format_becomes_a_jpeg_of_the_same_picture(format):
    picture = prepare_upload(file_of(Image.new("RGB", (320, 200), "red"), format))
    image = opened(picture)
    assert image.size == (320, 200)
    red, green, blue = image.convert("RGB").getpixel((160, 100))  # pyright: ignore
    assert red > 240 and green < 15 and blue < 15


def test_a_large_picture_is_shrunk_and_keeps_its_shape():
    picture = prepare_upload(file_of(Image.new("RGB", (4000, 1000), "blue"), "PNG"))
    assert (picture.width, picture.height) == (1600, 400)


def test_it_stands_upright_and_its_metadata_stays_behind():
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned by 90 degrees
    exif[0x010F] = "a camera that tells"
    data = file_of(Image.new("RGB", (400, 300)), "JPEG", exif=exif)
    picture = prepare_upload(data)
    assert (picture.width, picture.height) == (300, 400)
    assert not opened(picture).getexif()
    assert b"a camera that tells" in data and b"a camera that tells" not in picture.jpeg


def test_what_is_transparent_is_white():
    picture = prepare_upload(file_of(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"))
    assert opened(picture).getpixel((25, 25)) == (255, 255, 255)


def test_the_source_is_named_in_the_jpeg():
    upload = prepare_upload(file_of(Image.new("RGB", (50, 50)), "PNG"))
    frame = black((10, 10), "screenVideo").encode(long_edge_px=100, quality=80)
    assert opened(upload).info["comment"] == b"source=upload"
    assert opened(frame).info["comment"] == b"source=screenVideo"


def black(size: tuple[int, int], source: str) -> Pixels:
    return Pixels(data=bytes(size[0] * size[1] * 3), size=size, mode="RGB", source=source)


@pytest.mark.parametrize("source", ["camera", "screenVideo"])
def test_a_frame_is_shrunk_and_has_its_sources_name_above_it(source):
    frame = black((1920, 1080), source).encode(long_edge_px=960, quality=80)
    assert (frame.width, frame.height) == (960, 540 + 24)
    pixels = np.asarray(opened(frame).convert("L"))
    assert pixels[:24].max() > 200 and pixels[28:].max() < 50


def test_the_names_of_camera_and_screen_differ_and_other_sources_have_none():
    strips = [
        opened(black((640, 480), source).encode(long_edge_px=640, quality=95)).crop((0, 0, 99, 22))
        for source in ("camera", "screenVideo", "else")
    ]
    camera, screen, other = (np.asarray(strip.convert("L"), np.int16) for strip in strips)
    assert np.abs(camera - screen).max() > 150
    assert other.max() < 20


def test_a_look_at_a_frame_is_small_and_grey():
    white = Pixels(data=b"\xff" * 640 * 480 * 4, size=(640, 480), mode="RGBA", source="camera")
    assert white.gist().shape == (120, 160)
    assert white.gist().min() == 255


def test_damaged_metadata_is_no_reason_to_refuse():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    data = file_of(Image.new("RGB", (40, 30)), "JPEG", exif=exif)
    at = data.index(b"Exif")
    for offset in range(at + 6, at + 40):
        prepare_upload(data[:offset] + b"\xff" + data[offset + 1 :])


def test_sixteen_bits_of_grey_stay_grey():
    grey = Image.fromarray(np.full((20, 20), 128 << 8, np.uint16))
    assert grey.mode.startswith("I;16")
    red, green, blue = opened(prepare_upload(file_of(grey, "PNG"))).getpixel((9, 9))  # pyright: ignore
    assert red == green == blue and 120 < red < 136


PNG = file_of(Image.effect_noise((200, 200), 80), "PNG")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a JPEG"),
        (b"%PDF-1.7 and so on", "not a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
        (file_of(Image.new("RGB", (9, 9)), "BMP"), "not a JPEG"),
        (PNG[: len(PNG) // 2], "broken"),
        (file_of(Image.effect_noise((200, 200), 80), "JPEG")[:900], "broken"),
        (PNG[:60] + bytes(40) + PNG[100:], "broken"),
        (bytes(picture_decoder.MAX_PICTURE_BYTES + 1), "20 MB is the most"),
    ],
    ids=["empty", "pdf", "svg", "bmp", "half-png", "half-jpeg", "corrupt", "too-large"],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(PictureError, match=sentence) as error:
        prepare_upload(data)
    assert "\n" not in str(error.value)


def test_pixels_are_counted_before_they_are_decoded(monkeypatch):
    bomb = file_of(Image.new("1", (12000, 12000)), "PNG")
    assert len(bomb) < 50_000
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(PictureError, match="too many pixels; 50 megapixels"):
        prepare_upload(bomb)


# --- thumbnails ------------------------------------------------------------------------------------


def test_a_thumbnail_is_the_same_picture_and_small():
    frame = Pixels(
        data=bytes((200, 20, 20)) * (1280 * 720), size=(1280, 720), mode="RGB", source=""
    )
    small = Image.open(io.BytesIO(thumbnail(frame.encode(long_edge_px=1024, quality=80).jpeg)))
    assert (small.format, small.size) == ("JPEG", (160, 90))
    red, green, blue = small.getpixel((80, 45))  # pyright: ignore
    assert red > 180 and green < 40 and blue < 40


def test_a_frame_that_can_not_be_read_has_none():
    with pytest.raises(PictureError, match="could not be read"):
        thumbnail(b"no picture")


@pytest.mark.parametrize(
    ("source", "whose", "label"),
    [
        ("camera", "", "CAMERA"),
        ("camera", "Ana", "CAMERA OF Ana"),
        ("screenVideo", "Guest 1", "SCREEN OF Guest 1"),
        ("camera", "Zoë Šimić", "CAMERA OF Zoe Simic"),
        ("camera", "李雷", "CAMERA"),
        ("whiteboard", "Ana", ""),
    ],
)
def test_the_strip_says_whose_it_is_as_far_as_it_can_be_drawn(source: str, whose: str, label: str):
    assert label_of(source, whose) == label


def test_the_strip_with_a_name_is_another_than_without():
    strips = set()
    for whose in ("", "Ana", "Ben"):
        pixels = Pixels(
            data=bytes(3 * 64 * 48), size=(64, 48), mode="RGB", source="camera", whose=whose
        )
        picture = pixels.encode(long_edge_px=640, quality=90)
        strips.add(picture.jpeg)
    assert len(strips) == 3
