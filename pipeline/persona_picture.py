"""A persona's portrait: a small file that the page shows, whatever is in it."""

from pathlib import Path

PICTURE_NAME = r"^[A-Za-z0-9_-]+\.(svg|png|jpg|webp)$"
"""What it may be called: the ending tells what it is."""

MAX_BYTES = 64 * 1024

_KINDS = {
    ".svg": ("image/svg+xml", b"<svg"),
    ".png": ("image/png", b"\x89PNG"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".webp": ("image/webp", b"WEBP"),
}
"""By ending: the content type, and what such a file has near its beginning."""


class PictureError(Exception):
    """A portrait can't be used; the message is one sentence."""


def read_picture(path: Path) -> tuple[bytes, str]:
    """Read a portrait.

    Args:
        path: A file whose name is as `PICTURE_NAME` says.

    Returns:
        What is in it, and its content type.

    Raises:
        PictureError: When it is not there, too large, or not what its name says.
    """
    content_type, mark = _KINDS[path.suffix]
    try:
        with path.open("rb") as file:
            picture = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"{path.name} can't be read ({error.strerror}).") from None
    if len(picture) > MAX_BYTES:
        raise PictureError(f"{path.name} must not be larger than {MAX_BYTES // 1024} KB.")
    if mark not in picture[:1024]:
        raise PictureError(f"{path.name} must be a picture of the kind that its name says.")
    return picture, content_type
