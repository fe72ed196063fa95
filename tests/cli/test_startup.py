"""The program starts fast: the help needs none of the heavy libraries."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "scipy",
    "cv2",
    "av",
    "onnxruntime",
    "openvino",
    "pydantic",
    "ruamel",
    "sqlalchemy",
    "alembic",
    "jinja2",
    "torch",
    "onnx",
    "ray",
)


def loaded_after(code):
    """The heavy libraries that a fresh Python has loaded after running some code."""
    told = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint()\nprint([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import pahara",
        "import pahara.core.errors, pahara.config, pahara.detection",
        "import pahara.cli.app",
        "sys.argv = ['pahara', '--help']; import pahara.cli; pahara.cli.main()",
        "sys.argv = ['pahara', '--version']; import pahara.cli; pahara.cli.main()",
    ],
)
def test_no_heavy_library_is_loaded(code):
    assert loaded_after(code) == "[]"


@pytest.mark.parametrize("verb", ["'config', 'check'", "'doctor'", "'models', 'list'"])
def test_the_help_of_a_verb_loads_only_what_typer_itself_does(verb):
    """Typer brings pydantic for the arguments of a verb."""
    assert loaded_after(f"sys.argv = ['pahara', {verb}, '--help']; import pahara.cli; pahara.cli.main()") in ("[]", "['pydantic']")


def test_the_check_would_notice():
    assert loaded_after("import pahara.core.boxes") == "['numpy']"


@pytest.mark.slow
def test_the_benchmark_stays_within_its_limits():
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / "startup.py", "--json"], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    noise = 0.02  # seconds: `import pahara` costs so little that a busy machine may measure it below bare Python
    assert 0 < figures["bare_s"] <= figures["import_s"] + noise
    assert figures["import_s"] < 0.3
    assert figures["import_s"] < figures["help_s"] + noise < 0.5 + noise
