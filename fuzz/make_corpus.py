"""Makes the first files of every corpus: small, valid, and each with something that the others lack.

    python3 fuzz/make_corpus.py     # standard library only
"""

import binascii
import io
import json
import shutil
import struct
import tarfile
import zipfile
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


def arrays():
    """Files that answers to exercises may be; see crates/arrays."""

    def element(kind, data):
        return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)

    def variable(name, shape, numbers):
        parts = [(6, struct.pack("<II", 6, 0)), (5, struct.pack(f"<{len(shape)}i", *shape)), (1, name)]
        parts.append((9, struct.pack(f"<{len(numbers)}d", *numbers)))
        return element(14, b"".join(element(kind, data) for kind, data in parts))

    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    numbers = head + variable(b"y", [2, 1], [1.5, float("nan")]) + variable(b"dx", [1, 3], [1.0, 2.0, 3.0])
    put("arrays", "matlab", numbers)
    put("arrays", "cut", numbers[:-8])
    tensors = json.dumps({"y": {"dtype": "I32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    put("arrays", "integers", struct.pack("<Q", len(tensors)) + tensors + struct.pack("<2i", 1, -2))


def cifar():
    put("cifar", "two", bytes([4]) + bytes(range(12)) + bytes([9]) + bytes(range(12, 24)))


def pickles():
    """Files that the Python versions of CIFAR may be; tests/fixtures/pickles/make_pickles.py makes them with NumPy."""
    for file in sorted((ROOT / "tests/fixtures/pickles").glob("*.pickle")):
        put("pickle", file.stem, file.read_bytes())
    put("pickle", "system", b"\x80\x02cos\nsystem\nU\x02ls\x85R.")


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
    of_pillow = "palette.gif animated.gif palette.bmp opaque.bmp lossless.webp lossy.webp alpha.webp animated.webp lzw.tif deflate.tif"
    of_pillow += " packed.tif fax.tif sixteen-bit.tif cmyk.tif turned-6.tif huge.gif huge.bmp huge.webp huge.tif"
    for name in ["baseline.jpg", "grey.jpg", "progressive.jpg", "turned-6.jpg", *of_pillow.split()]:
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
    put("config", "residual", (ROOT / "tests/fixtures/weights/residual.toml").read_bytes())


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


def matlab():
    class Writer:
        """Elements in one byte order; see crates/models/src/weights/matlab."""

        def __init__(self, order):
            self.order = order

        def words(self, *words):
            return struct.pack(f"{self.order}{len(words)}I", *words)

        def element(self, kind, data):
            if 0 < len(data) <= 4:
                return (self.words(len(data) << 16 | kind) + data).ljust(8, b"\0")
            return self.words(kind, len(data)) + data + bytes(-len(data) % 8)

        def array(self, kind, dims, name, *content):
            head = self.element(6, self.words(kind, 0)) + self.element(5, self.words(*dims))
            return self.element(14, head + self.element(1, name) + b"".join(content))

        def numbers(self, dims, *numbers):
            return self.array(6, dims, b"", self.element(9, struct.pack(f"{self.order}{len(numbers)}d", *numbers)))

        def bytes(self, *numbers):
            return self.array(9, [1, len(numbers)], b"", self.element(2, bytes(numbers)))

        def text(self, text):
            return self.array(4, [1, len(text)], b"", self.element(16, text.encode()))

        def struct(self, name, **fields):
            names = b"".join(field.encode().ljust(8, b"\0") for field in fields)
            return self.array(2, [1, 1], name, self.element(5, self.words(8)), self.element(1, names), *fields.values())

        def file(self, *variables):
            version = struct.pack(f"{self.order}2H", 0x0100, 0x4D49)
            return b"MATLAB 5.0 MAT-file".ljust(124) + version + b"".join(variables)

        def packed(self, variable):
            content = zlib.compress(variable)
            return self.words(15, len(content)) + content

        def network(self):
            def layer(kind, **fields):
                return self.struct(b"", type=self.text(kind), **fields)

            def params(weights, biases):
                return self.struct(b"", weights=weights, biases=biases)

            convolution = params(self.numbers([1, 2, 2, 2], *range(8)), self.numbers([2, 1], 0.5, -0.5))
            linear = params(self.numbers([2, 8], *range(16)), self.bytes(1, 2))
            layers = [
                layer("input", params=self.struct(b"", size=self.bytes(2, 3, 2))),
                layer("convolution", params=convolution, padding=self.bytes(0, 0)),
                layer("relu"),
                layer("fully_connected", params=linear),
                layer("softmaxloss"),
            ]
            return self.struct(b"net", layers=self.array(1, [1, len(layers)], b"", *layers))

    little, big = Writer("<"), Writer(">")
    put("matlab", "plain", little.file(little.network()))
    put("matlab", "packed", little.file(little.packed(little.network())))
    put("matlab", "big-endian", big.file(big.network()))
    put("matlab", "bomb", little.file(little.packed(little.array(9, [1, 3_000_000], b"x", little.element(2, bytes(3_000_000))))))
    put("matlab", "cells", little.file(little.array(1, [2**31 - 1, 1], b"net", little.element(14, b""))))
    deep = little.numbers([1, 1], 1)
    for _ in range(40):
        deep = little.array(1, [1, 1], b"", deep)
    put("matlab", "deep", little.file(deep))
    put("matlab", "text", little.file(little.struct(b"net", layers=little.text("none"))))
    put("matlab", "version-7.3", b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384) + b"\x89HDF\r\n\x1a\n")


def numpy():
    def array(descr, shape, content, fortran=False, version=1):
        head = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
        length = struct.pack("<H" if version == 1 else "<I", len(head))
        return b"\x93NUMPY" + bytes([version, 0]) + length + head + content

    def archive(packed, **arrays):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
            for name, content in arrays.items():
                # Without a time of its own, so that the file is the same every time.
                file.writestr(zipfile.ZipInfo(name.replace("_", ".", 1) + ".npy"), content, file.compression)
        return out.getvalue()

    def floats(*values, kind="<f"):
        return struct.pack(f"{kind[0]}{len(values)}{kind[1]}", *values)

    right = {
        "norm1_weight": array("<f4", (1,), floats(1)),
        "norm1_bias": array("<f8", (1,), floats(0, kind="<d")),
        "norm1_running_mean": array(">f4", (1,), floats(0.5, kind=">f")),
        "norm1_running_var": array("|u1", (1,), b"\x02"),
        "linear1_weight": array("<f4", (2, 2), floats(1, 2, 3, 4), fortran=True, version=2),
        "linear1_bias": array("<f2", (2,), floats(5, 6, kind="<e")),
    }
    put("numpy", "stored", archive(False, **right))
    put("numpy", "deflated", archive(True, **right))
    put("numpy", "larger", archive(True, **{**right, "linear1_weight": array("<f4", (3, 1), floats(1, 2, 3))}))
    put("numpy", "objects", archive(False, linear1_bias=array("|O", (1,), b"\x80\x04N.")))
    put("numpy", "bomb", archive(True, linear1_bias=array("|u1", (3_000_000,), bytes(3_000_000))))
    put("numpy", "claims-more", archive(False, linear1_bias=array("<f4", (2**40, 2**40), b"")))
    put("numpy", "single", right["linear1_bias"])


def run_folder():
    run = ROOT / "tests" / "fixtures" / "runs"
    for version in sorted(path.name for path in run.iterdir() if path.is_dir()):
        for name in ["run.json", "normalizer.json", "metrics.jsonl", "log.txt", "checkpoints/last/state.json"]:
            put("run_folder", f"{version}-{Path(name).name}", (run / version / name).read_bytes())
    look = {
        "iteration": 7,
        "epoch": 0.5,
        "tensors": [{"name": "conv1.weight", "gradient": 1e-3, "update": 1e-4, "weight": 0.1}],
        "probe_images": 256,
        "relus": [{"layer": "relu1", "unit": "channel", "units": 8, "dead": 1, "zeros": 0.5}],
    }
    lines = [json.dumps(look | {"iteration": iteration}) + "\n" for iteration in (7, 14)]
    put("run_folder", "layers.jsonl", "".join(lines).encode())
    image = {"index": 3, "label": 1, "predicted": 0, "probability": 0.75, "layer": "conv1"}
    facts = json.dumps({"schema_version": 1, "iteration": 7, "images": [image]})
    head = {
        "__metadata__": {"explained": facts},
        "0.pixels": {"dtype": "U8", "shape": [1, 2, 2], "data_offsets": [0, 4]},
        "0.saliency": {"dtype": "F32", "shape": [2, 2], "data_offsets": [4, 20]},
        "0.grad_cam": {"dtype": "F32", "shape": [1, 1], "data_offsets": [20, 24]},
    }
    text = json.dumps(head).encode()
    put("run_folder", "explained.safetensors", struct.pack("<Q", len(text)) + text + bytes(range(24)))


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
    data = [arrays, idx, cifar, pickles, gzip, archive, picture]
    for make in [*data, config, sweep, weights, matlab, numpy, run_folder, events]:
        make()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes")
