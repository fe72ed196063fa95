"""`pahara simulate` and `pahara demo`: scenes that never happened, filmed, and watched from their pixels."""

import json
import shutil

import av
import pytest

from pahara.evaluation import read_truth
from pahara.pipeline import demo as staging
from pahara.simulate import load_script, write_video
from pahara.simulate.script import bundled_scripts


def one_line(done, what):
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("pahara: ")
    assert done.err.count("\n") == 1
    assert what in done.err


def test_a_scene_is_a_film_its_truth_its_script_and_its_configuration(verb, yard):
    folder = yard.film.parent
    assert sorted(each.name for each in folder.iterdir()) == ["pahara.yml", "scene.mp4", "script.yml", "truth.json"]
    truth = read_truth(yard.truth)
    with av.open(str(yard.film)) as film:
        assert sum(1 for _ in film.decode(video=0)) == len(truth.times) == 160
    assert [(each.kind, each.place) for each in truth.incidents] == [("crossing", "middle"), ("intrusion", "store")]
    checked = verb("config", "check", yard.config, "--json")
    assert json.loads(checked.out)["ok"] is True
    assert load_script(folder / "script.yml").duration == 16


def test_the_same_seed_is_the_same_scene_and_another_is_another(verb, tmp_path):
    words = ("--seconds", "12", "--kind", "running", "--json")
    made = [json.loads(verb("simulate", "--seed", seed, "--out", out, *words).out) for seed, out in ((1, "a"), (1, "b"), (2, "c"))]
    truths = [(tmp_path / each["truth"]).read_text(encoding="utf-8") for each in made]
    assert truths[0] == truths[1] != truths[2]
    assert (tmp_path / "a" / "scene.mp4").read_bytes() == (tmp_path / "b" / "scene.mp4").read_bytes()
    assert {each["kind"] for each in made[0]["incidents"]} == {"running"}


def test_pictures_instead_of_a_film(verb, yard, tmp_path):
    script = load_script(yard.film.parent / "script.yml")
    text = (yard.film.parent / "script.yml").read_text(encoding="utf-8")
    assert f"duration: {script.duration:g}" in text
    (tmp_path / "short.yml").write_text(text.replace("duration: 16", "duration: 14"), encoding="utf-8")
    made = json.loads(verb("simulate", "short.yml", "--frames", "--out", "out", "--json").out)
    assert len(list((tmp_path / "out" / "frames").glob("*.jpg"))) == made["frames"] == 140
    assert len(read_truth(tmp_path / made["truth"]).times) == 140
    measured = verb("evaluate", "detection", made["film"], made["truth"], "--detector", "motion", "--json")
    assert measured.code == 0, measured
    assert json.loads(measured.out)["map50"] > 0.5
    watched = verb("watch", made["film"], "-c", made["config"], "--detector", "motion", "--json", "--no-keep")
    assert json.loads(watched.out.splitlines()[-1])["kinds"] == {"crossing": 1, "intrusion": 1}


def test_the_list_of_bundled_scripts(verb):
    names = json.loads(verb("simulate", "--list", "--json").out)["scripts"]
    assert tuple(names) == bundled_scripts()
    assert len(names) >= 3
    assert verb("simulate", "--list").out.split() == names


def test_what_cannot_be_staged_is_one_line(verb, tmp_path):
    one_line(verb("simulate", "ally"), "Did you mean 'alley'?")
    one_line(verb("simulate", "--kind", "runing"), "Did you mean 'running'?")
    one_line(verb("simulate", "alley", "--kind", "running"), "--kind belongs to random scenes")
    one_line(verb("simulate", "--seconds", "1", "--seed", "1"), "allow more seconds")
    (tmp_path / "file").write_text("mine")
    one_line(verb("simulate", "--out", "file"), "file is a file")
    (tmp_path / "bad.yml").write_text("name: x\nsize: [320\n")
    one_line(verb("simulate", "bad.yml"), "bad.yml, line")
    one_line(verb("simulate", "."), "is a folder")


