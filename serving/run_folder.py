"""The folder of what a server knows of its sessions: sockets, accepted calls, files, endings."""

import os
import stat
import tempfile
from pathlib import Path

from pipeline.settings import Settings, SettingsError

MOST_CHARACTERS = 70
"""The name of a socket may have 108 bytes (unix(7)), and ours have up to 37 beyond the folder."""


def run_folder(settings: Settings, port: int) -> Path:
    """The folder, made if need be. Only this user may look into it: sockets in it are asked freely.

    Raises:
        SettingsError: When it can't be made, or others could have.
    """
    folder = settings.run_dir or Path(tempfile.gettempdir(), f"salon-{os.getuid()}-{port}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise SettingsError(f"SALON_RUN_DIR: {folder} can't be made ({error.strerror}).") from None
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise SettingsError(f"SALON_RUN_DIR: {folder} must be a folder of yours alone (mode 700).")
    if len(os.fsencode(folder.absolute())) > MOST_CHARACTERS:
        raise SettingsError(f"SALON_RUN_DIR: {folder} is too long a path; sockets are named in it.")
    return folder.absolute()
