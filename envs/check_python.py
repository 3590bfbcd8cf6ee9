"""Say in one line why `make setup` cannot use this Python, and end with status 1; say nothing where it can."""

import importlib.util
import platform
import sys

# From the first one to before the second.
VERSIONS = (3, 11), (3, 14)


def obstacle() -> str:
    """Name the first thing in the way, or give an empty text."""
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not VERSIONS[0] <= sys.version_info[:2] < VERSIONS[1]:
        return f"{sys.executable} is Python {this}; oddjet needs 3.11, 3.12 or 3.13: make PYTHON=python3.13"
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return f"{sys.executable} has no venv: install it (on Debian and Ubuntu: apt install python{this}-venv)"
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"the packages of envs/*.lock are for Linux on x86_64, not {sys.platform} on {platform.machine()}"
    return ""


if __name__ == "__main__":
    sys.exit("error: " + obstacle() if obstacle() else 0)
