"""A mistake that its user can mend: shown as one clear line, never as a traceback."""

from __future__ import annotations


class PaharaError(Exception):
    """What was wrong, where, and what to try. The command line prints it and exits with `exit_code`."""

    exit_code = 2


class SourceError(PaharaError):
    """A video, folder, webcam or stream cannot be opened or read."""


class ConfigError(PaharaError):
    """A configuration says something that cannot be done."""


class ModelError(PaharaError):
    """A model is missing, damaged, or of a layout that nobody knows."""


class StoreError(PaharaError):
    """The database or the evidence folder cannot be used."""


class DataError(PaharaError):
    """A data set, or one of its files, cannot be used for training as it is."""


class TrainingError(PaharaError):
    """Training cannot start, cannot go on, or would learn nothing."""
