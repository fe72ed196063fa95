"""`pahara normality`: what a camera has learned is usual, where from, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Lang

if TYPE_CHECKING:
    from pahara.config import CameraPlan, Config
    from pahara.normality import Readiness
    from pahara.pipeline.learn import Learned
    from pahara.store import Store
    from pahara.store.learned import LearnedFolder

Camera = Annotated[str, typer.Option("--camera", help="Which camera, where the store or the configuration has several.")]
Where = Annotated[str, typer.Argument(help="Output folder of a watch, or a database URL.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="pahara.yml: the time zone, the budget, the detector.", readable=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="What is usual for a camera: learn it, look at it, undo it.", no_args_is_help=True)
    verbs.command("learn", no_args_is_help=True)(learn)
    verbs.command("show", no_args_is_help=True)(show)
    verbs.command("update", no_args_is_help=True)(update)
    verbs.command("rollback", no_args_is_help=True)(rollback)
    verbs.command("verdict", no_args_is_help=True)(verdict)
    app.add_typer(verbs, name="normality")


def learn(
    sources: Annotated[list[str], typer.Argument(help="A store (output folder of a watch), or films and folders of pictures.")],
    config: ConfigFile = None,
    camera: Camera = "",
    store: Annotated[str, typer.Option("--store", help="For films: the store that learns (default: pahara-out/NAME).")] = "",
    detector: Annotated[str, typer.Option("--detector", help="For films: a zoo name, a path to .onnx, motion, hog, auto.")] = "",
    anew: Annotated[bool, typer.Option("--anew", help="Forget what was learned before.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write the model to this file, for `model:` in a pahara.yml.")
    ] = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Learn what is usual from stored tracks or from films, which are taken for normal. Ctrl-C keeps what was learned; the same command goes on."""
    from pahara.config import default_config, load
    from pahara.core.errors import PaharaError

    from .output import say_json, warn
    from .stores import existing, spoken, usable_file

    spoken(lang)
    if out is not None:
        usable_file(out, "--out")
    settings = load(config) if config is not None else default_config("")
    if _is_store(sources[0]):
        if len(sources) > 1:
            raise PaharaError("give one store, or films: not both and not several stores")
        with existing(sources[0]) as opened:
            name = _camera(opened, camera)
            result, folder = _from_store(opened, name, settings, anew)
    else:
        result, folder, name = _from_films(sources, settings, camera, store, detector, anew)
    if out is not None and result.model is not None and result.ready:
        result.model.save(out)
    for problem in result.problems:
        warn(problem)
    told = {
        "camera": name, "version": result.version, "tracks": result.tracks, "hours": round(result.hours, 3), "new_seconds": round(result.seconds, 1),
        "skipped": result.skipped, "interrupted": result.interrupted, "ready": result.ready, "folder": str(folder.folder),
        "attributes": [_attribute(each) for each in result.readiness],
    }  # fmt: skip
    if as_json:
        say_json(told)
    else:
        _tell(result, lang, folder)
    if result.interrupted:
        raise typer.Exit(130)
    if result.problems:
        raise typer.Exit(1)


