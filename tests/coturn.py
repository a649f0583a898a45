"""Which TURN server the tests run; as a command, make sure that there is one.

    python tests/coturn.py

Takes coturn's `turnserver`, and the one that `SALON_TURNSERVER` names before it. Finding none, it
installs Debian's package (as root), or says what to do.
"""

import os
import shutil
import subprocess
import sys

WHAT_TO_DO = (
    "The tests of relayed calls need coturn, and it could not be installed here. Install it "
    "(Debian: apt-get install coturn), or name it: SALON_TURNSERVER=/path/to/turnserver make test"
)


def turnserver() -> str | None:
    """The path of coturn's program; None when there is none."""
    return shutil.which(os.environ.get("SALON_TURNSERVER") or "turnserver")


def _install() -> None:
    """Try what may work here; the output is shown."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "coturn"], env=quiet, check=False)
    if os.path.isdir("/run/systemd/system"):
        # Debian starts it as a service, open to all; the tests need the program only.
        subprocess.run(["systemctl", "disable", "--now", "coturn"], check=False)


def main() -> int:
    """Make sure of coturn; the exit status is 1 when there is none."""
    if turnserver() is None:
        print("Installing coturn for the tests of relayed calls ...", flush=True)
        _install()
    if turnserver() is None:
        print(WHAT_TO_DO, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
