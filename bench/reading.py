"""What the cache of a folder of images costs, beside decoding the images and doing nothing else.

    python3 -m venv venv && venv/bin/pip install pillow numpy
    venv/bin/python bench/make_photos.py FOLDER
    cargo build --release -p backproof-data --example decode
    python3 bench/reading.py target/release/examples/decode FOLDER [ROUNDS]

runs the two by turns (5 times if ROUNDS is not given), each as a process of its own on all cores. A figure is the time that the
process had on the cores, in programs and in the system. Other programs on the machine change it less than the time on the clock.
The first round, which brings the files into memory, does not count.
"""

import os
import statistics
import subprocess
import sys
import tempfile


def seconds(command):
    """User and system time of a process, and its time on the clock as it tells it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime, float(told.split()[-2])


def main():
    program, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    found = {"decode": [], "cache": []}
    for number in range(rounds + 1):
        for name in found:
            with tempfile.TemporaryDirectory() as cache:
                figures = seconds([program, folder] + [cache] * (name == "cache"))
            if number > 0:
                found[name].append(figures)
                print(f"{number}  {name:6}  {figures[0]:6.2f} s on the cores, {figures[1]:6.2f} s on the clock", flush=True)
    for at, what in enumerate(["on the cores", "on the clock"]):
        decode, cache = (statistics.median(it[at] for it in found[name]) for name in found)
        ratio = statistics.median(c[at] / d[at] for d, c in zip(found["decode"], found["cache"]))
        print(f"medians {what}: decode {decode:.2f} s, cache {cache:.2f} s; cache / decode of a round {ratio:.3f}")


if __name__ == "__main__":
    main()