def show(
    source: Annotated[str, typer.Argument(help="Output folder of a watch, a database URL, or a model file.")],
    camera: Camera = "",
    version: Annotated[int, typer.Option("--version", help="Which model (default: the one that counts).", min=0)] = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Draw it: a page (.html) or a picture (.png).")] = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """What a camera knows: speed by place, ways, stays, hours, what it can judge, and how the alarm budget was kept."""
    from pahara.core.errors import PaharaError
    from pahara.language import has, number, text
    from pahara.report.portrait import rate_words, still_learning, write_portrait

    from .output import note, say, say_json, table
    from .stores import spoken, usable_file

    spoken(lang)
    if out is not None:
        if out.suffix.lower() not in (".html", ".png"):
            raise PaharaError(f"--out ends in .html for a page or in .png for a picture, not {out.suffix or 'in nothing'}")
        usable_file(out, "--out")
    portrait = _portrait(source, camera, version)
    if out is not None:
        write_portrait(portrait, out, lang)
    if as_json:
        say_json(portrait.as_dict() | {"picture": str(out) if out is not None else None})
        return
    known = portrait.model.known
    tracks = max((each.tracks for each in known.values()), default=0)
    facts = {"tracks": tracks, "hours": number(portrait.model.watched / 3600), "version": portrait.version or portrait.model.version}
    say(f"{portrait.camera}: {text('normality.learned', lang, **facts)}")
    rows = []
    for each in portrait.model.readiness():
        name = text(f"attribute.{each.name}", lang) if has(f"attribute.{each.name}") else each.name
        usual = known[each.name].ranges.values() if each.name in known else ()
        said = "; ".join(f"{text(f'quantity.{one.quantity}', lang)} {number(one.low)} – {number(one.high)}" for one in usual)
        needed = f"{each.needed}" + (f" + {number(each.days_needed)} d" if each.days_needed else "")
        rows.append((name, each.tracks, needed, text(f"show.ready.{'yes' if each.ready else 'no'}", lang), said))
    columns = [text(f"show.ready.{key}", lang) for key in ("attribute", "tracks", "needed", "state", "usual")]
    table(columns, rows, right=(1, 2))
    for missing in still_learning(portrait.model):
        say(text("normality.still", lang, what=missing[lang]))
    if portrait.kept.seconds:
        say(rate_words(portrait.kept, portrait.budget or "–")[lang])
    if out is not None:
        note(text("cli.report", lang, path=out), style="")


def update(store: Where, camera: Camera = "", config: ConfigFile = None, lang: Lang = "en", as_json: Json = False) -> None:
    """Do now what a watch does at night: learn from what has come out of quarantine, and take the new model only if it is no worse."""
    from pahara.config import default_config, load
    from pahara.language import text
    from pahara.pipeline.learning import Learning, settings_of, verdicts_of
    from pahara.store.learned import LearnedFolder

    from .output import say, say_json, warn
    from .stores import existing, spoken

    spoken(lang)
    settings = load(config) if config is not None else default_config("")
    with existing(store) as opened:
        name = _camera(opened, camera)
        folder = LearnedFolder.of(opened, name)
        learning = Learning(folder, settings=settings_of(str(settings.timezone), opened.clock()), verdicts=verdicts_of(opened, name))
        happened = learning.update(opened.clock())
        learning.finish()
    for problem in learning.problems:
        warn(problem)
    if as_json:
        say_json({"camera": name, "what": happened, "version": learning.chosen, "problems": learning.problems})
    else:
        key = f"normality.update.{happened.replace(' ', '_')}"
        say(f"{name}: {text(key, lang, version=learning.chosen)}")
    if learning.problems:
        raise typer.Exit(1)


def rollback(
    store: Where,
    version: Annotated[int, typer.Argument(help="To which model (default: the one before the one that counts).", min=0)] = 0,
    camera: Camera = "",
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Go back to an older model. A watch that is at work takes it over within a second or two; replays of the past stay as they were."""
    from pahara.core.errors import StoreError
    from pahara.language import text
    from pahara.store.learned import LearnedFolder

    from .output import say, say_json
    from .stores import existing, spoken

    spoken(lang)
    with existing(store) as opened:
        name = _camera(opened, camera)
        folder = LearnedFolder.of(opened, name)
        before = folder.current.version
        wanted = version or max([each for each in folder.versions if each < before], default=0)
        if not wanted:
            raise StoreError(f"{name} has no model before {before or 'its first'}: there is nothing to go back to")
        _loadable(folder, wanted)
        folder.choose(wanted, "rollback", by="operator", before=before)
    if as_json:
        say_json({"camera": name, "version": wanted, "before": before})
    else:
        say(f"{name}: {text('normality.rolled_back', lang, version=wanted, before=before)}")


def verdict(
    store: Where,
    event: Annotated[str, typer.Argument(help="The event's id (`pahara replay STORE --json` lists them); its beginning is enough.")],
    said: Annotated[str, typer.Argument(help="fine (a false alarm: learned from) or real (never learned from).", metavar="fine|real")],
    note: Annotated[str, typer.Option("--note", help="A word about it.")] = "",
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Say what an alarm was. "fine" teaches the camera that such a thing is normal, "real" that it never is; it counts from the next update on."""
    from pahara.core.errors import StoreError
    from pahara.language import text

    from .output import say, say_json
    from .stores import existing, spoken

    spoken(lang)
    if said not in ("fine", "real"):
        raise StoreError(f"no verdict {said!r}: it was 'fine' or 'real'")
    with existing(store) as opened:
        found = [each.id for each in opened.every_event() if each.id.startswith(event)]
        if len(found) != 1:
            told = f"{len(found)} events begin with {event!r}: give more of the id" if found else f"there is no event {event!r} in {store}"
            raise StoreError(told)
        stored = opened.review(found[0], "fine" if said == "fine" else "real", note or None)
    if as_json:
        say_json({"event": stored.id, "camera": stored.event.camera, "verdict": said})
    else:
        say(text(f"normality.verdict.{said}", lang, event=stored.id, camera=stored.event.camera))


# ---------------------------------------------------------------- inside


def _is_store(source: str) -> bool:
    return ("://" in source and not source.startswith(("rtsp", "http"))) or (Path(source).expanduser() / "pahara.db").is_file()


def _camera(store: Store, wanted: str) -> str:
    """The camera of that name; the only one where none is named. StoreError with what there is."""
    from pahara.config.problems import did_you_mean
    from pahara.core.errors import StoreError

    names = sorted({recording.camera for recording in store.recordings()})
    if not names:
        raise StoreError(f"{store.database.shown} holds no recording: `pahara watch SOURCE --out FOLDER` makes one")
    if wanted and wanted not in names:
        raise StoreError(f"no camera '{wanted}' in {store.database.shown}. {did_you_mean(wanted, names)}")
    if not wanted and len(names) > 1:
        raise StoreError(f"which camera? Say --camera with one of: {', '.join(names)}")
    return wanted or names[0]


def _from_store(store: Store, camera: str, settings: Config, anew: bool) -> tuple[Learned, LearnedFolder]:
    from pahara.pipeline.learn import learn_recordings
    from pahara.pipeline.learning import settings_of
    from pahara.store.learned import LearnedFolder

    from .output import progress

    recordings = store.recordings(camera=camera)
    chosen = settings_of(str(settings.timezone), recordings[0].epoch or recordings[0].begun)
    with progress("learning") as tell:
        result = learn_recordings(store, camera, recordings, settings=chosen, anew=anew, tell=lambda _, done, total: tell(done, total))
    return result, LearnedFolder.of(store, camera)


def _from_films(
    sources: list[str], settings: Config, camera: str, where: str, detector: str, anew: bool
) -> tuple[Learned, LearnedFolder, str]:
    from contextlib import ExitStack

    from pahara.config import choose_detector, default_config, plan, plan_for_source
    from pahara.pipeline.learn import learn_films
    from pahara.pipeline.learning import settings_of
    from pahara.store import Store
    from pahara.store.learned import LearnedFolder
    from pahara.video import open_source

    from .output import progress
    from .watch import _name

    def planned(source: str) -> CameraPlan:
        if settings.cameras:
            return plan_for_source(settings, source, camera)
        made = default_config(source)
        return plan(made, next(iter(made.cameras)))

    with ExitStack() as stack:
        films = [(Path(source), stack.enter_context(open_source(source, camera=planned(source).camera))) for source in sources]
        first = planned(sources[0])
        chosen = choose_detector(detector or first.detector, folder=Path() if detector else settings.folder)
        made = chosen.make()
        store = stack.enter_context(Store.open(where or Path("pahara-out") / _name(sources[0])))
        folder = LearnedFolder.of(store, first.camera)
        with progress("learning") as tell:
            result = learn_films(
                folder, first, films, made, settings=settings_of(str(settings.timezone), store.clock()), anew=anew,
                tell=lambda _, done, total: tell(done, total or None),
            )  # fmt: skip
    return result, folder, first.camera


def _tell(result: Learned, lang: str, folder: LearnedFolder) -> None:
    from pahara.language import number, text
    from pahara.report.portrait import still_learning

    from .output import say

    if result.ready:
        say(text("normality.learned", lang, tracks=result.tracks, hours=number(result.hours), version=result.version))
        say(text("normality.kept", lang, path=folder.path(result.version)))
    if result.model is not None:
        for missing in still_learning(result.model):
            say(text("normality.still", lang, what=missing[lang]))
    if result.interrupted:
        say(text("normality.interrupted", lang, tracks=result.tracks))
    elif not result.tracks:
        say(text("normality.nobody", lang))
    elif not result.seconds and result.skipped:
        say(text("normality.known_already", lang))


def _attribute(each: Readiness) -> dict[str, Any]:
    return {
        "name": each.name,
        "tracks": each.tracks,
        "needed": each.needed,
        "days": round(each.days, 3),
        "days_needed": each.days_needed,
        "ready": each.ready,
    }


def _loadable(folder: LearnedFolder, version: int) -> Any:
    from pahara.core.errors import StoreError
    from pahara.normality import Normality

    if version not in folder.versions:
        known = ", ".join(map(str, folder.versions[-8:])) or "none yet"
        raise StoreError(f"there is no model {version} in {folder.folder}; there are: {known}")
    return Normality.load(folder.path(version))


def _portrait(source: str, camera: str, version: int) -> Any:
    """What to show: of a model file alone, or of a camera of a store with its background, journal and budget."""
    from pahara.core.errors import StoreError
    from pahara.normality import Normality
    from pahara.report.portrait import Kept, Portrait
    from pahara.store.gallery import Gallery
    from pahara.store.learned import LearnedFolder
    from pahara.video.picture import read_picture

    from .stores import existing

    if Path(source).is_file():
        return Portrait(Path(source).stem, Normality.load(source))
    with existing(source) as opened:
        name = _camera(opened, camera)
        folder = LearnedFolder.of(opened, name)
        wanted = version or folder.current.version
        if not wanted:
            raise StoreError(
                f"{name} has no model yet: it learns while it watches with the behaviour 'unusual', or by `pahara normality learn {source}`"
            )
        model = _loadable(folder, wanted)
        recordings = opened.recordings(camera=name)
        journal = list(folder.journal())
        watched = [line for line in journal if line.get("what") == "watched"]
        kept = Kept(sum(int(line.get("alarms", 0)) for line in watched), sum(float(line.get("seconds", 0.0)) for line in watched))
        background = folder.folder / "background.jpg"
        gallery = Gallery.of(folder)
        examples = [picture for key in _newest(model) if (picture := gallery.find(key))][:8]
        return Portrait(
            name, model, wanted, recordings[-1].size, read_picture(background.read_bytes()) if background.is_file() else None, kept,
            _budget(recordings), journal, examples,
        )  # fmt: skip


def _newest(model: Any) -> list[int]:
    known = model.known.get("motion")
    if known is None:
        return []
    order = known.memory.times.argsort()[::-1]
    return list(dict.fromkeys(known.memory.tracks[order].tolist()))


def _budget(recordings: Any) -> str:
    """As it was written in the newest recording that had one."""
    import json

    from pahara.core.rate import Rate

    for recording in reversed(recordings):
        if not recording.config:
            continue
        said = json.loads(recording.config)
        entries = [*said.get("cameras", {}).values(), said.get("defaults", {})]
        for entry in (each for camera in entries for each in camera.get("behaviours") or ()):
            if entry.get("kind") == "unusual":
                return str(Rate.of(entry.get("budget", 3)))
    return ""
