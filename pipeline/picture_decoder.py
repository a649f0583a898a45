"""Files that a user sends, as the model gets them: upright JPEGs of a bounded size.

A process of its own runs this (`picture_process.py` says why), and starts anew for each picture:
nothing but Pillow is imported, which takes 40 ms of its 70. NumPy would double them.
"""

import io
import os
import warnings
from typing import BinaryIO, NamedTuple

# Pillow itself would import all its forty formats to find WebP's.
from PIL import ExifTags, Image, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

MAX_PICTURE_BYTES = 20 * 1024 * 1024
"""An upload's largest size. The Live API takes messages of up to 20 MB."""

MAX_PICTURE_PIXELS = 50_000_000
"""Counted before decoding: 50 megapixels are 200 MB once decoded."""

_MOST_MEGAPIXELS = MAX_PICTURE_PIXELS // 1_000_000

PICTURE_FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
"""The formats that are decoded, by Pillow's name, with their MIME types."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's Orientation (TIFF 6.0, tag 274). Pillow's own `exif_transpose` also writes the rest of
the metadata anew, and fails on pictures in which that is damaged."""

_EDGE_PX = 1600  # small text is on uploads too

_QUALITY = 85


class PictureError(Exception):
    """A picture can't be shown to the model; the message is one sentence for the user."""


class NotAPictureError(PictureError):
    """The file is of none of `PICTURE_FORMATS`."""


class PictureTooLargeError(PictureError):
    """The picture has too many bytes or pixels, or takes too much time or memory to decode."""


class Picture(NamedTuple):
    """A still that is ready for the model.

    No dataclass: importing those would make the start of the process 10 ms longer.

    Parameters:
        jpeg: The encoded picture, without metadata except the source's name.
        width: In pixels, as encoded.
        height: In pixels, as encoded.
    """

    jpeg: bytes
    width: int
    height: int

    @classmethod
    def of(cls, jpeg: bytes) -> "Picture":
        """Take a JPEG that was made here, as it is."""
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return cls(jpeg, image.width, image.height)


def prepare_upload(file: BinaryIO) -> Picture:
    """Check an uploaded file and make it ready for the model.

    What it is is told by its content, never by its name. Its orientation is applied; the rest of
    its metadata, where it was taken for instance, is left behind. Of an animation the first
    picture is shown.

    Args:
        file: Is read from its beginning, and not closed.

    Raises:
        PictureError: When it is too large, not a picture, of another format, or broken.
        MemoryError: When there is not enough.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    if size_bytes > MAX_PICTURE_BYTES:
        megabytes, most = size_bytes / 2**20, MAX_PICTURE_BYTES // 2**20
        raise PictureTooLargeError(f"The picture has {megabytes:.1f} MB; {most} MB is the most.")
    file.seek(0)
    usual = Image.MAX_IMAGE_PIXELS
    # Pillow counts where a header says it, and refuses twice this. It warns before.
    Image.MAX_IMAGE_PIXELS = MAX_PICTURE_PIXELS // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata, many pixels
            image = Image.open(file, formats=list(PICTURE_FORMATS))
            return encoded(_prepared(image), source="upload", quality=_QUALITY)
    except UnidentifiedImageError:
        raise NotAPictureError("That file is not a JPEG, PNG, WebP or GIF picture.") from None
    except Image.DecompressionBombError:
        raise PictureTooLargeError(
            f"The picture has too many pixels; {_MOST_MEGAPIXELS} megapixels are the most."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError):
        # What Pillow raises for truncated and corrupt files, by format.
        raise PictureError("The picture is broken: it could not be read to its end.") from None
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def encoded(image: Image.Image, *, source: str, quality: int) -> Picture:
    """A JPEG of an image. Its comment names the source for whoever reads files.

    The model does not read it.
    """
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=quality, comment=f"source={source}".encode(), exif=b"")
    return Picture(jpeg=jpeg.getvalue(), width=image.width, height=image.height)


def shrunk(image: Image.Image, edge_px: int) -> Image.Image:
    """The image itself, its longer side no longer than that."""
    # In steps: first by a whole number, which is fast, and which Pillow can't with 16 bits of grey.
    gap = None if image.mode.startswith("I") else 2.0
    image.thumbnail((edge_px, edge_px), Image.Resampling.BILINEAR, reducing_gap=gap)
    return image


def _prepared(image: Image.Image) -> Image.Image:
    """Shrink, turn upright, flatten."""
    image.draft("RGB", (_EDGE_PX, _EDGE_PX))  # decoded no larger than needed
    image.load()
    upright = _UPRIGHT.get(_orientation(image) or 0)
    image = shrunk(image, _EDGE_PX)
    if upright is not None:
        image = image.transpose(upright)
    if image.mode.startswith("I"):
        # 16 bits of grey; Pillow's own conversion makes all of it white.
        image = image.convert("I").point(lambda grey: grey / 256).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int | None:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # Damaged metadata makes Pillow raise almost anything, and is no reason to refuse.
        return None
