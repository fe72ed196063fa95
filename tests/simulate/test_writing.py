"""Staged scenes become files that other tools can read, whole or not at all."""

import json
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from pahara.core import PaharaError
from pahara.simulate import Stage, load_script, read_truth, write_frames, write_video

SMALL = replace(load_script("alley"), size=(160, 90), duration=2.5, fps=10)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    steps = []
    truth = write_video(
        SMALL, folder / "film.mp4", truth_path=folder / "truth.json", progress=lambda done, whole: steps.append((done, whole))
    )
    return folder, truth, steps


def test_the_video_has_a_picture_for_each_frame_of_the_truth(written):
    folder, truth, _ = written
    with av.open(str(folder / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        times = [float(frame.pts * frame.time_base) for frame in container.decode(stream)]
    assert len(times) == len(truth.frames) == 25
    assert times == pytest.approx([time for time, _ in truth.frames], abs=1e-3)


def test_the_pictures_of_the_video_are_those_of_the_stage(written):
    folder, _, _ = written
    with av.open(str(folder / "film.mp4")) as container:
        images = [frame.to_ndarray(format="bgr24").astype(float) for frame in container.decode(video=0)]
    for image, shot in list(zip(images, Stage(SMALL), strict=True))[::8]:
        assert np.abs(image - shot.image).mean() < 6


def test_the_truth_file_says_what_the_truth_is(written):
    folder, truth, _ = written
    data = json.loads((folder / "truth.json").read_text())
    assert (data["format"], data["version"], data["size"], data["fps"]) == ("pahara-truth", 1, [160, 90], 10)
    assert read_truth(folder / "truth.json").incidents == truth.incidents
    again = read_truth(folder / "truth.json")
    assert [[o.id for o in objects] for _, objects in again.frames] == [[o.id for o in objects] for _, objects in truth.frames]
    assert again.rules[0]["kind"] == "loitering"
    assert set(again.zones) == {"door"}


def test_progress_is_told_and_nothing_half_is_left(written):
    folder, _, steps = written
    assert steps[0] == (1, 25)
    assert steps[-1] == (25, 25)
    assert sorted(p.name for p in folder.iterdir()) == ["film.mp4", "truth.json"]


def test_an_interruption_leaves_no_file(tmp_path):
    def stop(done, whole):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(SMALL, tmp_path / "film.mp4", truth_path=tmp_path / "truth.json", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_pictures(tmp_path):
    short = replace(SMALL, duration=0.5)
    write_frames(short, tmp_path / "frames")
    names = sorted(p.name for p in (tmp_path / "frames").iterdir())
    assert names == [*(f"{n:06d}.jpg" for n in range(5)), "truth.json"]
    assert cv2.imread(str(tmp_path / "frames" / "000000.jpg")).shape == (90, 160, 3)
    with pytest.raises(PaharaError, match="exists already"):
        write_frames(short, tmp_path / "frames")


def test_a_place_where_nothing_can_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(PaharaError, match="cannot be written"):
        write_video(SMALL, tmp_path / "file" / "film.mp4")


@pytest.mark.parametrize(
    "content", ["no json", '{"format": "other"}', '{"format": "pahara-truth", "version": 9}', '{"format": "pahara-truth", "version": 1}']
)
def test_a_wrong_truth_file_is_told_in_one_line(tmp_path, content):
    (tmp_path / "truth.json").write_text(content)
    with pytest.raises(PaharaError) as error:
        read_truth(tmp_path / "truth.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("part", ["zones", "lines", "frames", "incidents"])
def test_a_truth_file_with_a_part_of_another_kind_is_refused_in_one_line(part, tmp_path):
    told = {"format": "pahara-truth", "version": 1, "fps": 1, "size": [1, 1], "duration": 1, "epoch": 0, "frames": [], "incidents": []}
    told[part] = {"a": 1} if part in ("frames", "incidents") else [1]
    (tmp_path / "truth.json").write_text(json.dumps(told))
    with pytest.raises(PaharaError, match="the truth file is damaged"):
        read_truth(tmp_path / "truth.json")
