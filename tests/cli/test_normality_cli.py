"""`pahara normality` as its owner types it."""

import json

import numpy as np
import pytest

from pahara.config import load
from pahara.core import Observation
from pahara.normality import Settings
from pahara.pipeline.learn import learn_recordings
from pahara.store import Store
from pahara.store.learned import LearnedFolder

FEW = Settings(ready={"motion": 20, "shape": 20, "dwell": 20})


def walks(people=24, every=60.0):
    """People cross one after another; two looks a second are enough to learn from."""
    for number in range(people):
        pace = 70 + 3 * (number % 7)
        for step in range(24):
            x, y = 60 + pace * step / 5, 200 + 2 * (number % 9)
            box = np.array([[x - 18, y - 90, x + 18, y]], np.float32)
            time = number * every + step / 5
            yield Observation(time, np.array([number + 1]), box, ("person",), np.ones(1, bool), np.full(1, 0.9, np.float32))


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A store of one camera with two models; nobody writes here."""
    folder = tmp_path_factory.mktemp("taught") / "out"
    with Store.open(folder) as store:
        recording = store.begin_recording("lane", "lane.mp4", (640, 360), epoch=1.7e9, memory=190)
        store.add_observations(recording, list(walks()))
        learn_recordings(store, "lane", [recording], settings=FEW)
        learn_recordings(store, "lane", [recording], settings=FEW, anew=True)
        LearnedFolder.of(store, "lane").note("watched", seconds=172800.0, alarms=5, recording="recording 1")
    return folder


@pytest.fixture
def store(taught, tmp_path):
    import shutil

    shutil.copytree(taught, tmp_path / "out")
    return tmp_path / "out"


def test_a_watch_says_how_far_it_has_learned_and_a_replay_is_the_same(yard, verb, tmp_path):
    settings = load(yard.config).as_dict()
    for camera in settings["cameras"].values():
        camera["behaviours"].append({"kind": "unusual", "budget": "3/day"})
    config = tmp_path / "pahara.yml"
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    done = verb("watch", yard.film, "-c", config, "--detector", "motion", "--out", "yard", "--json")
    assert done.code == 0, done
    told = json.loads(done.out.splitlines()[-1])["normality"]
    assert (told["ready"], told["version"], told["budget_per_day"]) == (False, 0, 3)
    assert 1 <= told["tracks"] < told["tracks_needed"]
    assert verb("replay", "yard").code == 0
    said = verb("watch", yard.film, "-c", config, "--detector", "motion", "--out", "yard")
    assert "still learning: speed and direction" in said.err
    missing = verb("normality", "show", "yard")
    assert missing.code == 2
    assert "has no model yet" in missing.err
    again = verb("normality", "learn", "yard")
    assert again.code == 0
    assert "had been learned from before" in again.out


def test_what_was_learned_is_shown_as_words_numbers_page_and_picture(store, verb, tmp_path):
    said = verb("normality", "show", store, "--out", "lane.html")
    assert said.code == 0, said
    assert "speed and direction" in said.out
    assert "5 alarms in 48 h 0 min watched, 2.5 a day" in said.out
    page = (tmp_path / "lane.html").read_text(encoding="utf-8")
    assert "speed and direction" in page
    assert json.dumps("গতি ও দিক")[1:-1] in page, "both languages are inside"
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert verb("normality", "show", store, "--out", "lane.png").code == 0
    assert (tmp_path / "lane.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(verb("normality", "show", store, "--json").out)
    assert told["version"] == 2
    assert told["ready"]
    low, high = told["usual"]["speed"]["low"], told["usual"]["speed"]["high"]
    assert 0.6 < low < 0.9 < high < 1.2
    assert told["alarms_per_day"] == 2.5
    assert told["alarms_per_day_95"][0] < 2.5 < told["alarms_per_day_95"][1]
    assert len(told["ways"]) > 3
    assert all(dx > 0.9 for _, _, dx, _ in told["ways"]), "everyone goes to the right"
    assert "দিনে" in verb("normality", "show", store, "--lang", "bn").out


def test_a_model_file_alone_can_be_shown_and_named_in_a_configuration(store, verb, tmp_path):
    (model,) = store.glob("normality/*/v0001.model")
    (tmp_path / "lane.model").write_bytes(model.read_bytes())
    assert verb("normality", "show", "lane.model").code == 0
    config = tmp_path / "pahara.yml"
    config.write_text("version: 1\ncameras: {a: {source: a.mp4, behaviours: [{kind: unusual, model: lane.model, budget: 1/week}]}}\n")
    assert verb("config", "check", config).code == 0
    (tmp_path / "lane.model").write_bytes(model.read_bytes()[:99])
    for said in (verb("config", "check", config), verb("normality", "show", "lane.model")):
        assert said.code in (1, 2)
        assert "is damaged" in said.out + said.err
        assert "Traceback" not in said.err


def test_one_can_go_back_to_an_older_model_and_forward_again(store, verb):
    assert "back from model 2 to model 1" in verb("normality", "rollback", store).out
    nothing = verb("normality", "rollback", store)
    assert nothing.code == 2
    assert "nothing to go back to" in nothing.err
    assert json.loads(verb("normality", "rollback", store, "2", "--json").out)["version"] == 2
    missing = verb("normality", "rollback", store, "7")
    assert (missing.code, "there are: 1, 2" in missing.err) == (2, True)


def test_what_cannot_be_said_in_one_line(store, verb):
    for words, told in {
        ("verdict", store, "abc", "fine"): "there is no event 'abc'",
        ("verdict", store, "abc", "maybe"): "it was 'fine' or 'real'",
        ("show", store, "--camera", "lnae"): "Did you mean 'lane'?",
        ("show", store, "--out", "lane.gif"): "ends in .html",
        ("show", "nowhere"): "there is no store in nowhere",
        ("learn", "nowhere.mp4"): "nowhere.mp4",
    }.items():
        said = verb("normality", *words)
        assert said.code == 2, said
        assert told in said.err
        assert len(said.err.strip().splitlines()) == 1, said.err


def test_an_update_with_nothing_new_changes_nothing(store, verb):
    said = verb("normality", "update", store)
    assert said.code == 0, said
    assert "version 2 stays" in said.out or "too little" in said.out
