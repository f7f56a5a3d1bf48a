"""Exported networks in ONNX Runtime: the files are valid, and give the logits of the program.

    python tests/onnx/check_exports.py FOLDER

Each folder in FOLDER has `model.onnx`, `pixels.onnx` with the normalisation, and `pytorch/test_vector.safetensors` with the pixels of 8
images, the input that the program made of them, and its logits. Exits with 1 where logits differ by more than 1e-5 of the largest one.
"""

import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
from safetensors.numpy import load_file

TOLERANCE = 1e-5


def session(path):
    """The file, checked in full, in ONNX Runtime on the CPU."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    assert [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim][0] == "N"
    constants = {constant.name for constant in model.graph.initializer}
    unused = constants - {name for node in model.graph.node for name in node.input}
    assert not unused, f"{unused} are not used"
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def difference(runtime, images, logits):
    """The largest difference for batches of 1 and 7, as a share of the largest logit."""
    (name,) = [value.name for value in runtime.get_inputs()]
    kind = numpy.uint8 if "uint8" in runtime.get_inputs()[0].type else numpy.float32
    worst = []
    for first, last in [(0, 1), (1, 8)]:
        (found,) = runtime.run(["logits"], {name: images[first:last].astype(kind)})
        assert found.shape == logits[first:last].shape, f"{found.shape}"
        worst.append(numpy.abs(found - logits[first:last]).max() / numpy.abs(logits).max())
    return numpy.max(worst)


def main():
    different, folders = [], sorted(Path(sys.argv[1]).iterdir())
    for folder in folders:
        vector = load_file(folder / "pytorch/test_vector.safetensors")
        of_input = difference(session(folder / "model.onnx"), vector["input"], vector["logits"])
        of_pixels = difference(session(folder / "pixels.onnx"), vector["pixels"], vector["logits"])
        print(f"{folder.name}: largest difference {of_input:.1e}, from pixels {of_pixels:.1e}")
        if not (of_input <= TOLERANCE and of_pixels <= TOLERANCE):  # nor is what is no number
            different.append(folder.name)
    print(f"{len(folders)} exports, {', '.join(different) + ' DIFFERENT' if different else 'all equal'}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
