"""Which signals of the whole picture a camera has: those that are written down, and those that its behaviours read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pahara.core import Behaviour, Signal
from pahara.core.errors import ConfigError

from .options import Places, adapter_of, given, model_of, options_of
from .problems import Problem, did_you_mean, sentences
from .registry import find, names
from .telling import Steps, Teller


@dataclass
class ResolvedSignals:
    """What is measured: kind -> options by the plug-in's own field names."""

    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def make(self) -> tuple[Signal, ...]:
        """Fresh ones."""
        return tuple(find("signals", kind)(**options) for kind, options in self.options.items())


def resolve_signals(
    entries: Sequence[Any], behaviours: Iterable[tuple[Behaviour, Steps]], places: Places, teller: Teller, *, under: Steps = ()
) -> ResolvedSignals:
    """The signals of one camera from the entries of its list at `under`, and from what its behaviours (each with its place) read.

    Each is made once and thrown away, so that a model that does not fit is told with its place in the file.
    """
    found = ResolvedSignals()
    made: dict[str, Any] = {}
    for index, written in enumerate(entries):
        path = (*under, index)
        entry = {"kind": written} if isinstance(written, str) else written
        if not isinstance(entry, Mapping) or not isinstance(entry.get("kind"), str):
            continue
        kind = str(entry["kind"])
        options = {key: value for key, value in entry.items() if key != "kind"}
        try:
            plug_in = find("signals", kind)
            model = model_of(plug_in)
        except ConfigError as error:
            found.problems.append(teller.at((*path, "kind"), *sentences(error)))
            continue
        if kind in found.options:
            found.problems.append(teller.at(path, f"two signals of the kind '{kind}'", "A camera has one of each kind: take one away"))
            continue
        found.options[kind] = {}
        try:
            made[kind] = adapter_of(plug_in).validate_python(options, context=places)
            found.options[kind] = given(model.model_validate(options, context=places))
        except ValidationError as error:
            found.problems += teller.tell(error, model, under=path, called=kind)
    for behaviour, path in behaviours:
        for kind in read_by(behaviour):
            if kind in found.options:
                continue
            needed = [option.key for option in options_of(find("signals", kind)) if option.default is dataclasses.MISSING]
            if needed:
                told = ", ".join(f"{key}: …" for key in needed)
                said = f"'{getattr(behaviour, 'kind', '')}' reads the signal '{kind}', which this camera does not have"
                found.problems.append(teller.at(path, said, f"Add `signals: [{{kind: {kind}, {told}}}]`"))
            else:
                found.options[kind] = {}
        found.problems += [teller.at(path, *told) for told in _never_given(behaviour, made)]
    return found


def _never_given(behaviour: Behaviour, made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a behaviour `reads` by name and no signal `gives`, though one of that kind is there: a slip that would never alarm."""
    for name in getattr(behaviour, "reads", ()):
        kind, _, wanted = name.partition(".")
        given_by = getattr(made.get(kind), "gives", ())
        if given_by and name not in given_by:
            choices = [each.partition(".")[2] for each in given_by]
            said = f"'{getattr(behaviour, 'kind', '')}' waits for '{wanted}', of which the signal '{kind}' tells nothing"
            yield said, did_you_mean(wanted, [each for each in choices if not each.startswith("limit.")])


def read_by(behaviour: Behaviour) -> tuple[str, ...]:
    """The registered signals that a behaviour reads: what its `signals` names, else the one of its own kind."""
    wanted = getattr(behaviour, "signals", (getattr(behaviour, "kind", ""),))
    return tuple(name for name in names("signals") if name in wanted)
