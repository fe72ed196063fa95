"""The commented pahara.yml that `pahara config init` writes."""

from __future__ import annotations

from importlib.resources import files

from pahara.core.errors import ConfigError

LANGUAGES = ("bn", "en")


def starter(language: str) -> str:
    """The text in one language; ConfigError for a language that there is not."""
    if language not in LANGUAGES:
        raise ConfigError(f"no language '{language}'. There are 'bn' and 'en'")
    return files("pahara.config").joinpath("starters", f"{language}.yml").read_text(encoding="utf-8")
