"""pahara.yml -> Config, or every problem of the file at once, each with its line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pahara.core.errors import ConfigError
from pahara.core.secrets import MASKED

from .document import Map, read, read_file
from .migrate import MIGRATIONS, Migration, migrate
from .model import VERSION, Config, DetectorChoice, GateChoice, TrackerChoice, detector_mapping, gate_mapping, pose_mapping
from .options import Places
from .pose import check_pose
from .problems import ConfigProblems, Problem, sentences
from .resolve import Resolved, check_options, check_plug_in, draw, resolve
from .secrets import Secret, protect
from .signals import resolve_signals
from .telling import Steps, Teller


def load(path: str | Path, *, env: Mapping[str, str] | None = None) -> Config:
    """The configuration in a file. `{PAHARA_…}` comes from `env` (default: the environment).

    ConfigProblems (a ConfigError) with all that is wrong. What is merely worth knowing stands in `config.notes`.
    """
    return parse(read_file(path), file=str(path), folder=Path(path).expanduser().absolute().parent, env=env)


def parse(
    text: str | bytes,
    *,
    file: str = "",
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    version: int = VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Config:
    """The same from the file's text; `file` is what messages call it, `folder` what relative paths are relative to."""
    data = read(text, file=file, env=os.environ if env is None else env)
    written = data.get("version")
    notes = []
    if written is None:
        notes.append(Problem("the file says no version, version 1 is assumed", f"Write `version: {version}` in its first line", file, 1, 1))
    try:
        data = migrate(data, to=version, migrations=migrations)
    except ConfigError as error:
        raise ConfigProblems([Teller(data, file).at(("version",), *sentences(error))]) from None
    if isinstance(written, int) and written < version:
        place = Teller(data, file).at(("version",), "")
        notes.append(Problem(f"the file is of version {written}; it is read as version {version}", "", file, place.line, place.column))
    return from_data(data, file=file, folder=folder, notes=notes)


def from_data(data: Mapping[str, Any], *, file: str = "", folder: Path | None = None, notes: list[Problem] | None = None) -> Config:
    """A Config from plain values (of a form, a recording, a test), as they are: nothing is taken from the environment.

    ConfigProblems as with a file.
    """
    data = data if isinstance(data, Map) else protect(data)
    teller = Teller(data, file)
    problems: list[Problem] = []
    config = Config()
    try:
        config = Config.model_validate(dict(data))
    except ValidationError as error:
        problems += teller.tell(error, Config)
    problems += _check_cameras(data, teller, folder or Path.cwd())
    problems += _check_choices(data, teller)
    problems += _check_channels(data, teller)
    if problems:
        raise ConfigProblems(problems)
    config._file, config._folder = file, (folder or Path.cwd())
    config._notes = (*(notes or ()), *_notes(config, data, teller)) if file else ()
    return config


def _check_cameras(data: Mapping[str, Any], teller: Teller, folder: Path) -> list[Problem]:
    """Zones, lines, behaviours and signals of every camera, also where other parts of the file are wrong."""
    problems: list[Problem] = []
    cameras, defaults = data.get("cameras"), data.get("defaults")
    common = defaults.get("behaviours") if isinstance(defaults, Mapping) else None
    used, folded = False, dict[str, str]()
    for key, camera in cameras.items() if isinstance(cameras, Mapping) else ():
        if (other := folded.setdefault(str(key).casefold(), key)) != key:
            problems.append(teller.at(("cameras", key), f"the cameras '{other}' and '{key}' differ in capital letters alone", key=True))
        if not isinstance(camera, Mapping):
            continue
        places = draw(camera.get("zones"), camera.get("lines"), camera=str(key), folder=folder)
        own = camera.get("behaviours")
        found = Resolved()
        if isinstance(own, list | tuple):
            found = resolve(own, places, teller, under=("cameras", key, "behaviours"))
        elif own is None and isinstance(common, list | tuple):
            used = True
            found = resolve(common, places, teller, under=("defaults", "behaviours"))
        problems += found.problems
        problems += _check_signals(data, camera, ("cameras", key), found, teller, places)
    if not used and isinstance(common, list | tuple):
        problems += resolve(common, Places(anywhere=True, folder=folder), teller, under=("defaults", "behaviours")).problems
    if isinstance(data.get("signals"), list | tuple):
        problems += resolve_signals(data["signals"], (), Places(folder=folder), teller, under=("signals",)).problems
    return problems


