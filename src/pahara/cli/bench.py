"""`pahara bench`: what a watch costs on this machine, beside the physical limit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("bench")(bench)


def bench(
    video: Annotated[Path | None, typer.Argument(help="A video file (default: a staged scene of 30 seconds).", readable=False)] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="pahara.yml whose behaviours run (default: the standard ones).", readable=False)
    ] = None,
    detector: Annotated[str, typer.Option("--detector", help="A zoo name, a path to .onnx, motion, hog, auto.")] = "",
    frames: Annotated[int, typer.Option("--frames", min=10, help="How many frames a round.")] = 300,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds; the figures are medians.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure decoding, inference, the whole watch, and what the motion gate saves and misses, side by side in one run."""
    import math
    import tempfile

    from pahara.config import choose_detector, default_config, load, plan, plan_for_source
    from pahara.core.errors import SourceError
    from pahara.language import counted
    from pahara.pipeline.bench import as_dict
    from pahara.pipeline.bench import bench as measure
    from pahara.simulate.random import random_script
    from pahara.simulate.write import write_video

    from .output import err, say, say_json, table

    if video is not None and not video.is_file():
        raise SourceError(f"{video} is no video file: give the path of one, or none for a staged scene")
    with tempfile.TemporaryDirectory() as folder, err().status("measuring", spinner="dots") as status:
        film = video
        if film is None:
            film = Path(folder) / "scene.mp4"
            status.update("filming a staged scene")
            write_video(random_script(0, duration=30), film)
        if config is not None:
            settings = load(config)
            wanted = plan_for_source(settings, str(film))
        else:
            settings = default_config(str(film))
            wanted = plan(settings, next(iter(settings.cameras)))
        chosen = choose_detector(detector or wanted.detector, folder=Path() if detector else settings.folder)
        result = measure(wanted, film, chosen, frames=frames, rounds=rounds, tell=lambda told: status.update(told))
    if as_json:
        say_json({"video": video or "staged", "detector": chosen.name, **as_dict(result)})
        return
    say(
        f"{video or 'staged scene'} · {chosen.name} · {result.frames} frames, medians of {result.rounds} round{'' if result.rounds == 1 else 's'}"
    )
    inference = "–" if math.isnan(result.inference_ms) else f"{result.inference_ms:.2f}"
    table(
        ("what", "CPU ms a frame", "remark"),
        [
            ("bare decode", f"{result.decode_ms:.2f}", "PyAV to BGR: the limit of reading"),
            ("bare inference", inference, "the model on a ready input, one thread: the limit of seeing"),
            ("detector", f"{result.detect_ms:.2f}", "with preparing the picture and reading the output"),
            (
                "whole watch",
                f"{result.whole_ms:.2f}",
                f"{result.overhead:.2f} x the bare limits; {1000 / result.whole_ms:.0f} frames a second on one core",
            ),
            (
                "with motion gate",
                f"{result.gated_ms:.2f}",
                f"{result.gate_saves:.1f} x less; the detector saw {result.gate_share:.0%} of the frames",
            ),
        ],
        right=(1,),
    )
    say(
        f"the gate kept {result.gate_seen:.0%} of the tracked seconds; {counted('count.events', result.events)} without it,"
        f" {result.gate_missed} of them missed with it, {result.gate_added} others brought"
    )
