"""`pahara watch` as a new user tries it: a film in, events and a report out; a mistake is one clear line."""

import json
import os
import shutil
import signal
import subprocess
import time

import av
import cv2
import pytest

from pahara.store import Store

MOTION = ("--detector", "motion")


def lines_of(done):
    """The events and the summary of `--json`."""
    told = [json.loads(line) for line in done.out.splitlines()]
    assert all(each["type"] == "event" for each in told[:-1])
    assert told[-1]["type"] == "summary"
    return told[:-1], told[-1]


def frames_in(path):
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


def refused(done, *parts, code=2):
    """One clear line for the user."""
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("pahara: ")
    assert done.err.count("\n") == 1
    for part in parts:
        assert part in done.err


def test_a_watch_tells_each_event_once_and_keeps_it_with_its_evidence(verb, yard, tmp_path):
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--out", "out")
    assert (done.code, done.out) == (0, "")
    told = done.err.splitlines()
    assert [line.split("  ")[1].split(" (")[0] for line in told if line.startswith("0:")] == ["Line crossing", "Intrusion"]
    assert told[-2].startswith("2 events (1 line crossing, 1 intrusion) in 0:15.9 · 160 frames")
    assert told[-1] == "report: out/report.html"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org/", "")
    with Store.open(tmp_path / "out") as store:
        kept = list(store.every_event())
        assert sorted(each.event.kind for each in kept) == ["crossing", "intrusion"]
        assert {each.event.phase for each in kept} == {"ended"}
        for each in kept:
            assert {one.kind for one in each.evidence} == {"clip", "snapshot", "thumbnail"}
            assert frames_in(each.kept("clip").path) > 10
            assert each.kept("snapshot").path.read_bytes()[:2] == b"\xff\xd8"


def test_json_is_one_object_a_line(verb, yard):
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--json", "--out", "out")
    assert (done.code, done.err) == (0, "")
    events, summary = lines_of(done)
    assert [(each["kind"], each["phase"]) for each in events] == [
        ("crossing", "began"),
        ("crossing", "ended"),
        ("intrusion", "began"),
        ("intrusion", "ended"),
    ]
    assert len({each["id"] for each in events}) == 2
    assert events[2]["place"] == "store"
    assert events[2]["reason"]["text_bn"] != events[2]["reason"]["text"]
    assert (summary["events"], summary["frames"], summary["interrupted"], summary["problems"]) == (2, 160, False, [])
    assert summary["report"] == "out/report.html"


def test_json_for_a_machine_that_reads_only_ascii(verb, yard):
    """A pipe on Windows is not UTF-8; the Bangla sentences are in the JSON all the same."""
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--json", "--no-keep", encoding="ascii")
    events, _ = lines_of(done)
    assert any("\u0980" <= letter <= "\u09ff" for letter in events[0]["reason"]["text_bn"])


def test_bangla_words(verb, yard, tmp_path):
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--lang", "bn", "--out", "out")
    assert done.code == 0
    first = next(line for line in done.err.splitlines() if line.startswith("0:"))
    assert any("\u0980" <= letter <= "\u09ff" for letter in first)
    assert '<html lang="bn"' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_annotated_film_plays_and_nothing_is_kept_unless_asked(verb, yard, tmp_path):
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--annotate", "deep/drawn.mp4", "--no-keep", "--seconds", "9")
    assert done.code == 0
    assert 90 <= frames_in(tmp_path / "deep" / "drawn.mp4") <= 92
    assert "1 event (1 line crossing) in 0:09.0" in done.err
    assert sorted(each.name for each in tmp_path.iterdir() if not each.name.startswith(".")) == ["deep"]


def test_a_report_without_a_store(verb, yard, tmp_path):
    assert verb("watch", yard.film, *MOTION, "--no-keep", "--seconds", "2", "--out", "out").code == 0
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["report.html"]


def test_without_a_configuration_the_folder_is_named_after_the_film(verb, yard, tmp_path):
    done = verb("watch", yard.film, "--seconds", "2")
    assert done.code == 0
    assert "pahara-nano, which comes with Pahara" in done.err, "nothing was chosen or fetched, and what is used is named"
    assert (tmp_path / "pahara-out" / "scene" / "report.html").exists()


def test_a_folder_of_pictures(verb, yard, tmp_path):
    (tmp_path / "pictures").mkdir()
    with av.open(str(yard.film)) as film:
        for n, frame in zip(range(30), film.decode(video=0), strict=False):
            assert cv2.imwrite(str(tmp_path / "pictures" / f"{n}.jpg"), frame.to_ndarray(format="bgr24"))
    done = verb("watch", "pictures", *MOTION, "--json", "--out", "out")
    assert done.code == 0
    assert lines_of(done)[1]["frames"] == 30


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.mp4", b"", "empty.mp4 is empty"),
        ("text.mp4", b"this is no film\n" * 20, "text.mp4 is a text file"),
        ("nothing", None, "nothing"),
    ],
)
def test_what_is_no_film_is_one_line_and_leaves_nothing_behind(verb, tmp_path, name, content, told):
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(content)
    refused(verb("watch", name, *MOTION, "--out", "out"), told)
    assert not (tmp_path / "out").exists()


