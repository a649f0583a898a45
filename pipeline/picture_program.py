"""The program that decodes one picture: standard input is the file, standard output the answer.

`picture_process.py` runs it. What it may use is bounded before it looks at the file; its exit
status says what the output is.
"""

import os
import resource
import signal
import sys
import traceback
from typing import NoReturn

MEMORY_BYTES = 512 * 2**20
"""Of address space. The largest PNG (50 megapixels, transparent) takes 480 MB."""

CPU_S = 10
WALL_CLOCK_S = 15
"""The largest PNG takes 2 seconds of CPU."""

OUTPUT_BYTES = 8 * 2**20
"""Of one file. Noise of 1600 x 1600 pixels makes a JPEG of 2 MB."""

OPEN_FILES = 16

NICENESS = 5
"""Somebody is heard on the same CPU."""

PICTURE, BUG, REFUSED, NOT_A_PICTURE, TOO_LARGE, NO_MEMORY = range(6)
"""What is in the output: `width height`, a line feed and the JPEG; a traceback; or a sentence.

With `NO_MEMORY` there is nothing. Python itself ends with 1 when an exception was not caught.
"""


def limit() -> None:
    """Bound this process for good: also what it would run could not raise these again."""
    signal.alarm(WALL_CLOCK_S)
    os.nice(NICENESS)
    # At the hard limit comes SIGKILL, which does not tell why; SIGXCPU comes before.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    bounds = {
        resource.RLIMIT_FSIZE: OUTPUT_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # macOS has it by name only
        bounds[resource.RLIMIT_AS] = MEMORY_BYTES
    for kind, most in bounds.items():
        resource.setrlimit(kind, (most, most))


def main() -> int:
    """Decode; returns the exit status."""
    # By its path the program is started without the project's folder, and without this one.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from pipeline import picture_decoder as decoder

    kinds = {decoder.NotAPictureError: NOT_A_PICTURE, decoder.PictureTooLargeError: TOO_LARGE}
    try:
        picture = decoder.prepare_upload(sys.stdin.buffer)
    except decoder.PictureError as error:
        os.write(1, str(error).encode())
        return kinds.get(type(error), REFUSED)
    except MemoryError:
        return NO_MEMORY
    sys.stdout.buffer.write(b"%d %d\n" % (picture.width, picture.height) + picture.jpeg)
    return PICTURE


def run() -> NoReturn:
    """Be that process."""
    limit()
    try:
        status = main()
    except Exception:
        # Not to standard error: that is the server's own log, line by line.
        traceback.print_exc(file=sys.stdout)
        status = BUG
    sys.stdout.flush()
    os._exit(status)  # half of the exit's 10 ms is for memory that the system takes back anyway


if __name__ == "__main__":
    run()
