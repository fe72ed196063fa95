"""`pahara export`: trained weights become a file that the watcher runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pahara.training.export import Exported


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


def export(
    source: Annotated[Path, typer.Argument(metavar="RUN|WEIGHTS", help="A run's folder, or a .safetensors file.")],
    to: Annotated[str, typer.Option("--to", metavar="onnx|openvino", help="openvino writes .xml and .bin beside the .onnx.")] = "onnx",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The .onnx file to write (default: model.onnx in the run).")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Pictures to compare on (default: staged scenes).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Export a model to ONNX, compare it with torch on random and real inputs, and only then put the file in place.

    Watching then needs onnxruntime alone: `detector: runs/x/model.onnx`, `behaviours: [{kind: action, model: …}]` or
    `signals: [{kind: clip, model: …}]` (or `autoencoder`) in pahara.yml.
    """
    from pahara.core.errors import ConfigError

    from .learning import need_training, short, yaml_line
    from .output import err, say, say_json

    if to not in ("onnx", "openvino"):
        raise ConfigError(f"no format '{to}'. There are 'onnx' and 'openvino'")
    need_training()
    from pahara.training.export import export as write
    from pahara.training.export import need_openvino, to_openvino

    if to == "openvino":
        need_openvino()  # before minutes are spent
    with err().status("exporting and comparing with torch", spinner="dots"):
        made = write(source, out, data=data)
    other = to_openvino(made.path, made.path.with_suffix(".xml")) if to == "openvino" else None
    if as_json:
        say_json({**_facts(made), "openvino": other})
        return
    real = "" if made.parity_real != made.parity_real else f", {made.parity_real:.1e} on real ones"
    say(f"{short(made.path)}: {made.bytes / 1e6:.2f} MB, {made.inputs}", style="green")
    say(f"differs from torch by {made.parity:.1e} on random inputs{real} (limit 1e-4 of the output's scale)")
    say(f"{made.ms:.2f} ms an input on one thread, torch {made.torch_ms:.2f} ms")
    if other is not None:
        say(f"{short(other)}: for OpenVINO; the watcher reads the .onnx (`engine: openvino` computes it with OpenVINO)")
    kind, model = str(made.about["kind"]), short(made.path)
    line = yaml_line(kind, made.about.get("window") or {}, model)
    say(f"in pahara.yml: {line or f'nothing: a classifier of pictures serves `pahara predict {model}`'}")


def _facts(made: Exported) -> dict[str, Any]:
    return {
        "path": made.path, "kind": made.about["kind"], "bytes": made.bytes, "parity": made.parity, "parity_real": made.parity_real,
        "ms": made.ms, "torch_ms": made.torch_ms, "input": made.inputs, "outputs": made.outputs, "classes": made.about.get("classes", []),
    }  # fmt: skip