def _check_signals(
    data: Mapping[str, Any], camera: Mapping[str, Any], path: Steps, behaviours: Resolved, teller: Teller, places: Places
) -> list[Problem]:
    """Those of the camera itself, or those of all; what is wrong with the latter is told elsewhere, once."""
    own, common = camera.get("signals"), data.get("signals")
    entries, under = (own, (*path, "signals")) if own is not None else (common, ("signals",))
    if not isinstance(entries, list | tuple):
        entries = ()
    reading = [(behaviour, behaviours.places[name]) for name, behaviour in behaviours.behaviours.items()]
    return resolve_signals(entries, reading, places, teller, under=under).problems


def _check_choices(data: Mapping[str, Any], teller: Teller) -> list[Problem]:
    """Detector, tracker, gate and pose, of the file and of each camera."""
    problems: list[Problem] = []
    for under, part in _parts(data):
        if (detector := _read(DetectorChoice, detector_mapping(part.get("detector")))) and detector.kind != "auto":
            problems += check_options("detectors", detector.kind, detector.options, teller, (*under, "detector"))[1]
        elif detector and detector.options:
            key = next(iter(detector.options))
            problems.append(
                teller.at((*under, "detector", key), f"'auto' has no '{key}'", "Name the model, and it can have options", key=True)
            )
        tracker = part.get("tracker")
        if chosen := _read(TrackerChoice, {"kind": tracker} if isinstance(tracker, str) else tracker):
            problems += check_options("trackers", chosen.kind, chosen.options, teller, (*under, "tracker"))[1]
        if (gate := _read(GateChoice, gate_mapping(part.get("gate")))) and gate.options:
            from pahara.detection.gate import MotionGate

            problems += check_plug_in(MotionGate, gate.options, teller, (*under, "gate"), "'gate'")[1]
        if isinstance(pose := pose_mapping(part.get("pose")), Mapping):
            problems += check_pose(pose, teller, (*under, "pose"))
    return problems


def _check_channels(data: Mapping[str, Any], teller: Teller) -> list[Problem]:
    """Who is told, also where other parts of the file are wrong."""
    part = data.get("notify")
    entries = part.get("channels") if isinstance(part, Mapping) else None
    if not isinstance(entries, Mapping) or not entries:
        return []
    from .channels import check_channels

    return check_channels(entries, teller, "en", "local")[1]


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
    yield (), data
    cameras = data.get("cameras")
    for key, camera in cameras.items() if isinstance(cameras, Mapping) else ():
        if isinstance(camera, Mapping):
            yield ("cameras", key), camera


Part = TypeVar("Part", bound=BaseModel)


def _read(model: type[Part], value: Any) -> Part | None:
    """The value as a part, or None where the format's own check complains already (or nothing was said)."""
    if not isinstance(value, Mapping):
        return None
    try:
        return model.model_validate(dict(value))
    except ValidationError:
        return None


def _notes(config: Config, data: Any, teller: Teller) -> list[Problem]:
    notes = []
    if not config.cameras:
        notes.append(teller.at((), "there is no camera yet", "Add one under 'cameras:'"))
    for path, text in _texts(data):
        if isinstance(text, Secret) and MASKED in text.shown:
            hint = "Take it from the environment: rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@…"
            notes.append(teller.at(path, "a password stands in the file", hint))
    for key, camera in config.cameras.items():
        if camera.enabled and camera.behaviours == ():
            notes.append(
                teller.at(
                    ("cameras", key, "behaviours"), f"camera '{key}' looks for nothing", "Add behaviours, or take `behaviours: []` away"
                )
            )
    return notes


def _texts(value: Any, path: Steps = ()) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        yield path, value
    for step, each in value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ():
        yield from _texts(each, (*path, step))