@pytest.mark.slow
def test_the_demo_compares_what_was_staged_with_what_was_caught(verb, yard, tmp_path):
    done = verb("demo", "--script", yard.film.parent / "script.yml", "--detector", "motion", "--json", "--annotate", "--out", "out")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert [(row["kind"], row["place"]) for row in told["staged"]] == [("crossing", "middle"), ("intrusion", "store")]
    assert (told["caught"], told["missed"], told["false_alarms"], told["problems"]) == (2, 0, [], [])
    assert all(0 <= row["delay"] < 2 for row in told["staged"])
    files = {each.name for each in (tmp_path / "out").iterdir()}
    assert files >= {"scene.mp4", "truth.json", "pahara.yml", "report.html", "pahara.db", "annotated.mp4"}
    again = verb("replay", "out", "--json")
    assert json.loads(again.out)["identical"] is True, again


@pytest.mark.slow
def test_the_demo_for_people_in_bangla(verb, yard):
    done = verb("demo", "--script", yard.film.parent / "script.yml", "--detector", "motion", "--lang", "bn", "--out", "out")
    assert done.code == 0
    assert "2টির মধ্যে 2টি ধরা পড়েছে, কোনো false alarm নেই" in done.out
    assert any("\u0980" <= letter <= "\u09ff" for letter in done.out)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0])
def test_a_random_demo_of_20_seconds(verb, seed):
    done = verb("demo", "--seed", seed, "--seconds", "20", "--detector", "motion", "--json", "--out", "out")
    assert done.code == 0, done
    told = json.loads(done.out)
    assert len(told["staged"]) == told["caught"] + told["missed"] >= 1
    assert told["hours"] == pytest.approx(20 / 3600, rel=0.05)


def test_the_demo_sees_pixels_and_not_the_truth(verb, yard, tmp_path, monkeypatch):
    """The film is exchanged for one of the empty yard, the truth is not: nothing may be caught."""
    script = (yard.film.parent / "script.yml").read_text(encoding="utf-8")
    empty = load_script(script[: script.index("actors:")] + "actors: []\n" if "actors:" in script else script)
    assert not empty.actors
    write_video(empty, tmp_path / "empty.mp4")
    film = staging.write_video

    def exchanged(script, path, **kept):
        truth = film(script, path, **kept)
        shutil.copy(tmp_path / "empty.mp4", path)
        return truth

    monkeypatch.setattr(staging, "write_video", exchanged)
    done = verb("demo", "--script", yard.film.parent / "script.yml", "--detector", "motion", "--json", "--out", "out")
    assert done.code == 0, done
    told = json.loads(done.out)
    assert (told["caught"], told["missed"], told["false_alarms"]) == (0, 2, [])


def test_a_demo_that_was_stopped_misses_only_what_had_happened(verb, yard, monkeypatch):
    """Ctrl-C before anything happened: nothing was missed."""
    prepare = staging.prepare

    def stopped(*words, **kept):
        session = prepare(*words, **kept)
        run = session.run

        def until_five_seconds(tell):
            def look(session, look):
                tell(session, look)
                if session.time > 5:
                    raise KeyboardInterrupt

            return run(look)

        session.run = until_five_seconds
        return session

    monkeypatch.setattr(staging, "prepare", stopped)
    done = verb("demo", "--script", yard.film.parent / "script.yml", "--detector", "motion", "--json", "--out", "out")
    assert done.code == 130
    told = json.loads(done.out)
    assert (told["interrupted"], told["caught"], told["missed"]) == (True, 0, 0)


def test_demos_that_cannot_be(verb, tmp_path):
    (tmp_path / "file").write_text("mine")
    one_line(verb("demo", "--out", "file"), "file is a file")
    one_line(verb("demo", "--script", "ally"), "Did you mean 'alley'?")
    one_line(verb("demo", "--lang", "fr"), "no language 'fr'")


@pytest.mark.slow
def test_a_full_disk_is_one_line(command, yard, tmp_path):
    for words in (("demo", "--script"), ("simulate",)):
        made = command(*words, yard.film.parent / "script.yml", "--out", "out", before="ulimit -f 100")
        said, told = made.communicate(timeout=100)
        assert (made.returncode, said) == (2, "")
        assert told.startswith("pahara: ")
        assert told.count("\n") == 1
        assert "scene.mp4 cannot be written" in told
        assert not list((tmp_path / "out").glob("**/*.mp4"))
