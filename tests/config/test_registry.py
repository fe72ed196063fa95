"""Names resolve through the entry points of installed packages, built-ins and strangers alike."""

import importlib
import sys
from pathlib import Path

import pytest

from pahara.cli import checks
from pahara.config import json_schema, parse, plan, registry
from pahara.config.options import model_of
from pahara.config.problems import ConfigProblems
from pahara.core import Behaviour, ConfigError

STRANGER = '''
from dataclasses import dataclass
from pahara.core import EVERYWHERE, Reason, Zone

@dataclass(frozen=True)
class Lurking:
    """Someone is in the zone at all."""

    zone: Zone = EVERYWHERE
    patience: float = 3.0  # seconds
    kind = "lurking"
    alarm_defaults = {"hold": 2.0}

    def __call__(self, scene):
        return {(track.id,): 1.0 for track in scene.tracks}

    def explain(self, scene, subject):
        return Reason("lurking", 1.0, 0.5)

NOT_A_CLASS = 3
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install("shop", behaviours={"lurking": "shop_watch:Lurking"}) puts a package on the path."""

    def fresh():
        registry._registered.cache_clear()
        registry.find.cache_clear()
        importlib.invalidate_caches()

    def put(package, source=STRANGER, **groups):
        module = package.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        text = "".join(
            f"[pahara.{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items()) for group, entries in groups.items()
        )
        (info / "entry_points.txt").write_text(text)
        monkeypatch.delitem(sys.modules, module, raising=False)
        fresh()

    monkeypatch.syspath_prepend(tmp_path)
    yield put
    monkeypatch.undo()
    fresh()


def test_every_built_in_can_be_found_and_its_options_read():
    behaviours = registry.names("behaviours")
    assert len(behaviours) >= 11
    for name in behaviours:
        plug_in = registry.find("behaviours", name)
        assert plug_in.kind == name, "the name in the file is the kind in the events"
        model_of(plug_in)
    for group in ("detectors", "trackers", "signals"):
        assert registry.names(group), f"nothing is registered as {group}"
        for name in registry.names(group):
            model_of(registry.find(group, name))


def test_a_strangers_behaviour_works_like_a_built_in(install):
    install("shop-watch", behaviours={"lurking": "shop_watch:Lurking"})
    config = parse(
        "version: 1\ncameras:\n  gate:\n    source: '0'\n    zones: {door: [[0, 0], [1, 0], [1, 1]]}\n"
        "    behaviours: [{kind: lurking, zone: door, patience: 4, alarm: {linger: 7}}]\n",
        env={},
    )
    made = plan(config, "gate")
    lurking = made.behaviours["lurking-door"]
    assert isinstance(lurking, Behaviour)
    assert (lurking.patience, lurking.zone.name) == (4.0, "door")
    assert (made.rules["lurking-door"].hold, made.rules["lurking-door"].linger) == (2.0, 7.0)
    assert "behaviour.lurking" in json_schema()["$defs"]


def test_a_strangers_misspelt_option_is_told(install):
    install("shop-watch", behaviours={"lurking": "shop_watch:Lurking"})
    with pytest.raises(ConfigProblems, match=r"lurking has no 'patiance'.*Did you mean 'patience'\?"):
        parse("version: 1\ncameras: {gate: {source: '0', behaviours: [{kind: lurking, patiance: 4}]}}", env={})


def test_nobody_takes_over_a_built_in_name(install):
    install("thief", behaviours={"running": "thief:Lurking"})
    assert registry.find("behaviours", "running").__module__ == "pahara.behaviours.running"


def test_two_strangers_with_one_name_are_told(install):
    install("one", behaviours={"lurking": "one:Lurking"})
    install("two", behaviours={"lurking": "two:Lurking"})
    with pytest.raises(ConfigError, match="two packages claim the behaviour 'lurking': the package 'one' and the package 'two'"):
        registry.find("behaviours", "lurking")


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (STRANGER, "shop_watch:Lurk", "AttributeError"),
        ("import nothing_of_that_name", "shop_watch:Lurking", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("1 / 0", "shop_watch:Lurking", "ZeroDivisionError"),
        (STRANGER, "shop_watch:NOT_A_CLASS", "is no class and no function"),
    ],
)
def test_a_broken_plug_in_is_told_by_the_name_of_its_package(install, source, target, words):
    install("shop-watch", source, behaviours={"lurking": target})
    with pytest.raises(ConfigError, match="the package 'shop-watch'") as caught:
        registry.find("behaviours", "lurking")
    assert words in str(caught.value)
    assert "behaviour.lurking" not in json_schema()["$defs"], "a broken plug-in must not break the editor's help"
    doctors = [(each.state, each.advice) for each in checks.plugins(checks.Room(Path()))]
    assert ("warn", "plugin") in doctors


def test_unknown_names_get_the_nearest_known():
    with pytest.raises(ConfigError, match=r"no behaviour named 'loitring'\. Did you mean 'loitering'\?"):
        registry.find("behaviours", "loitring")
    with pytest.raises(LookupError, match="no plug-in group 'behavours'"):
        registry.names("behavours")


def test_a_configuration_names_plug_ins_and_never_code():
    for name in ("os:system", "pahara.behaviours.running:Running", "../running", "subprocess"):
        with pytest.raises(ConfigError, match="no behaviour named"):
            registry.find("behaviours", name)
