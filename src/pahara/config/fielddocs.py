"""What a field means, read from the comment beside it: the source of the descriptions in the JSON schema."""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any


@cache
def field_docs(plug_in: Callable[..., Any]) -> Mapping[str, str]:
    """Field or parameter -> its trailing comment, of a dataclass (its bases too) or a function.

    `seconds: float = 30.0  # stay that alarms` gives {"seconds": "stay that alarms"}; {} where the source is not at hand.
    """
    found: dict[str, str] = {}
    if inspect.isclass(plug_in):
        for base in reversed(plug_in.__mro__[1:-1]):
            found |= _own_docs(base)
    return found | _own_docs(plug_in)


def summary(plug_in: object) -> str:
    """The first paragraph of the docstring on one line; "" for the one that `dataclass` writes by itself."""
    text = inspect.cleandoc(getattr(plug_in, "__doc__", None) or "").split("\n\n")[0].replace("\n", " ")
    return "" if text.startswith(f"{getattr(plug_in, '__name__', '')}(") else text


def _own_docs(plug_in: object) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(plug_in))  # type: ignore[arg-type]
        tree = ast.parse(source).body[0]
        comments = {
            token.start[0]: token.string.lstrip("# ").rstrip()
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return {}
    lines: dict[str, int] = {}
    if isinstance(tree, ast.ClassDef):
        for item in tree.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                lines[item.target.id] = item.end_lineno or item.lineno
    elif isinstance(tree, ast.FunctionDef):
        for argument in [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]:
            lines[argument.arg] = argument.end_lineno or argument.lineno
    crowded = [line for line in lines.values() if list(lines.values()).count(line) > 1]
    found = _told_in_docstring(ast.get_docstring(tree) or "", lines) if isinstance(tree, ast.FunctionDef) else {}
    return found | {name: comments[line] for name, line in lines.items() if line in comments and line not in crowded}


def _told_in_docstring(text: str, names: Iterable[str]) -> dict[str, str]:
    """ "threads: how many cores to use; classes: report these only" in a function's docstring."""
    plain = " ".join(text.split())
    found = {name: re.search(rf"(?:^|[;.] ?|\s){name}: (.+?)(?=;|\. |\.$|$)", plain) for name in names}
    return {name: match[1] for name, match in found.items() if match}
