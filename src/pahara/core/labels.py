"""Words for groups of classes: a rule for vehicles is a rule for cars and buses, whichever of them the detector says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

GROUPS: Mapping[str, tuple[str, ...]] = {
    "vehicle": ("car", "truck", "bus", "motorcycle", "bicycle"),
    "bag": ("backpack", "handbag", "suitcase"),
}


def widened(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels, and after each group its members; () stays (), which means any.

    >>> widened(("person", "bag"))
    ('person', 'bag', 'backpack', 'handbag', 'suitcase')
    """
    return tuple(dict.fromkeys(word for label in labels for word in (label, *GROUPS.get(label, ()))))


def instead(labels: Sequence[str], names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Groups that a detector with these class names says for labels that it does not know: group -> those labels.

    >>> instead(("person", "car", "bus"), ("person", "bag", "vehicle"))
    {'vehicle': ('car', 'bus')}
    >>> instead(("car",), ("person", "car", "vehicle"))
    {}
    """
    found = {}
    for group, members in GROUPS.items():
        unknown = tuple(label for label in labels if label in members and label not in names)
        if unknown and group in names and group not in labels:
            found[group] = unknown
    return found
