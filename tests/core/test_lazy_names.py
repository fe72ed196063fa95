"""The names of `pahara.core` are fetched on first use, and every promised one is there."""

import subprocess
import sys

import pytest

import pahara.core


def test_every_promised_name_is_there():
    for name in pahara.core.__all__:
        assert getattr(pahara.core, name) is not None
    homes = [name for names in pahara.core._HOMES.values() for name in names]
    assert sorted(homes) == sorted(pahara.core.__all__), "a promised name has no home, or a home no promise"


def test_a_name_that_nobody_promised_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Trakc"):
        _ = pahara.core.Trakc


def test_errors_come_without_numpy():
    code = "import sys; from pahara.core import PaharaError; from pahara.core.errors import ConfigError; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
