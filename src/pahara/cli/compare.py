"""`pahara compare RUN RUN …`: trainings side by side, as a table and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare")(compare)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, two or more.", metavar="RUN RUN …")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture of their curves: .png or .svg.")] = Path("compared.png"),
    as_json: Json = False,
) -> None:
    """Compare runs: figures on held-out data, minutes, size, what was done differently, and all curves in one picture."""
    from pahara.core.errors import TrainingError

    from .learning import need_training, short, shown
    from .output import say, say_json, table, warn

    if len(runs) < 2:
        raise TrainingError("name two runs or more: pahara compare runs/image runs/image-2")
    need_training()
    from pahara.training import comparing

    read = [comparing.read_run(folder) for folder in runs]
    figures, different = comparing.figures(read), comparing.differences(read)
    picture = comparing.plot(read, out)
    kinds = sorted({run.kind for run in read})
    data = sorted({str(run.settings.get("data")) for run in read})
    if as_json:
        say_json(
            {
                "runs": [
                    {
                        "run": run.folder, "kind": run.kind, "figures": dict(run.figures), "epochs": len(run.history), "minutes": run.minutes,
                        "megabytes": run.megabytes,
                    }
                    for run in read
                ],
                "different": different, "picture": picture,
            }
        )  # fmt: skip
        return
    rows = [(name.replace("_", " "), *(shown(name, value) for value in values)) for name, values in figures.items()]
    rows.append(("epochs", *(str(len(run.history)) for run in read)))
    rows.append(("minutes", *(f"{run.minutes:.1f}" for run in read)))
    rows.append(("MB", *(f"{run.megabytes:.2f}" for run in read)))
    table(("", *(run.name for run in read)), rows, right=range(1, len(read) + 1))
    if different:
        table(
            ("done differently", *(run.name for run in read)), [(name, *(_told(v) for v in values)) for name, values in different.items()]
        )
    if len(kinds) > 1 or len(data) > 1:
        warn(
            f"these runs are of different {'kinds' if len(kinds) > 1 else 'data'} ({', '.join(kinds if len(kinds) > 1 else data)}): their figures do not compare"
        )
    say(f"curves: {short(picture)}")


def _told(value: object) -> str:
    return "–" if value in (None, "", [], {}) else str(value)
