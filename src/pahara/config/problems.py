"""What is wrong with a configuration: every problem with its place in the file and what to try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pahara.core.errors import ConfigError

MOST_SHOWN = 50  # problems; a broken file of another kind would print thousands


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `message` says what is wrong, `hint` what to try; line and column count from 1, 0 is unknown."""

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """ "pahara.yml, line 14, column 7"; "" when nothing is known."""
        parts = [self.file] if self.file else []
        if self.line:
            parts += [f"line {self.line}", f"column {self.column}"]
        return ", ".join(parts)

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        return f"{self.message}{place}" + (f". {self.hint}" if self.hint else "")


class ConfigProblems(ConfigError):
    """All problems of one file at once, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.column)))
        super().__init__(*map(str, self.problems))

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        shown = [f"  {problem}" for problem in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"  … and {len(self.problems) - MOST_SHOWN} more")
        return "\n".join([f"{len(self.problems)} problems in the configuration:", *shown])

    def __reduce__(self) -> tuple[type[ConfigProblems], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def did_you_mean(word: object, known: Iterable[str], *, otherwise: str = "") -> str:
    """ "Did you mean 'loitering'?" when a known word is near; else what there is.

    >>> did_you_mean("loitring", ["loitering", "running"])
    "Did you mean 'loitering'?"
    >>> did_you_mean("x", ["loitering", "running"])
    "There are 'loitering' and 'running'"
    """
    choices = sorted(known)
    folded = {choice.casefold(): choice for choice in choices}
    if near := get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.6):
        return f"Did you mean '{folded[near[0]]}'?"
    if otherwise or not choices:
        return otherwise
    if len(choices) > 24:
        return f"There are {len(choices)}, e.g. {listing(choices[:5])}"
    return f"There {'is' if len(choices) == 1 else 'are'} {listing(choices)}"


def listing(words: Sequence[str]) -> str:
    """ "'a', 'b' and 'c'"."""
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def sentences(error: Exception) -> tuple[str, str]:
    """ "no behaviour named 'x'. Did you mean 'y'?" -> what is wrong, and what to try."""
    message, _, hint = str(error).partition(". ")
    return message, hint
