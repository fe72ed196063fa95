"""`pahara simulate`: film a staged scene, with its truth and the configuration that its incidents belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("simulate")(simulate)


def simulate(
    script: Annotated[
        str, typer.Argument(help="A script: a YAML file or the name of a bundled one (see --list). Default: a random scene by --seed.")
    ] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write scene.mp4, truth.json, script.yml and pahara.yml into.")] = Path(
        "scene"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Which random scene; with a script, its people and noise anew.")] = -1,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Length of a random scene.")] = 60,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Incidents of a random scene (repeat it); default: a mixture.")] = None,
    frames: Annotated[bool, typer.Option("--frames", help="Write a folder of JPEG pictures instead of H.264.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the bundled scripts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Film a scene that never happened: people in 3-D before a described camera, with ground truth."""
    from dataclasses import replace

    from rich.progress import Progress

    from pahara.core.errors import PaharaError
    from pahara.language import counted
    from pahara.pipeline.staged import config_text
    from pahara.simulate import bundled_scripts, dump, load_script
    from pahara.simulate.random import KINDS, random_script
    from pahara.simulate.write import write_frames, write_video

    from .output import err, say, say_json
    from .stores import usable_folder

    if listed:
        names = bundled_scripts()
        if as_json:
            say_json({"scripts": names})
        else:
            say("\n".join(names))
        return
    if script:
        if kind:
            raise PaharaError("--kind belongs to random scenes: leave it out, or leave the script out")
        staged = load_script(script)
        staged = replace(staged, seed=seed) if seed >= 0 else staged
    else:
        staged = random_script(max(seed, 0), kinds=tuple(kind) if kind else KINDS, duration=seconds)

    usable_folder(out, "--out")
    console = err()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("filming", total=staged.frame_count)

        def tell(done: int, _: int) -> None:
            progress.update(task, completed=done)

        if frames:
            film, truth_path = out / "frames", out / "frames" / "truth.json"
            truth = write_frames(staged, film, progress=tell)
        else:
            film, truth_path = out / "scene.mp4", out / "truth.json"
            truth = write_video(staged, film, truth_path=truth_path, progress=tell)
    try:
        (out / "script.yml").write_text(dump(staged), encoding="utf-8")
        (out / "pahara.yml").write_text(config_text(truth, film.name), encoding="utf-8")
    except OSError as problem:
        raise PaharaError(f"cannot write into {out}: {problem.strerror or problem}") from problem
    incidents = [
        {"kind": i.kind, "start": round(i.start, 2), "end": round(i.end, 2), "place": i.place, "sure": i.sure} for i in truth.incidents
    ]
    if as_json:
        told = {"film": film, "truth": truth_path, "config": out / "pahara.yml", "script": out / "script.yml"}
        say_json({**told, "frames": len(truth.frames), "fps": truth.fps, "incidents": incidents})
        return
    say(f"{film}: {truth.duration:.0f} s at {truth.fps:g} frames a second, {counted('count.incidents', len(incidents))}")
    for one in incidents:
        where = f" ({one['place']})" if one["place"] else ""
        say(f"  {one['start']:6.1f} s  {one['kind']}{where}")
    say(f"watch it: pahara watch {film} -c {out / 'pahara.yml'}")