def test_a_misspelt_film(verb, yard, tmp_path):
    shutil.copy(yard.film, tmp_path / "gate.mp4")
    refused(verb("watch", "gat.mp4"), "no such file", "did you mean gate.mp4?")


def test_a_cut_film_is_watched_as_far_as_it_goes(verb, yard, tmp_path):
    whole = yard.film.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    done = verb("watch", "cut.mp4", *MOTION, "--json", "--out", "out")
    assert done.code == 0
    assert 40 < lines_of(done)[1]["frames"] < 160


def test_each_problem_of_a_configuration_has_its_line(verb, yard, tmp_path):
    text = yard.config.read_text(encoding="utf-8").replace("kind: intrusion", "kind: intrusoin").replace("zones:", "zoness:")
    (tmp_path / "my.yml").write_text(text, encoding="utf-8")
    done = verb("watch", yard.film, "-c", "my.yml", *MOTION)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert "(my.yml, line 8, column 5). Did you mean 'zones'?" in done.err
    assert "Did you mean 'intrusion'?" in done.err
    assert len(done.err.splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-c", "no.yml"), "there is no such file (no.yml)"),
        (("--camera", "gate"), "no camera 'gate'"),
        (("--detector", "mtion"), "no model named 'mtion'"),
        (("--detector", "no/such.onnx"), "there is no model file no/such.onnx"),
        (("--lang", "fr"), "no language 'fr'; there are"),
    ],
)
def test_words_that_nobody_knows(verb, yard, tmp_path, words, told):
    config = () if "-c" in words else ("-c", yard.config)
    refused(verb("watch", yard.film, *config, *words, "--out", "out"), told)
    assert not list(tmp_path.glob("out/*")), "no empty store is left behind"


def test_a_camera_of_the_configuration_by_its_key(verb, yard):
    done = verb("watch", "staged", "-c", yard.config, *MOTION, "--json", "--no-keep", "--seconds", "8")
    assert done.code == 0
    assert [each["kind"] for each in lines_of(done)[0]][:1] == ["crossing"]
    refused(verb("watch", "stagd", "-c", yard.config, *MOTION), "no camera 'stagd'", "Did you mean 'staged'?")


def test_outputs_that_cannot_be_are_told_before_the_watch(verb, yard, tmp_path):
    (tmp_path / "file").write_text("mine")
    refused(verb("watch", yard.film, *MOTION, "--out", "file"), "file is a file", "--out")
    refused(verb("watch", yard.film, *MOTION, "--no-keep", "--out", "file"), "file is a file", "--out")
    refused(verb("watch", yard.film, *MOTION, "--no-keep", "--annotate", "file/drawn.mp4"), "file is a file", "--annotate")
    refused(verb("watch", yard.film, *MOTION, "--no-keep", "--annotate", "."), ". is a folder")
    assert (tmp_path / "file").read_text() == "mine"


def test_no_words_at_all_show_the_help(verb):
    done = verb("watch")
    assert "Usage" in done.out + done.err
    assert "Traceback" not in done.err


def long_film(yard, path, times=40):
    """The yard again and again, without encoding it anew: long enough to be interrupted in the middle."""
    with av.open(str(yard.film)) as source, av.open(str(path), "w") as film:
        stream = film.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.dts is not None)
        listed = [(bytes(each), each.pts, each.dts, each.duration, each.is_keyframe, each.time_base) for each in packets]
        length = sum(each[3] for each in listed)
        for turn in range(times):
            for content, pts, dts, duration, key, base in listed:
                packet = av.Packet(content)
                packet.pts, packet.dts, packet.duration, packet.time_base = pts + turn * length, dts + turn * length, duration, base
                packet.is_keyframe, packet.stream = key, stream
                film.mux(packet)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_seen(command, verb, yard, tmp_path):
    long_film(yard, tmp_path / "long.mp4")
    watching = command("watch", "long.mp4", "-c", yard.config, *MOTION, "--json", "--out", "out")
    for line in watching.stdout:
        if json.loads(line)["kind"] == "intrusion":
            break
    time.sleep(0.2)
    watching.send_signal(signal.SIGINT)
    rest, said = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert "Traceback" not in said
    summary = json.loads(rest.splitlines()[-1])
    assert (summary["type"], summary["interrupted"], summary["problems"]) == ("summary", True, [])
    assert 90 < summary["frames"] < 6400
    assert "</html>" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    again = verb("replay", "out", "--json")
    assert again.code == 0, again
    assert json.loads(again.out)["identical"] is True
    assert len(json.loads(again.out)["recordings"][0]["events"]) == summary["events"] >= 2


