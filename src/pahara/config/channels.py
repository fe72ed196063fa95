"""The channels of a configuration -> routes and notifiers, with every problem on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pahara.core.errors import ConfigError
from pahara.notify.route import Route

from .model import Config
from .options import adapter_of, given, model_of, options_of
from .problems import ConfigProblems, Problem, did_you_mean, sentences
from .registry import find
from .telling import Steps, Teller

if TYPE_CHECKING:
    from pahara.notify import Notifier

OWN = ("kind", "language", "picture")  # keys of every entry; the rest are the route's and the notifier's


@dataclass(frozen=True)
class ChannelPlan:
    """One channel, ready to be opened."""

    name: str
    kind: str
    language: str
    picture: bool
    route: Route
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # of the notifier, by its own field names

    def make(self) -> Notifier:
        """A fresh notifier."""
        made: Notifier = find("notifiers", self.kind)(**self.options)
        return made


def channel_plans(config: Config) -> list[ChannelPlan]:
    """The channels of a configuration. ConfigProblems where one makes no sense."""
    entries = {
        name: {"kind": str(each.kind), "language": each.language, "picture": each.picture, **each.options}
        for name, each in config.notify.channels.items()
    }
    plans, problems = check_channels(entries, Teller({}, config.file), config.language, str(config.timezone))
    if problems:
        raise ConfigProblems(problems)
    return plans


def check_channels(entries: Mapping[str, Any], teller: Teller, language: str, timezone: str) -> tuple[list[ChannelPlan], list[Problem]]:
    """Every channel that makes sense, and what is wrong with the others. Each notifier is made once and thrown away: none connects."""
    plans: list[ChannelPlan] = []
    problems: list[Problem] = []
    routing = {option.key for option in options_of(Route)} - {"timezone"}
    for name, entry in entries.items():
        path: Steps = ("notify", "channels", name)
        if not isinstance(entry, Mapping) or not isinstance(entry.get("kind"), str):
            continue  # the format's own check tells of it
        kind = str(entry["kind"])
        try:
            plug_in = find("notifiers", kind)
            model = model_of(plug_in)
        except ConfigError as error:
            problems.append(teller.at((*path, "kind"), *sentences(error)))
            continue
        route, options = Route(), dict[str, Any]()
        before = len(problems)
        try:
            told = {key: value for key, value in entry.items() if key in routing}
            if isinstance(told.get("quiet"), Mapping):  # one window is a list of one
                told["quiet"] = [told["quiet"]]
            route = replace(adapter_of(Route).validate_python(told), timezone=timezone)
        except ValidationError as error:
            problems += teller.tell(error, model_of(Route), under=path, called="a channel")
        known = {*routing, *OWN, *(option.key for option in options_of(plug_in))}
        for key in [key for key in entry if key not in known]:
            problems.append(teller.at((*path, key), f"{kind} has no '{key}'", did_you_mean(str(key), known), key=True))
        try:
            told = {key: value for key, value in entry.items() if key not in routing and key not in OWN and key in known}
            adapter_of(plug_in).validate_python(told)
            options = given(model.model_validate(told))
        except ValidationError as error:
            problems += teller.tell(error, model, under=path, called=kind)
        if len(problems) == before:
            plans.append(ChannelPlan(name, kind, str(entry.get("language") or language), bool(entry.get("picture", True)), route, options))
    return plans, problems
