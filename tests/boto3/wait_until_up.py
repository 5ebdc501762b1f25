"""Waits until the simulator answers, its process has ended, or half a minute has passed."""

import os
import sys
import time
import urllib.error
import urllib.request


def is_up(endpoint):
    try:
        with urllib.request.urlopen(f"{endpoint}/_sim/record", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def is_alive(process):
    try:
        os.kill(process, 0)
        return True
    except ProcessLookupError:
        return False


def main(endpoint, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if is_up(endpoint):
            return 0
        if not is_alive(int(process)):
            return 1
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
