"""Draws what a terminal showed as an SVG: `command 2>&1 | python3 docs/terminal_picture.py "$ command" > picture.svg`."""

import html
import sys
import textwrap

LINE, CHARACTER = 19, 8.43  # of a monospace font at 14 px

NO_BREAK = "\u00a0"  # browsers collapse other spaces, whatever `xml:space` says
MOST = 142  # characters of a line; what is longer goes on below

lines = [sys.argv[1], ""]
for line in sys.stdin.read().rstrip("\n").split("\n"):
    lines += textwrap.wrap(line, MOST, drop_whitespace=False) or [""]
width = round(max(map(len, lines)) * CHARACTER) + 40
height = len(lines) * LINE + 68
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">')
print(f"<title>{html.escape(sys.argv[1])}</title>")
print(f'<rect width="{width}" height="{height}" rx="8" fill="#1b1f24"/>')
for place, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
    print(f'<circle cx="{20 + 20 * place}" cy="20" r="6" fill="{colour}"/>')
print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">')
for number, line in enumerate(lines):
    colour = "#7ee787" if number == 0 else "#e6edf3" if "accuracy" in line or line.startswith(("class", "proven")) else "#adbac7"
    weight = ' font-weight="bold"' if "accuracy" in line or line.startswith("proven") else ""
    # Some programs drop spaces at the start of a text, even those that do not break.
    text = line.lstrip(" ")
    x = round(20 + (len(line) - len(text)) * CHARACTER, 2)
    text = html.escape(text.rstrip(" ")).replace(" ", NO_BREAK)
    print(f'<text x="{x:g}" y="{56 + number * LINE}" fill="{colour}"{weight}>{text}</text>')
print("</g></svg>")