def test_ctrl_c_in_the_middle_of_writing_loses_nothing(verb, yard, monkeypatch):
    """The signal may come while the trails are being written."""
    add, calls = Store.add_observations, []

    def interrupted(store, recording, observations):
        calls.append(len(observations))
        if len(calls) == 1:
            raise KeyboardInterrupt
        add(store, recording, observations)

    monkeypatch.setattr(Store, "add_observations", interrupted)
    done = verb("watch", yard.film, "-c", yard.config, *MOTION, "--json", "--out", "out")
    assert done.code == 130
    assert lines_of(done)[1]["interrupted"] is True
    assert len(calls) >= 2
    again = verb("replay", "out", "--json")
    assert again.code == 0, again


def full(done, told):
    assert done.returncode == 1
    assert "Traceback" not in told
    assert "2 events (1 line crossing, 1 intrusion) in 0:15.9 · 160 frames" in told, "the watch goes on to its end"
    assert "! could not keep" in told or "!! could not keep" in told


@pytest.mark.slow
def test_a_file_that_may_not_grow_costs_evidence_but_not_the_watch(command, yard):
    watching = command(
        "watch", yard.film, "-c", yard.config, *MOTION, "--out", "out", before="ulimit -f 1000"
    )  # room for an empty store, in blocks of 512 bytes
    _, told = watching.communicate(timeout=100)
    full(watching, told)


@pytest.mark.slow
def test_a_full_disk_costs_evidence_but_not_the_watch(command, yard, tmp_path):
    """A disk of 400 kB, in a room of its own that vanishes with the watch."""
    disk = tmp_path / "disk"
    disk.mkdir()
    room = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=400k none {disk}"
    if shutil.which("unshare") is None or subprocess.run([*room, mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no mount in a room of one's own")
    before = f'[ -n "$IN" ] || IN=1 exec {" ".join(room[:-2])} sh -c \'{mount} && exec "$@"\' sh "$@"'
    watching = command("watch", yard.film, "-c", yard.config, *MOTION, "--out", disk / "out", before=before)
    _, told = watching.communicate(timeout=100)
    full(watching, told)


@pytest.mark.slow
def test_a_full_disk_stops_the_drawing_but_not_the_watch(command, yard):
    watching = command("watch", yard.film, "-c", yard.config, *MOTION, "--no-keep", "--annotate", "drawn.mp4", before="ulimit -f 80")
    _, told = watching.communicate(timeout=100)
    assert watching.returncode == 1
    assert "Traceback" not in told
    assert "drawn.mp4" in told
    assert "2 events (1 line crossing, 1 intrusion) in 0:15.9 · 160 frames" in told


def test_a_reader_who_leaves_is_no_error(command, yard):
    watching = command("watch", yard.film, "-c", yard.config, *MOTION, "--json", "--no-keep")
    assert json.loads(watching.stdout.readline())["type"] == "event"
    watching.stdout.close()
    said = watching.stderr.read()
    assert watching.wait(60) in {1, 141}
    assert said == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written(verb, yard, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(verb("watch", yard.film, *MOTION, "--out", "locked/out"), "locked/out", "Permission denied")


def test_pose_is_asked_for_by_name_and_its_absence_told_before_anything_is_written(verb, yard, tmp_path, asset, monkeypatch):
    refused(
        verb("watch", yard.film, "-c", yard.config, *MOTION, "--pose", "movnet", "--out", "out"), "no model named 'movnet'", "'movenet'"
    )
    refused(verb("watch", yard.film, "-c", yard.config, *MOTION, "--pose", "my.onnx", "--out", "out"), "no model file my.onnx")
    assert not list((tmp_path / "out").glob("*"))
    pytest.importorskip("ai_edge_litert", reason="the extra pahara[pose] is not installed")
    monkeypatch.setenv("PAHARA_MODELS", str(asset("models")))
    assert verb("watch", yard.film, "-c", yard.config, *MOTION, "--pose", "movenet", "--seconds", "6", "--out", "out").code == 0
    with Store.open(tmp_path / "out") as store:
        (recording,) = store.recordings()
        assert json.loads(recording.config)["pose"]["model"] == "movenet"
        joints = [o.keypoints for o in store.observations(recording)]
    assert all(each.shape[1:] == (17, 3) for each in joints)
    assert verb("replay", "out").code == 0
