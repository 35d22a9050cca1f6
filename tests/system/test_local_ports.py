"""Ports are given out long before they are used, to several processes at a time."""

import contextlib
import subprocess
import sys

_TAKE = """
from nastavnik_local.ports import free_port
print(*(free_port() for _ in range(400)), flush=True)
input()
"""


def test_no_two_processes_are_given_the_same_port() -> None:
    with contextlib.ExitStack() as stack:
        takers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _TAKE],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        given = [
            port for taker in takers if taker.stdout for port in taker.stdout.readline().split()
        ]
    assert (len(given), len(set(given))) == (800, 800)
