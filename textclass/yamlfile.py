"""Hand-written YAML read and checked whole: every fault is told at once, with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclass.errors import TextclassError

if TYPE_CHECKING:
    from pydantic import BaseModel

Fault = tuple[int, str]
"""A 1-based line and what is wrong there."""


def read_text(path: Path, error: type[TextclassError]) -> str:
    """Return the text of a hand-written file.

    Raises
    ------
    TextclassError
        Of the kind `error`, if the file can't be read or isn't UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise error(f"can't be read: {fault}", where=str(path)) from fault


def parse_yaml(text: str, name: str, error: type[TextclassError]) -> Any:  # noqa: ANN401 -- YAML holds anything
    """Return the tree of a YAML text, which remembers its lines.

    Raises
    ------
    TextclassError
        Of the kind `error`, with the line, if it isn't YAML or a key stands twice.
    """
    from srsly.ruamel_yaml import YAML
    from srsly.ruamel_yaml.constructor import DuplicateKeyError
    from srsly.ruamel_yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt")
    reader.preserve_quotes = True  # type: ignore[assignment]  # srsly declares it as None
    try:
        return reader.load(text)
    except (MarkedYAMLError, DuplicateKeyError) as fault:
        mark = fault.problem_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise error(f"not valid YAML: {fault.problem}", where=where) from fault
    except YAMLError as fault:
        raise error(f"not valid YAML: {fault}", where=name) from fault


def schema_faults(tree: object, schema: type[BaseModel]) -> tuple[BaseModel | None, list[Fault]]:
    """Check a YAML tree against a schema; return the model, or None and every fault."""
    from pydantic import ValidationError

    try:
        return schema.model_validate(tree), []
    except ValidationError as error:
        return None, [
            (line_of(tree, fault["loc"]), _describe(fault["loc"], fault["msg"]))
            for fault in error.errors()
        ]


def raise_faults(faults: Iterable[Fault], name: str, error: type[TextclassError]) -> None:
    """Raise one error of the kind `error` that tells all faults, if there are any."""
    lines = "; ".join(f"line {line}: {message}" for line, message in sorted(set(faults)))
    if lines:
        raise error(lines, where=name)


def line_of(tree: object, location: Sequence[int | str]) -> int:
    """Return the 1-based line of a place in the YAML tree, as near as it can be known."""
    line = 0
    node: Any = tree
    for step in location:
        marks = getattr(node, "lc", None)
        if marks is None or marks.data is None or step not in marks.data:
            break
        line = marks.data[step][0]
        node = node[step]
    return line + 1


def _describe(location: Sequence[int | str], message: str) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return f"{place.lstrip('.') or 'the file'}: {message[0].lower()}{message[1:]}"
