"""What int8 brings on this machine: a network of dense convolutions and the depthwise YOLOX-nano, side by side in one run.

Both are the same trained network: `dense` has its depthwise convolutions written as dense ones (the same numbers, zeros
between the channels), so that both see with equal eyes and only the kind of layer differs. Another trained network can be
given with --dense. Four models take turns on every picture (float and int8 of both), one thread each; times are medians.
Pictures and boxes are PETS S2.L1: every eighth frame is measured, ranges come from frames between them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np

from pahara.core import Image
from pahara.detection import load_detector
from pahara.evaluation import Annotations, read_mot
from pahara.training.quantize import average_precision, detector_inputs, times, to_int8
from pahara.video import open_source
from shared import arguments, asset, show

SCALE = 1.6  # the truth is drawn for 768 x 576, the video is 480 x 360


def written_densely(model: Path, out: Path) -> int:
    """Every depthwise convolution as a dense one with the same answer; -> how many there were."""
    import onnx
    from onnx import numpy_helper

    whole = onnx.load(model)
    weights = {each.name: each for each in whole.graph.initializer}
    changed = 0
    for node in whole.graph.node:
        groups = next((each for each in node.attribute if each.name == "group"), None)
        if node.op_type != "Conv" or groups is None or groups.i == 1:
            continue
        held = weights[node.input[1]]
        thin = numpy_helper.to_array(held)  # (outputs, inputs / groups, k, k)
        outputs, inner = thin.shape[0] // groups.i, thin.shape[1]
        wide = np.zeros((thin.shape[0], inner * groups.i, *thin.shape[2:]), thin.dtype)
        for group in range(groups.i):
            own = slice(group * outputs, (group + 1) * outputs)
            wide[own, group * inner : (group + 1) * inner] = thin[own]
        held.CopyFrom(numpy_helper.from_array(wide, held.name))
        groups.i = 1
        changed += 1
    onnx.save(whole, out)
    return changed


def frames(video: Path, wanted: set[int]) -> dict[int, Image]:
    """Pictures of the video by their number from 0."""
    with open_source(video, camera="bench") as source:
        return {number: frame.image.copy() for number, frame in enumerate(source) if number in wanted}


def truth_of(file: Path, numbers: list[int]) -> Annotations:
    """True boxes in pixels of the video; frame i is numbers[i]."""
    told = read_mot(file)
    rows = [(i, row) for i, number in enumerate(numbers) for row in np.flatnonzero(told.frames == number + 1)]
    return Annotations.of([i for i, _ in rows], told.boxes[[row for _, row in rows]] / SCALE)


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--model", default="models/yolox-nano-416.onnx", help="the depthwise network, of the assets")
    parser.add_argument("--dense", type=Path, default=None, help="another dense detector (.onnx, float)")
    parser.add_argument("--every", type=int, default=8, help="measure accuracy on every so many frames")
    parser.add_argument("--rounds", type=int, default=40, help="timed runs of each model")
    parser.add_argument("--keep", default="head", choices=["head", "nothing"], help="what stays float")
    parser.add_argument("--method", default="minmax", choices=["minmax", "percentile"])
    asked = parser.parse_args()
    model = asset(asked.assets, asked.model)
    video, told = (asset(asked.assets, f"footage/pets-s2l1/{name}") for name in ("video.avi", "gt.txt"))
    tested, taught = list(range(0, 795, asked.every)), list(range(4, 795, 33))
    pictures = frames(video, {*tested, *taught})
    truth = truth_of(told, tested)
    with tempfile.TemporaryDirectory() as folder:
        dense = asked.dense or Path(folder) / "dense.onnx"
        layers = 0 if asked.dense else written_densely(model, dense)
        both = {"dense": dense, "depthwise": model}
        small = {name: Path(folder) / f"{name}-int8.onnx" for name in both}
        figures: dict[str, float] = {}
        accuracy: dict[str, tuple[float, float]] = {}
        for name, path in both.items():
            detector = load_detector(path, confidence=0.01, classes=("person",))
            to_int8(path, small[name], detector_inputs(detector, (pictures[n] for n in taught)), keep=asked.keep, method=asked.method)
            eight = load_detector(small[name], confidence=0.01, classes=("person",), names=detector.names)
            seen = [pictures[n] for n in tested]
            accuracy[name] = average_precision(detector, seen, truth), average_precision(eight, seen, truth)
        order = [both["dense"], small["dense"], both["depthwise"], small["depthwise"]]
        feeds = {name: next(detector_inputs(load_detector(path), [pictures[tested[0]]])) for name, path in both.items()}
        if feeds["dense"].keys() == feeds["depthwise"].keys() and all(
            feeds["dense"][key].shape == feeds["depthwise"][key].shape for key in feeds["dense"]
        ):
            ms = times(order, feeds["dense"], rounds=asked.rounds)
        else:
            ms = [*times(order[:2], feeds["dense"], rounds=asked.rounds), *times(order[2:], feeds["depthwise"], rounds=asked.rounds)]
        for row, name in enumerate(both):
            before, after = ms[2 * row : 2 * row + 2]
            head = "" if name == "dense" else "depthwise_"
            figures |= {
                f"{head}speedup": before / after,
                f"{head}ap50_drop": accuracy[name][0] - accuracy[name][1],
                f"{head}ap50": accuracy[name][0],
                f"{head}ap50_int8": accuracy[name][1],
                f"{head}ms": before,
                f"{head}ms_int8": after,
                f"{head}mb": both[name].stat().st_size / 1e6,
                f"{head}mb_int8": small[name].stat().st_size / 1e6,
            }
    figures |= {"frames": len(tested), "layers_made_dense": layers}
    notes = {
        "speedup": "float ms ÷ int8 ms of the dense network, one thread; goal ≥ 1.3",
        "ap50_drop": "AP50 of people lost by int8, 0..1; goal ≤ 0.02",
        "depthwise_speedup": "the same for the network with depthwise convolutions",
        "ms": "one prepared picture, median, float",
    }
    show(figures, as_json=asked.json, title=f"int8 on {model.name}, PETS S2.L1, one thread, keep {asked.keep}, {asked.method}", notes=notes)


if __name__ == "__main__":
    main()
