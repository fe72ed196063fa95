"""`pahara data`: look after the data that a model learns from: check, convert, split, label."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, Language, mark, note, progress, say, say_json, table

if TYPE_CHECKING:
    from pahara.training.data.doctor import Finding, Report

data = typer.Typer(name="data", help="Check, convert, split and label the data that models learn from.", no_args_is_help=True)

SHOWN = 3  # places of one kind of finding in the table
Where = Annotated[Path, typer.Argument(help="A data.yaml or its folder (YOLO), class folders of pictures or clips, a COCO or VOC set.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(data)


@data.command()
def check(
    path: Where,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is safe: boxes slightly over the edge, repeated lines. Keeps a copy.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="List every place, not the first few of each kind.")] = False,
    as_json: Json = False,
    lang: Language = "en",
) -> None:
    """Examine a data set: every picture, every line of every label, copies, leaks. Ends with 1 when there are errors."""
    from pahara.training.data.doctor import check as examine
    from pahara.training.data.doctor import mend

    language = _language(lang)
    report = _examined(examine, path)
    done = mend(report) if fix else []
    if done:
        report = _examined(examine, path)
    if as_json:
        say_json(report.plain(language) | {"mended": done})
    else:
        _tell(report, language, every=every)
        _tell_mended(done, language, fix=fix)
        _verdict(report, language, fix=fix)
    if not report.fit:
        raise typer.Exit(1)


@data.command()
def convert(
    source: Where,
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    to: Annotated[str, typer.Option("--to", help="yolo, coco or voc.")],
    pictures: Annotated[Path | None, typer.Option("--pictures", help="Folder of a COCO file's pictures, where it is not found.")] = None,
    one_based: Annotated[bool, typer.Option("--one-based", help="VOC pixels count from 1, as in the original PASCAL sets.")] = False,
    as_json: Json = False,
) -> None:
    """Write a detection set in another format, its pictures beside it (hard links where possible). Boxes stay exact."""
    from pahara.core.errors import DataError
    from pahara.training.data.convert import convert as change

    if to not in ("yolo", "coco", "voc"):
        raise DataError(f"--to {to}: there are yolo, coco and voc")
    with progress("Converting") as tell:
        done = change(source, out, to, one_based=one_based, pictures=pictures, progress=lambda n, total: tell(n, total))  # type: ignore[arg-type]
    if as_json:
        say_json(done)
        return
    told = ", ".join(f"{split} {count}" for split, count in done.pictures.items())
    say(f"{mark('ok')} {done.folder}: {told} pictures, {done.boxes} boxes", style="green")
    if done.left_out:
        note(f"{done.left_out} crowds or difficult objects were left out: YOLO has no word for them", style="yellow")


@data.command()
def split(
    path: Where,
    val: Annotated[float, typer.Option("--val", min=0, max=0.9, help="Share to look at while training.")] = 0.15,
    test: Annotated[float, typer.Option("--test", min=0, max=0.9, help="Share to examine on at the end.")] = 0.15,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another split.")] = 0,
    near: Annotated[bool, typer.Option("--near/--no-near", help="Keep pictures that look nearly the same on one side.")] = True,
    as_json: Json = False,
) -> None:
    """Divide a data set: classes spread evenly, and no recording on two sides. Nothing is moved; a list is written."""
    from pahara.core.errors import DataError
    from pahara.training.data.dividing import divide

    if val + test >= 1:
        raise DataError(f"--val {val:g} and --test {test:g} leave nothing to train on")
    with progress("Looking at pictures") as tell:
        done = divide(
            path, shares={"train": 1 - val - test, "val": val, "test": test}, seed=seed, near=near, progress=lambda n, total: tell(n, total)
        )
    if as_json:
        say_json(done)
        return
    table(["split", "files", "sources"], [[name, count, done.groups[name]] for name, count in done.files.items()], right=(1, 2))
    if done.joined:
        say(f"{done.joined} pictures stay with another that looks nearly the same")
    if done.cut:
        note(
            f"{'one recording' if done.cut == 1 else f'{done.cut} recordings'} only: cut into stretches of time. The same place and day "
            "teaches and examines, so figures will look better than on another day; add another film with `pahara data label`",
            style="yellow",
        )
    say(f"{mark('ok')} written: {done.file}" + (f" (as it was: {done.backup})" if done.backup else ""), style="green")


@data.command()
def label(
    video: Annotated[str, typer.Argument(help="A video file, a folder of pictures, or a camera's address.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the YOLO set; one that is there grows, and goes on where it was.")],
    detector: Annotated[str, typer.Option("--detector", "-d", help="auto, a name of `pahara models list`, or an .onnx file.")] = "auto",
    names: Annotated[
        list[str] | None, typer.Option("--class", help="Class to label (repeat it); default: what the detector finds.")
    ] = None,
    every: Annotated[float, typer.Option("--every", min=0.02, help="Seconds between pictures.")] = 2.0,
    confidence: Annotated[float, typer.Option("--confidence", min=0.01, max=1, help="Least certainty of the detector.")] = 0.35,
    alike: Annotated[bool, typer.Option("--alike", help="Keep pictures too that nearly repeat one before.")] = False,
    into: Annotated[str, typer.Option("--split", help="train, val or test.")] = "train",
    most: Annotated[int, typer.Option("--most", min=0, help="Stop after so many pictures; 0: at the end of the video.")] = 0,
    as_json: Json = False,
) -> None:
    """Turn a video into a YOLO set: pictures seconds apart, labelled by a detector. Correct them in any YOLO tool."""
    from pahara.config.detectors import choose_detector
    from pahara.core.errors import DataError
    from pahara.training.data.labelling import label_video
    from pahara.training.data.yolo import SPLITS

    if into not in SPLITS:
        raise DataError(f"--split {into}: there are {', '.join(SPLITS)}")
    chosen = choose_detector(detector)
    made = chosen.make()
    if not as_json:
        note(f"detector: {chosen.why()}")
    with progress("Labelling") as tell:
        done = label_video(
            video, made, out, names=tuple(names or ()), every=every, confidence=confidence, alike=alike, split=into, most=most,
            progress=lambda seconds, total: tell(seconds, total or None),
        )  # fmt: skip
    if as_json:
        say_json(done)
        return
    went_on = f" (went on at {done.resumed:.0f} s)" if done.resumed else ""
    say(
        f"{mark('ok')} {done.folder}: {done.pictures} pictures, {done.boxes} boxes{went_on}; {done.alike} passed over as alike",
        style="green",
    )
    say("A detector's labels are guesses: correct them in a YOLO tool (labelImg, CVAT, Label Studio), then")
    say(f"  pahara data check {out}\n  pahara data split {out}")


def _language(lang: str) -> str:
    from pahara.core.errors import DataError
    from pahara.language import LANGUAGES

    if lang not in LANGUAGES:
        raise DataError(f"--lang {lang}: there are {', '.join(LANGUAGES)}")
    return lang


def _examined(examine: Any, path: Path) -> Report:
    with progress("Looking at pictures") as tell:
        report: Report = examine(path, progress=lambda done, total: tell(done, total))
    return report


def _tell(report: Report, language: str, *, every: bool) -> None:
    from rich.text import Text

    from pahara.language import text

    def words(key: str, **values: Any) -> str:
        return text(f"data.report.{key}", language, **values)

    files = sum(report.splits.values())
    say(f"{report.path}: {words('summary', kind=words(f'kind.{report.kind}'), files=files, classes=len(report.names))}", style="bold")
    if len(report.splits) > 1:
        say("  " + ", ".join(f"{split} {count}" for split, count in report.splits.items()))
    styles: Mapping[str, str] = {"error": "red", "warning": "yellow", "info": "dim"}
    states: Mapping[str, Any] = {"error": "fail", "warning": "warn", "info": "ok"}
    kinds: dict[str, list[Finding]] = {}
    for finding in report.findings:
        kinds.setdefault(finding.code, []).append(finding)
    for code, findings in kinds.items():
        level = findings[0].level
        head = f"{mark(states[level])} {words(f'level.{level}')} {code} ({len(findings)}): {findings[0].todo(language)}"
        say(Text(head, style=styles[level]))
        shown = findings if every else findings[:SHOWN]
        for finding in shown:
            say(f"    {finding.place}: {finding.what(language)}")
        if len(findings) > len(shown):
            say(f"    {words('more', count=len(findings) - len(shown))}", style="dim")


def _tell_mended(done: list[Any], language: str, *, fix: bool) -> None:
    from pahara.language import text

    for one in done:
        say(text("data.report.mended", language, path=one.path, dropped=one.dropped, cut=one.cut, backup=one.backup), style="green")
    if fix and not done:
        say(text("data.report.mended.nothing", language))


def _verdict(report: Report, language: str, *, fix: bool) -> None:
    from pahara.language import text

    counts = report.counts
    fixable = sum(finding.fixable for finding in report.findings)
    if fixable and not fix:
        say(text("data.report.fixable", language, count=fixable, path=report.path))
    if not report.findings:
        say(f"{mark('ok')} {text('data.report.well', language)}", style="green")
    elif report.fit:
        say(f"{mark('ok')} {text('data.report.fit', language, warnings=counts['warning'])}", style="green")
    else:
        say(f"{mark('fail')} {text('data.report.unfit', language, errors=counts['error'], warnings=counts['warning'])}", style="red")
