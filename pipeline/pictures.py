"""Camera and screen frames as the model gets them: JPEG, small, and named by their source.

Everything here is plain CPU work on bytes; callers run it in `PICTURE_THREADS`, never on the event
loop. One 720p JPEG takes 6 ms and one 1080p JPEG 14 ms (measured on two cores), each a gap in the
audio if it were on the loop. The pool is our own because aiortc encodes Opus in the default one.
"""

import functools
import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.frame_change import gist_size
from pipeline.picture_decoder import Picture, PictureError, encoded, shrunk

PICTURE_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")

THUMBNAIL_PX = 160
_THUMBNAIL_QUALITY = 60

_LABELS = {"camera": "CAMERA", "screenVideo": "SCREEN"}


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One camera or screen frame as a transport delivers it.

    Parameters:
        data: `width * height * len(mode)` bytes.
        size: Width and height in pixels.
        mode: Pillow's name of the pixel format; `RGB` from Pipecat's transports.
        source: `camera`, `screenVideo` or a transport's own name.
        whose: The name of whose it is; empty when it need not be said.
    """

    data: bytes
    size: tuple[int, int]
    mode: str
    source: str
    whose: str = ""

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
            self.image(),
            source=self.source,
            whose=self.whose,
            long_edge_px=long_edge_px,
            quality=quality,
        )


def encode_frame(
    image: Image.Image, *, source: str, long_edge_px: int, quality: int, whose: str = ""
) -> Picture:
    """Encode a frame as `Pixels.encode` does."""
    small = shrunk(image, long_edge_px).convert("RGB")
    if label := label_of(source, whose):
        strip = _strip(label, small.width)
        labelled = Image.new("RGB", (small.width, strip.height + small.height))
        labelled.paste(strip)
        labelled.paste(small, (0, strip.height))
        small = labelled
    return encoded(small, source=source, quality=quality)


def label_of(source: str, whose: str) -> str:
    """What stands above a frame: of which source it is and whose, as far as it can be drawn.

    The font that comes with Pillow has Latin letters alone, without most of their marks.
    """
    label = _LABELS.get(source, "")
    plain = unicodedata.normalize("NFKD", whose).encode("ascii", "ignore").decode().strip()
    return f"{label} OF {plain}" if label and plain else label


def thumbnail(jpeg: bytes) -> bytes:
    """A JPEG of a JPEG that was made here, its longer side `THUMBNAIL_PX` at most.

    Raises:
        PictureError: It can't be read.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            small = shrunk(image, THUMBNAIL_PX).convert("RGB")
    except OSError as error:
        raise PictureError(f"A frame could not be read: {error}.") from None
    thumb = io.BytesIO()
    small.save(thumb, "JPEG", quality=_THUMBNAIL_QUALITY)
    return thumb.getvalue()


@functools.lru_cache(maxsize=16)
def _strip(label: str, width: int) -> Image.Image:
    """White on dark, as high as a line of small type."""
    height = min(max(width // 28, 12), 24)
    strip = Image.new("RGB", (width, height), (40, 40, 40))
    font = ImageFont.load_default(size=height * 3 // 4)
    ImageDraw.Draw(strip).text((4, height // 2), label, fill="white", font=font, anchor="lm")
    return strip
