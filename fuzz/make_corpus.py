"""Makes the first files of every corpus: small, valid, and each with something that the others lack.

    python3 fuzz/make_corpus.py     # standard library only
"""

import binascii
import io
import json
import shutil
import struct
import tarfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"


def put(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def idx():
    put("idx", "images", bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 2, 3) + bytes(range(12)))
    put("idx", "labels", bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + bytes([7, 0, 9]))
    put("idx", "huge", bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1))


def cifar():
    put("cifar", "two", bytes([4]) + bytes(range(12)) + bytes([9]) + bytes(range(12, 24)))


def gzip():
    def packed(content, size):
        encoder = zlib.compressobj(9, wbits=31)
        return struct.pack("<H", size) + encoder.compress(content) + encoder.flush()

    put("gzip", "right", packed(b"seven.", 6))
    put("gzip", "short", packed(b"seven.", 60))
    put("gzip", "bomb", packed(bytes(60_000), 6))


def archive():
    def tar(*entries):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as file:
            for name, content, kind in entries:
                info = tarfile.TarInfo(name)
                info.type = kind
                info.size = len(content)
                info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
                file.addfile(info, io.BytesIO(content))
        return out.getvalue().rstrip(b"\0") + bytes(1024)

    file = tarfile.REGTYPE
    put("archive", "wanted", tar(("folder", b"", tarfile.DIRTYPE), ("folder/wanted.bin", b"backproof", file)))
    put("archive", "outside", tar(("../outside", b"backproof", file)))
    put("archive", "root", tar(("/tmp/outside", b"backproof", file)))
    put("archive", "link", tar(("folder/wanted.bin", b"", tarfile.SYMTYPE)))
    put("archive", "wrong", tar(("folder/wanted.bin", b"backwards", file)))


def picture():
    def png(width, height, depth, colour, rows, palette=b""):
        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", binascii.crc32(kind + content))

        head = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0))
        body = chunk(b"IDAT", zlib.compress(rows, 9))
        colours = chunk(b"PLTE", palette) if palette else b""
        return b"\x89PNG\r\n\x1a\n" + head + colours + body + chunk(b"IEND", b"")

    put("picture", "grey", png(3, 2, 8, 0, bytes([0, 1, 2, 3, 1, 4, 5, 6])))
    put("picture", "rgba", png(1, 2, 8, 6, bytes([0, 1, 2, 3, 4, 2, 5, 6, 7, 8])))
    put("picture", "palette", png(2, 1, 1, 3, bytes([0, 0x40]), bytes([1, 2, 3, 4, 5, 6])))
    put("picture", "deep", png(1, 1, 16, 2, bytes([0, 1, 2, 3, 4, 5, 6])))
    put("picture", "claims-more", png(8192, 8192, 8, 2, bytes(10)))
    for name in ["baseline.jpg", "grey.jpg", "progressive.jpg", "turned-6.jpg"]:
        put("picture", name, (ROOT / "tests" / "fixtures" / "pictures" / name).read_bytes())


def config():
    folder = CORPUS / "config"
    folder.mkdir(parents=True, exist_ok=True)
    for file in ["quickstart", "cifar-baseline", "petre-mlp", "timurtas-warm-start", "lenet-5"]:
        text = (ROOT / "configs" / f"{file}.toml").read_text()
        put("config", file, "\n".join(line.split("#")[0].rstrip() for line in text.splitlines() if line[:1] != "#").encode())
    put("config", "small", (ROOT / "tests/fixtures/runs/small.toml").read_bytes())
    sets = "--set\noptimizer.learning_rate=0.1\ndata.augmentation.crop_padding=1\nname='a'\n"
    put("config", "overrides", (ROOT / "tests/fixtures/runs/small.toml").read_bytes() + sets.encode())


def sweep():
    for file in sorted((ROOT / "configs" / "sweeps").glob("*.toml")):
        text = file.read_text()
        put("sweep", file.stem, "\n".join(line for line in text.splitlines() if line[:1] != "#").encode())


def weights():
    def safetensors(tensors):
        head, body = {}, b""
        for name, kind, shape, content in tensors:
            head[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(content)]}
            body += content
        text = json.dumps(head).encode()
        return struct.pack("<Q", len(text)) + text + body

    def floats(*values, kind="f"):
        return struct.pack(f"<{len(values)}{kind}", *values)

    right = [
        ("norm1.weight", "F32", [1], floats(1)),
        ("norm1.bias", "F32", [1], floats(0)),
        ("norm1.running_mean", "F32", [1], floats(0.5)),
        ("norm1.running_var", "F32", [1], floats(2)),
        ("linear1.weight", "F32", [2, 2], floats(1, 2, 3, 4)),
        ("linear1.bias", "F32", [2], floats(5, 6)),
    ]
    put("weights", "right", safetensors(right))
    doubles = ("linear1.weight", "F64", [2, 2], floats(1, 2, 3, 1e300, kind="d"))
    put("weights", "doubles", safetensors(right[:4] + [doubles] + right[5:]))
    larger = ("linear1.weight", "F32", [3, 1], floats(1, 2, 3))
    put("weights", "larger", safetensors(right[:4] + [larger] + right[5:]))
    halves = [(f"module.{name}", "F16", shape, b"\x00\x3c" * (len(content) // 4)) for name, _, shape, content in right]
    put("weights", "halves", safetensors(halves))
    put("weights", "prefix-of-some", safetensors(halves[:1] + right[1:]))
    put("weights", "empty", safetensors([("linear1.weight", "F32", [0, 2], b"")]))
    put("weights", "long-head", struct.pack("<Q", 2**62) + b"{}")


def run_folder():
    run = ROOT / "tests" / "fixtures" / "runs"
    for version in sorted(path.name for path in run.iterdir() if path.is_dir()):
        for name in ["run.json", "normalizer.json", "metrics.jsonl", "log.txt", "checkpoints/last/state.json"]:
            put("run_folder", f"{version}-{Path(name).name}", (run / version / name).read_bytes())


def events():
    def masked(content):
        crc = 0xFFFFFFFF
        for byte in content:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
        crc ^= 0xFFFFFFFF
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    def record(content):
        length = struct.pack("<Q", len(content))
        return length + masked(length) + content + masked(content)

    version = record(b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2")
    steps = b"".join(record(bytes([0x10, step, 0x2A, 8, 0x0A, 6, 0x0A, 1, 0x61, 0x15, 0, 0])) for step in (5, 10, 15))
    put("events", "three", version + steps)
    put("events", "cut", (version + steps)[:-3])


if __name__ == "__main__":
    shutil.rmtree(CORPUS, ignore_errors=True)
    for make in [idx, cifar, gzip, archive, picture, config, sweep, weights, run_folder, events]:
        make()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes")
