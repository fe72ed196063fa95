"""A mapping that nobody changes, and that travels between processes."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Frozen(dict[K, V]):
    """A dict in all but one thing: it cannot be changed. Unlike `types.MappingProxyType` it can be pickled and written as JSON.

    >>> Frozen({"a": 1}) | {"b": 2}
    {'a': 1, 'b': 2}
    """

    __slots__ = ()

    def _never(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this mapping never changes: make a new one, e.g. {**old, 'key': value}")

    __setitem__ = __delitem__ = _never
    clear = pop = popitem = setdefault = update = _never
    __ior__ = _never

    def __reduce__(self) -> tuple[type[Frozen[K, V]], tuple[dict[K, V]]]:
        return type(self), (dict(self),)
