"""`pahara models`: which models there are, which are here, and what is inside."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .output import Json, mark, note, say, say_json, table

models = typer.Typer(name="models", help="List, fetch and look into models of detection and pose.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(models)


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models that are known by name, and where those are that are on this machine."""
    from pahara.config.detectors import choose_detector
    from pahara.detection import zoo

    auto = choose_detector("auto")
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "task": task,
            "here": found.path is not None,
            "path": str(found.path or ""),
            "origin": found.origin,
            "input": model.input,
            "bytes": found.path.stat().st_size if found.path else model.bytes or None,
            "licence": model.licence,
            "classes": model.classes,
            "can_be_fetched": bool(model.url),
            "note": model.note,
        }
        for task, models in (("detect", zoo.MODELS), ("pose", zoo.POSES))
        for model in models.values()
        for found in [zoo.find(model)]
    ]
    if as_json:
        say_json({"models": rows, "auto": {"name": auto.name, "why": auto.why()}, "folders": _folders()})
        return
    table(
        ["model", "task", "here", "MB", "input", "licence", ""],
        [[row["name"], row["task"], _where(row), _megabytes(row["bytes"]), row["input"], row["licence"], row["note"]] for row in rows],
        right=(3, 4),
    )
    say(f"auto: {auto.why()}")


@models.command()
def pull(
    names: Annotated[list[str], typer.Argument(help="Names of `pahara models list`.")],
    as_json: Json = False,
) -> None:
    """Fetch models into this user's cache, checked against their published SHA-256. What is here is not fetched again."""
    from pahara.core.errors import ModelError
    from pahara.detection import zoo

    known = {**zoo.MODELS, **zoo.POSES}
    for name in names:
        if name not in known:
            raise ModelError(f"no model named {name!r}{zoo.did_you_mean(name, known)}; `pahara models list` shows the names")
    done = []
    for name in names:
        was_here = zoo.find(known[name]).path is not None
        path = zoo.locate(name, known=known)
        done.append({"name": name, "path": str(path), "fetched": not was_here, "sha256": zoo.show(name)["sha256"]})
        if not as_json:
            say(f"{mark('ok')} {name}: {path}{' (was here already)' if was_here else ''}", style="green")
    if as_json:
        say_json({"models": done})


@models.command()
def show(
    model: Annotated[str, typer.Argument(help="A name of `pahara models list`, or a path to an .onnx or .tflite file.")],
    engine: Annotated[str, typer.Option("--engine", help="onnxruntime or openvino.")] = "onnxruntime",
    as_json: Json = False,
) -> None:
    """Show a model: licence and origin, and, where the file is here, how Pahara reads it. Nothing is fetched."""
    from pathlib import Path

    from pahara.core.errors import ModelError
    from pahara.detection import zoo

    told: dict[str, Any] = {}
    known = {**zoo.MODELS, **zoo.POSES}
    is_file = Path(model).expanduser().is_file()
    if model in known or not is_file:
        told |= zoo.show(model) if model in known else {"path": str(zoo.locate(model, download=False, known=known))}
    if told.get("path") or is_file:
        if engine not in ("onnxruntime", "openvino"):
            raise ModelError(f"no engine named {engine!r}; there are 'onnxruntime' and 'openvino'")
        told |= _described(model, engine)
    if as_json:
        say_json(told)
        return
    table(["", ""], [[key, _cell(value)] for key, value in told.items() if value not in ("", None, [], {})])
    if not told.get("path"):
        note(f"not on this machine: pahara models pull {model}")


def _described(model: str, engine: str) -> dict[str, Any]:
    """What Pahara reads in a model that is here: of a pose model, which a file's end does not always tell, its joints."""
    from pahara.core.errors import ModelError
    from pahara.detection import zoo
    from pahara.detection.onnx import load_detector
    from pahara.detection.pose import load_pose

    if model in zoo.POSES or model.endswith(".tflite"):
        return load_pose(model).describe()
    try:
        return load_detector(model, engine=engine).describe()  # type: ignore[arg-type]
    except ModelError as problem:
        try:
            return load_pose(model).describe()
        except ModelError:
            raise problem from None


def _folders() -> dict[str, str]:
    import os

    from pahara.detection import zoo

    return {"PAHARA_MODELS": os.environ.get(zoo.MODELS_VARIABLE, ""), "cache": str(zoo.cache_folder())}


def _where(row: dict[str, Any]) -> str:
    if row["here"]:
        return f"{mark('ok')} {row['origin']}"
    return "" if row["can_be_fetched"] else "bring it yourself"


def _megabytes(size: int | None) -> str:
    return f"{size / 1e6:.1f}" if size else ""


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, list):
        words = [str(each) for each in value]
        return ", ".join(words[:12]) + (f" … ({len(words)})" if len(words) > 12 else "")
    return str(value)
