"""Which Chromium the browser tests drive; as a command, make sure that there is one, and a font.

    python tests/browser.py

Takes the first that it finds: the one that `SALON_CHROMIUM` names, the system's, Playwright's own.
Finding none, it installs Debian's package (as root) or Playwright's browser, or says what to do.
The pictures of the Chinese page want a font that has its characters.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

WHAT_TO_DO = (
    "The browser tests need Chromium, and none could be installed here. Install it "
    "(Debian: apt-get install chromium), or name one: SALON_CHROMIUM=/path/to/chromium make test"
)
FONT = "fonts-wqy-microhei"
WHAT_TO_DO_FOR_CHINESE = (
    "The pictures of the Chinese page need a font with Chinese characters, and none could be "
    f"installed here. Install one (Debian: apt-get install {FONT})."
)


def chromium() -> str | None:
    """The path of a Chromium that is there; None when there is none."""
    named = os.environ.get("SALON_CHROMIUM")
    if named:
        return shutil.which(named)
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def has_chinese() -> bool:
    """Whether a font has Chinese characters; systems without fontconfig bring one."""
    if not shutil.which("fc-list"):
        return sys.platform != "linux"
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True)
    return bool(fonts.stdout)


def _install_package(name: str) -> None:
    """Debian's, where that may work; its output is shown."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", name], env=quiet, check=False)


def _install() -> None:
    """Try what may work here; each attempt's output is shown."""
    _install_package("chromium")
    if chromium() is None:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=False, timeout=600)


def main() -> int:
    """Make sure of a browser and a font; the exit status is 1 when there is none."""
    if chromium() is None:
        print("Installing Chromium for the browser tests ...", flush=True)
        _install()
    if chromium() is None:
        print(WHAT_TO_DO, file=sys.stderr)
        return 1
    if not has_chinese():
        print("Installing a font for the browser tests ...", flush=True)
        _install_package(FONT)
    if not has_chinese():
        print(WHAT_TO_DO_FOR_CHINESE, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
