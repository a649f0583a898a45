"""Pictures as the model gets them: JPEG, upright, of a bounded size, and named by their source.

Everything here is plain CPU work on bytes; callers run it in `PICTURE_THREADS`, never on the event
loop. One 720p JPEG takes 6 ms and one 1080p JPEG 14 ms (measured on two cores), each a gap in the
audio if it were on the loop. The pool is our own because aiortc encodes Opus in the default one.
"""

import functools
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageFont, UnidentifiedImageError

from pipeline.frame_change import gist_size

PICTURE_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")

MAX_PICTURE_BYTES = 20 * 1024 * 1024
"""An upload's largest size. The Live API takes messages of up to 20 MB."""

MAX_PICTURE_PIXELS = 50_000_000
"""Counted before decoding: 50 megapixels are 150 MB once decoded."""

PICTURE_FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
"""The formats that are decoded, by Pillow's name, with their MIME types."""

_MOST_PIXELS = f"{MAX_PICTURE_PIXELS // 1_000_000} megapixels are the most"

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

_UPLOAD_EDGE_PX = 1600  # small text is on uploads too

_LABELS = {"camera": "CAMERA", "screenVideo": "SCREEN"}


class PictureError(Exception):
    """A picture can't be shown to the model; the message is one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A still that is ready for the model.

    Parameters:
        jpeg: The encoded picture, without metadata except the source's name.
        width: In pixels, as encoded.
        height: In pixels, as encoded.
    """

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One camera or screen frame as a transport delivers it.

    Parameters:
        data: `width * height * len(mode)` bytes.
        size: Width and height in pixels.
        mode: Pillow's name of the pixel format; `RGB` from Pipecat's transports.
        source: `camera`, `screenVideo` or a transport's own name.
    """

    data: bytes
    size: tuple[int, int]
    mode: str
    source: str

    def image(self) -> Image.Image:
        """The frame for Pillow.

        Raises:
            PictureError: When the pixels don't fit the size, or the format is unknown.
        """
        try:
            return Image.frombytes(self.mode, self.size, self.data)
        except ValueError as error:
            raise PictureError(f"A {self.source} frame could not be encoded: {error}.") from None

    def gist(self) -> np.ndarray:
        """The frame as a `ChangeDetector` looks at it: small and grey.

        Raises:
            PictureError: As `image` does.
        """
        size = gist_size(*self.size, source=self.source)
        grey = self.image().convert("RGB").convert("L")
        return np.asarray(grey.resize(size, Image.Resampling.BOX, reducing_gap=1.0))

    def encode(self, *, long_edge_px: int, quality: int) -> Picture:
        """The frame for the model, with a strip above it that names its source.

        The Live API has no place for the name beside a frame: its `video` is a bare `Blob`, text
        that goes with it is a turn of its own that the model answers, and what a JPEG says in its
        comment is not looked at. So the name is in the picture, where it hides nothing and costs
        nothing: a frame is 258 tokens, whatever its size.

        Args:
            long_edge_px: The longer side at most, without the strip.
            quality: Of the JPEG, as Pillow counts.

        Raises:
            PictureError: As `image` does.
        """
        return encode_frame(
            self.image(), source=self.source, long_edge_px=long_edge_px, quality=quality
        )


def encode_frame(image: Image.Image, *, source: str, long_edge_px: int, quality: int) -> Picture:
    """Encode a frame as `Pixels.encode` does."""
    small = _shrunk(image, long_edge_px).convert("RGB")
    if label := _LABELS.get(source):
        strip = _strip(label, small.width)
        labelled = Image.new("RGB", (small.width, strip.height + small.height))
        labelled.paste(strip)
        labelled.paste(small, (0, strip.height))
        small = labelled
    return _jpeg(small, source=source, quality=quality)


@functools.lru_cache(maxsize=16)
def _strip(label: str, width: int) -> Image.Image:
    """White on dark, as high as a line of small type."""
    height = min(max(width // 28, 12), 24)
    strip = Image.new("RGB", (width, height), (40, 40, 40))
    font = ImageFont.load_default(size=height * 3 // 4)
    ImageDraw.Draw(strip).text((4, height // 2), label, fill="white", font=font, anchor="lm")
    return strip


def prepare_upload(data: bytes) -> Picture:
    """Check an uploaded file and make it ready for the model.

    What it is is told by its content, never by its name. Its orientation is applied; the rest of
    its metadata, where it was taken for instance, is left behind.

    Raises:
        PictureError: When it is too large, not a picture, of another format, or broken.
    """
    if len(data) > MAX_PICTURE_BYTES:
        megabytes, most = len(data) / 2**20, MAX_PICTURE_BYTES // 2**20
        raise PictureError(f"The picture has {megabytes:.0f} MB; {most} MB is the most.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of damaged metadata, and above 89 megapixels; the count below is ours.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=list(PICTURE_FORMATS))
        if image.width * image.height > MAX_PICTURE_PIXELS:
            raise PictureError(
                f"The picture has {image.width} x {image.height} pixels; {_MOST_PIXELS}."
            )
        return _encode_upload(image)
    except UnidentifiedImageError:
        raise PictureError("That file is not a JPEG, PNG, WebP or GIF picture.") from None
    except Image.DecompressionBombError:
        raise PictureError(f"The picture has too many pixels; {_MOST_PIXELS}.") from None
    except (OSError, SyntaxError, ValueError, EOFError):
        # What Pillow raises for truncated and corrupt files, by format.
        raise PictureError("The picture is broken: it could not be read to its end.") from None


def _encode_upload(image: Image.Image) -> Picture:
    """Shrink, turn upright, flatten and encode."""
    image.draft("RGB", (_UPLOAD_EDGE_PX, _UPLOAD_EDGE_PX))  # decoded no larger than needed
    image.load()
    upright = _UPRIGHT.get(_orientation(image) or 0)
    if image.mode.startswith("I"):
        # 16 bits of grey; Pillow's own conversion makes all of it white.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = _shrunk(image, _UPLOAD_EDGE_PX)
    if upright is not None:
        image = image.transpose(upright)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    return _jpeg(image.convert("RGB"), source="upload", quality=85)


def _shrunk(image: Image.Image, edge_px: int) -> Image.Image:
    image.thumbnail((edge_px, edge_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def _jpeg(image: Image.Image, *, source: str, quality: int) -> Picture:
    """The comment names the source for whoever reads files; the model does not."""
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=quality, comment=f"source={source}".encode(), exif=b"")
    return Picture(jpeg=jpeg.getvalue(), width=image.width, height=image.height)


def _orientation(image: Image.Image) -> int | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # Damaged metadata makes Pillow raise almost anything, and is no reason to refuse.
        return None
