"""A file changed by machine looks as if its owner had changed it: comments stay, and secrets are neither shown nor lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.config import ConfigProblems, parse
from pahara.config.editing import add_camera, masked, merge, remove_camera, set_behaviours, set_places, unmasked
from pahara.core import ConfigError

TEXT = """\
# our house
version: 1   # of the format
language: bn
notify:
  address: https://pahara.example:8971
  channels:
    phone: {kind: apprise, url: "tgram://123:abc/99"}  # the owner's
    hook:
      kind: webhook
      url: http://10.0.0.9/hook
      secret: {quoted}
cameras:
  gate:   # the front
    name: ফটক
    source: rtsp://admin:hunter2@10.0.0.5/sub  # old: rtsp://root:toor@10.0.0.4/sub
    zones:
      # where nobody parks
      right: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]
      left: [[0, 0], [0.4, 0], [0.4, 1]]
    behaviours:
      - {kind: intrusion, zone: right}   # at night
      # and this
      - kind: loitering
        seconds: 30
  yard:
    source: "rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@10.0.0.6/sub"
    behaviours: []
""".replace("{quoted}", "'s3cret#1-long-enough'")
ENV = {"PAHARA_USER": "u", "PAHARA_PASSWORD": "p"}
SECRETS = ("hunter2", "toor", "tgram", "s3cret", "10.0.0.9/hook", "admin")


def test_a_zone_is_changed_and_every_comment_stays():
    made = set_places(TEXT, "gate", {"right": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]], "left": [[0.1, 0.123456], [0.4, 0], [0.4, 1]]}, None)
    assert made.splitlines()[:18] == TEXT.splitlines()[:18]
    assert "left: [[0.1, 0.1235], [0.4, 0], [0.4, 1]]" in made
    assert len(made.splitlines()) == len(TEXT.splitlines())
    assert {word for word in TEXT.split() if word.startswith("#")} == {word for word in made.split() if word.startswith("#")}
    config = parse(made, env=ENV)
    assert config.cameras["gate"].zones["left"][0] == (0.1, 0.1235)


def test_new_places_and_cameras_read_as_they_were_given():
    made = set_places(TEXT, "yard", {"দরজা": [[0, 0], [1, 0], [1, 1]]}, {"wire": {"from": [0.2, 0.5], "to": [0.8, 0.5]}})
    made = add_camera(made, "roof", {"name": "ছাদ: উপর", "source": "rtsp://10.0.0.7/x", "behaviours": [{"kind": "running"}]})
    config = parse(made, env=ENV)
    assert config.cameras["yard"].zones["দরজা"][2] == (1, 1)
    assert config.cameras["yard"].lines["wire"].end == (0.8, 0.5)
    assert (config.cameras["roof"].name, config.cameras["roof"].behaviours[0].kind) == ("ছাদ: উপর", "running")
    assert set(parse(remove_camera(made, "roof"), env=ENV).cameras) == {"gate", "yard"}
    assert "zones" not in set_places(made, "yard", {}, None).split("yard:")[1].split("roof")[0]
    for wrong in (
        lambda: add_camera(TEXT, "GATE", {"source": "x"}),
        lambda: remove_camera(TEXT, "nowhere"),
        lambda: set_places(TEXT, "x", {}, {}),
    ):
        with pytest.raises(ConfigError):
            wrong()


def test_behaviours_that_stay_keep_their_comments():
    made = set_behaviours(TEXT, "gate", [{"kind": "intrusion", "zone": "right"}, {"kind": "running", "speed": 2.0}])
    assert "- {kind: intrusion, zone: right}   # at night" in made
    assert [each.kind for each in parse(made, env=ENV).cameras["gate"].behaviours] == ["intrusion", "running"]
    assert parse(set_behaviours(made, "gate", None), env=ENV).cameras["gate"].behaviours is None
    assert parse(set_behaviours(made, "gate", []), env=ENV).cameras["gate"].behaviours == ()


def test_a_form_changes_what_it_changed_and_nothing_else():
    old = parse(TEXT, env=ENV).as_dict()
    new = parse(TEXT, env=ENV).as_dict()
    new["language"], new["store"]["days"], new["cameras"]["gate"]["name"] = "en", 7.0, "Gate"
    made = merge(TEXT, old, new)
    config = parse(made, env=ENV)
    assert (config.language, config.store.days, config.cameras["gate"].name) == ("en", 7.0, "Gate")
    assert "hunter2" in made
    assert set(TEXT.splitlines()) - set(made.splitlines()) == {"language: bn", "    name: ফটক"}
    assert set(made.splitlines()) - set(TEXT.splitlines()) == {"language: en", "    name: Gate", "store:", "  days: 7.0"}


def test_secrets_are_not_shown_and_come_back():
    shown = masked(TEXT)
    assert not [secret for secret in SECRETS if secret in shown]
    assert "{PAHARA_PASSWORD}" in shown
    assert unmasked(shown, TEXT) == TEXT
    changed = shown.replace("language: bn", "language: en").replace("    name: ফটক\n", "")
    assert unmasked(changed, TEXT) == TEXT.replace("language: bn", "language: en").replace("    name: ফটক\n", "")
    beside = shown.replace("url: http", "url: http").replace("kind: apprise, ", "language: en, kind: apprise, ")
    assert "tgram://123:abc/99" in unmasked(beside, TEXT)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("rtsp://***@10.0.0.5/sub  #", "rtsp://***@evil.example/sub  #"), ("  yard:", "  yard2:\n    name: rtsp://***@10.0.0.5/sub\n  yard:")],
)
def test_a_masked_secret_cannot_be_sent_elsewhere(was, becomes):
    shown = masked(TEXT)
    assert was in shown
    with pytest.raises(ConfigProblems, match="stands for a secret"):
        unmasked(shown.replace(was, becomes), TEXT)


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "!!python/object/apply:os.system [id]", "a: &a [*a]", "a: 1\n---\nb: 2", "\x00"])
def test_what_is_no_configuration_is_refused(text):
    with pytest.raises(ConfigError):
        set_behaviours(text, "gate", [])
    assert "hunter2" not in masked(text + "\nx: rtsp://a:hunter2@h/")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(lambda name: name.strip()))
def test_any_printable_name_of_a_zone_survives(name):
    if not name.isprintable():
        return
    made = set_places(TEXT, "yard", {name: [[0, 0], [1, 0], [1, 1]]}, None)
    assert list(parse(made, env=ENV).cameras["yard"].zones) == [name]
