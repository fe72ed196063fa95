"""`pahara predict`: what a trained model says of pictures and films, drawn on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .output import Json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict")(predict)


def predict(
    model: Annotated[str, typer.Argument(help="A run's folder, a weights file, or an exported .onnx.", metavar="RUN|WEIGHTS|MODEL.onnx")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures, films, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures with the answers drawn.")] = Path("predicted"),
    least: Annotated[float, typer.Option("--least", min=0, max=1, help="Score from which a box is shown (detectors).")] = 0.3,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Write the pictures.")] = True,
    as_json: Json = False,
) -> None:
    """Ask a trained model about pictures or films, and write the pictures with its answers drawn on them."""
    import cv2

    from pahara.core.errors import PaharaError

    from .learning import need_training, short
    from .output import err, say, say_json
    from .stores import usable_folder

    need_training()
    from pahara.training.tasks import using

    trained = using.open_trained(model)
    if draw:
        usable_folder(out, "--out")
    rows: list[dict[str, Any]] = []
    used: set[str] = set()
    console = err()
    with console.status("looking", spinner="dots") as status:
        for number, seen in enumerate(using.predict(trained, paths, least=least), 1):
            status.update(f"{number}: {seen.path.name}")
            where = None
            if draw:
                where = out / _name(seen.path, seen.time, used)
                done, encoded = cv2.imencode(".jpg", seen.picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
                try:
                    where.write_bytes(encoded.tobytes() if done else b"")
                except OSError as problem:
                    raise PaharaError(f"cannot write {where}: {problem.strerror or problem}; choose another folder with --out") from problem
            rows.append({"path": seen.path, "time": seen.time, **seen.answer, "picture": where})
            if not as_json:
                at = f" at {seen.time:.1f} s" if seen.time else ""
                say(f"{short(seen.path)}{at}: {seen.words}")
    if as_json:
        say_json({"model": model, "kind": trained.kind, "classes": list(trained.about.get("classes", ())), "predictions": rows})
        return
    if draw:
        say(f"{len(rows)} pictures in {short(out)}")


def _name(path: Path, time: float, used: set[str]) -> str:
    """A file name that is not taken yet: two folders may hold a 1.jpg each."""
    stem = f"{path.stem}-{time:07.2f}s" if time else path.stem
    name, number = f"{stem}.jpg", 2
    while name in used:
        name, number = f"{stem}-{number}.jpg", number + 1
    used.add(name)
    return name
