"""A file of an older version is read by steps; one of a newer version is refused with the reason."""

import pytest

from pahara.config import loading, parse
from pahara.config.document import Map, locate, read
from pahara.config.migrate import MIGRATIONS, migrate, version_of
from pahara.config.model import VERSION
from pahara.config.problems import ConfigProblems
from pahara.core import ConfigError


def cams_become_cameras(data: Map) -> Map:
    """Version 1 to 2 of a format that was never published: `cams` is called `cameras`."""
    data.rename("cams", "cameras")
    return data


def two_becomes_three(data: Map) -> Map:
    return Map({**data, "third": True})


STEPS = {1: cams_become_cameras, 2: two_becomes_three}


def test_steps_are_taken_one_after_the_other():
    data = migrate(read("version: 1\ncams: {gate: {source: x}}"), to=3, migrations=STEPS)
    assert data == {"version": 3, "cameras": {"gate": {"source": "x"}}, "third": True}
    assert migrate(read("version: 2\na: 1"), to=3, migrations=STEPS) == {"version": 3, "a": 1, "third": True}


def test_a_file_without_a_version_is_of_version_1():
    assert migrate(read("cams: {}"), to=2, migrations=STEPS) == {"version": 2, "cameras": {}}


def test_what_is_moved_keeps_its_line():
    data = cams_become_cameras(read("version: 1\ncams:\n  gate:\n    source: x\n"))
    assert locate(data, ("cameras",), key=True) == (2, 1)
    assert locate(data, ("cameras", "gate", "source")) == (4, 13)


def test_every_version_before_this_one_has_its_step():
    assert sorted(MIGRATIONS) == list(range(1, VERSION))


def test_an_old_file_is_read_and_says_so(monkeypatch):
    def minutes_become_seconds(data: Map) -> Map:
        data["evidence"]["longest"] *= 60
        return data

    text = "version: 1\nevidence:\n  longest: 2\n"
    monkeypatch.setattr(loading, "VERSION", 1)  # the format itself is still of version 1: only the step is tried
    migrated = migrate(read(text), to=2, migrations={1: minutes_become_seconds})
    assert migrated["evidence"]["longest"] == 120
    assert locate(migrated, ("evidence", "longest")) == (3, 12)
    assert parse(text, env={}).evidence.longest == 2


def test_a_newer_file_says_that_the_program_is_too_old():
    with pytest.raises(ConfigProblems) as caught:
        parse(f"language: en\nversion: {VERSION + 1}\n", file="pahara.yml", env={})
    (problem,) = caught.value.problems
    assert problem.message == f"the file is of version {VERSION + 1}, this program knows versions up to {VERSION}"
    assert problem.hint.startswith("Update Pahara")
    assert problem.line == 2


@pytest.mark.parametrize("version", ["0", "-1", "true", "one", "1.5", "null", "[1]"])
def test_a_version_is_a_whole_number(version):
    with pytest.raises(ConfigProblems, match="'version' must be a whole number from 1"):
        parse(f"version: {version}", env={})


def test_a_version_whose_step_is_lost_is_told():
    with pytest.raises(ConfigError, match="no way from version 2 to 3"):
        migrate(read("version: 2"), to=3, migrations={1: cams_become_cameras})
    assert version_of(read("version: 7")) == 7
