"""Draws what a terminal of so many columns shows as an SVG, in its colours.

    python3 docs/terminal_picture.py 80 "cargo xtask compare-gradients" target/release/backproof compare-gradients > picture.svg

The first line of the picture is the second argument; the command that runs follows it.
"""

import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import sys
import termios

LINE, CHARACTER = 19, 8.43  # of a monospace font at 14 px
INK, BRIGHT = "#adbac7", "#e6edf3"
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#76e3ea", "90": "#768390"}
COLOURS |= {"38;5;9": COLOURS["31"], "38;5;10": COLOURS["32"], "38;5;11": COLOURS["33"], "38;5;8": COLOURS["90"]}
NO_BREAK = "\u00a0"  # browsers collapse other spaces, whatever `xml:space` says


def shown(columns, command):
    """What the command writes to a terminal of so many columns; progress on stderr is left out."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=subprocess.DEVNULL)
    os.close(its)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        text += part
    process.wait()
    return text.decode().replace("\r\n", "\n").rstrip("\n")


def pieces(line):
    """(text, colour, bold) of a line."""
    colour, bold = None, False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                yield part, colour, bold
            continue
        code = part[2:-1]
        if code in ("", "0"):
            colour, bold = None, False
        elif code == "39":
            colour = None
        elif code in ("1", "22"):
            bold = code == "1"
        else:
            bold = bold or code.endswith(";1")
            colour = COLOURS.get(code.removesuffix(";1"), colour)


columns, title, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
rows = []  # of (column, text, colour, bold)
for line in shown(columns, command).split("\n"):
    row, column = [], 0
    for text, colour, bold in pieces(line):
        while text:  # what is longer than the terminal goes on below
            fits = text[: columns - column]
            row.append((column, fits, colour, bold))
            column, text = column + len(fits), text[len(fits) :]
            if text and column == columns:
                rows.append(row)
                row, column = [], 0
    rows.append(row)
rows = [[(0, f"$ {title}", COLOURS["32"], False)], []] + rows
width = round(columns * CHARACTER) + 40
height = len(rows) * LINE + 68
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">')
print(f"<title>{html.escape(title)}</title>")
print(f'<rect width="{width}" height="{height}" rx="8" fill="#1b1f24"/>')
for place, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
    print(f'<circle cx="{20 + 20 * place}" cy="20" r="6" fill="{colour}"/>')
print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">')
for number, row in enumerate(rows):
    for column, text, colour, bold in row:
        # Some programs drop spaces at the start of a text, even those that do not break.
        bare = text.lstrip(" ")
        x = round(20 + (column + len(text) - len(bare)) * CHARACTER, 2)
        bare = html.escape(bare.rstrip(" ")).replace(" ", NO_BREAK)
        if not bare:
            continue
        bright = bold or bare.startswith(("proven", "NOT"))
        weight = ' font-weight="bold"' if bright else ""
        fill = colour or (BRIGHT if bright else INK)
        print(f'<text x="{x:g}" y="{56 + number * LINE}" fill="{fill}"{weight}>{bare}</text>')
print("</g></svg>")
