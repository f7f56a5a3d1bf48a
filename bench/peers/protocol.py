"""How a peer talks with `backproof bench`: JSON lines, a task in, then a turn at a time.

    in   {"architecture": …, "batch": 16, "pass": "training", "variant": "eager", "threads": 2, "seconds": 0.5}
    out  {"ready": {"software": "PyTorch 2.15.0", …}}      or {"unavailable": REASON}, or {"error": REASON, "help": WAY OUT}
    in   go
    out  {"steps": 170, "seconds": 0.501}
    …    until stdin ends
"""

import json
import os
import sys
import time

# Answers go out by the stdout that this process was given. Whatever else prints does so to stderr.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(message):
    ANSWERS.write(json.dumps(message) + "\n")
    ANSWERS.flush()


def task():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def import_torch():
    """The module, or an answer that says how to get it."""
    try:
        import torch
    except ImportError as error:
        way_out = (
            f"{sys.executable} -m pip install -r bench/peers/requirements.txt; or `--python PATH` names a Python that has it"
        )
        answer({"error": f"{sys.executable} cannot import torch: {error}", "help": way_out})
        sys.exit(1)
    return torch


def take_turns(step, seconds):
    """One turn of at least `seconds` for each line that comes in."""
    for _ in sys.stdin:
        steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            step()
            steps += 1
        answer({"steps": steps, "seconds": elapsed})


def warm_up(step, seconds):
    """At least five steps, and half a turn, as the other side does."""
    steps, start = 0, time.perf_counter()
    while steps < 5 or time.perf_counter() - start < seconds / 2:
        step()
        steps += 1
