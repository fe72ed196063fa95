"""What the pages say is true: links lead somewhere, commands run, the reference is what the code says."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest
import typer

from pahara.cli.app import app
from pahara.language import catalogue

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUN = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").rglob("*.md"))]  # their ```sh blocks are executed
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")


def generator() -> ModuleType:
    """docs/generate.py, however pytest was started."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def prose(page: Path) -> str:
    """A page without its blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        kept = "".join(c for c in words if c in " -_" or unicodedata.category(c)[0] in "LNM")
        found.add(kept.strip().replace(" ", "-"))
    return found


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_there_are_pages_and_commands_to_check():
    assert len(PAGES) > 10, "no pages found: the checks would pass without checking"
    assert sum(len(blocks(page, "sh")) for page in RUN) >= 3


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_name_no_place_of_one_machine(page):
    found = re.findall(r"(?:^|[\s`(\"'])(/(?:root|work|home/\w+|Users/\w+|tmp/\w+)/[^\s`)]*)", page.read_text(encoding="utf-8"))
    assert found == []


def said_commands() -> list[tuple[str, str]]:
    """Every line of a block that calls pahara, run or not: (page, line)."""
    found = []
    for page in PAGES:
        for block in blocks(page, "", "sh", "bash", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                line = line.strip().removeprefix("$ ")
                if line.startswith("pahara ") and not name(page).startswith("docs/reference/"):
                    found.append((name(page), line))
    return found


@pytest.mark.parametrize(("page", "line"), said_commands())
def test_every_shown_command_exists_with_its_options(page, line):
    words = shlex.split(re.split(r"\s[|>;]|&&", line)[0], comments=True)[1:]
    command = typer.main.get_command(app)
    names = ["pahara"]
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{page}: there is no `{' '.join([*names, words[0]])}`"
        names.append(words[0])
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]} | {"--help"}
    unknown = [
        word for word in words if word.startswith("-") and len(word) > 1 and not re.match(r"-\d", word) and word.split("=")[0] not in known
    ]
    assert unknown == [], f"{page}: `{line}`"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in RUN if blocks(page, "sh")], ids=name)
def test_the_commands_of_a_page_run(page, tmp_path):
    """All ```sh blocks of a page, one after the other, in one empty folder, as a reader would type them."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        **{key: value for key, value in os.environ.items() if key.startswith("PAHARA_") or key in ("SYSTEMROOT", "CI")},
    }
    folder = tmp_path / "reader"
    folder.mkdir()
    for block in blocks(page, "sh"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, f"{name(page)}:\n{block}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_every_command_is_in_the_reference_and_every_verb_in_the_guide():
    generate = generator()
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    known = [full for full, _ in generate.commands(typer.main.get_command(app), "pahara")]
    assert len(known) > 8
    assert [full for full in known if f"## `{full}`\n" not in reference] == []
    told = "\n".join(page.read_text(encoding="utf-8") for page in RUN)
    verbs = [full for full in known if full.count(" ") == 1]
    assert [verb for verb in verbs if not re.search(rf"{verb}\b", told)] == []


def test_every_option_has_a_word_of_help():
    generate = generator()
    silent = [
        (full, parameter.name)
        for full, command in generate.commands(typer.main.get_command(app), "pahara")
        for parameter in command.params
        if not (parameter.help or "").strip()
    ]
    assert silent == []


def test_the_reference_is_what_the_code_says():
    generate = generator()
    difference = generate.stale(generate.pages(), generate.TARGET)
    assert difference == [], "run `python -m docs.generate` and commit what it writes"


def test_a_stale_reference_is_told_with_the_difference(tmp_path, capsys):
    generate = generator()
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0
    (tmp_path / "old.md").write_text("of yesterday\n")
    with (tmp_path / "cli.md").open("a") as file:
        file.write("typed by hand\n")
    assert generate.main(["--check"], tmp_path) == 1
    told = capsys.readouterr().out
    assert "-typed by hand" in told
    assert "-of yesterday" in told
    assert generate.main([], tmp_path) == 0
    assert not (tmp_path / "old.md").exists()
    assert generate.main(["--check"], tmp_path) == 0


def test_the_reference_reads_a_room_from_its_source(tmp_path, monkeypatch):
    """Public names with fields, comments and examples; what is private stays out; an empty room is no error."""
    generate = generator()
    for room in ("empty", "garden"):
        (tmp_path / "pahara" / room).mkdir(parents=True)
        (tmp_path / "pahara" / room / "__init__.py").write_text('"""A place to sit."""\n')
    (tmp_path / "pahara" / "garden" / "bench.py").write_text(
        '"""What one sits on."""\n'
        "class Bench:\n"
        '    """Holds people.\n\n    >>> Bench(2).seats\n    2\n    """\n'
        "    seats: int = 3  # people\n"
        "    _paint: str = ''\n"
        "    def sit(self, who: str) -> bool:\n"
        '        """Whether there was room for <who>."""\n'
        "def _saw() -> None: ...\n"
    )
    monkeypatch.setattr(generate, "SOURCE", tmp_path / "pahara")
    pages = dict(generate.api_pages())
    assert list(pages) == ["garden"]
    assert "    seats: int = 3  # people\n" in pages["garden"]
    assert "def sit(self, who: str) -> bool  # Whether there was room for <who>." in pages["garden"]
    assert "```python\n>>> Bench(2).seats\n2\n```" in pages["garden"]
    assert "_paint" not in pages["garden"]
    assert "_saw" not in pages["garden"]


def test_every_dependency_has_its_reason_and_no_other():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    needed = {re.split(r"[\[<>=!~; ]", one)[0] for one in wanted} - {"pahara"}
    page = (ROOT / "docs" / "design" / "dependencies.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([\w.-]+)` \|", page, re.MULTILINE))
    assert len(needed) > 15
    assert told == needed
    assert not {"GPL", "AGPL", "LGPL"} & set(re.findall(r"^\| `[\w.-]+` \| ([\w.-]+) \|", page, re.MULTILINE))


def test_the_glossary_names_behaviours_as_the_product_does():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert unicodedata.normalize("NFC", page) == page
    names = {key: words for key, words in catalogue("bn").items() if re.fullmatch(r"behaviour\.\w+", key)}
    assert len(names) > 8
    assert [words for words in names.values() if words not in page] == []


def test_no_word_is_explained_twice():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    words = [word for word in words if word not in ("word", "kind")]
    assert len(words) > 50
    assert len(words) == len(set(words))
