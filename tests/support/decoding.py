"""Decodes files one after another and tells how much memory their processes took at most.

    python -m tests.support.decoding FILE...

It is a small process, because what a process took counts from before it became another program.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from pipeline.picture_decoder import PictureError
from pipeline.picture_process import clean_picture


def main(paths: list[str]) -> None:
    """Print how many became pictures, and the most memory that a child took, in MB."""
    clean = 0
    for path in paths:
        with Path(path).open("rb") as file:
            try:
                asyncio.run(clean_picture(file))
                clean += 1
            except PictureError as error:
                print(error, file=sys.stderr)
    most_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"clean": clean, "most_mb": most_kb / 1024}))


if __name__ == "__main__":
    main(sys.argv[1:])
