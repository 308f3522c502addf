"""`labels.yaml` read into a `Taxonomy`: facets, labels, definitions, cues and the document rule.

The file is written by hand, so it is checked whole: every fault is told at once, with its line.
Other such files are read by the same functions, which stand last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from annotated_types import Gt, Le, Len, Lt

from textclass.errors import TaxonomyError, TextclassError, did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError

RESERVED_NAMES = frozenset(
    "id document page start end text words outcome reason scores evidence model passages labels "
    "group source licence register region decade path level primary folder media_type date sha256 "
    "columns spans split labelled collection".split()
)
"""Columns of the result schema and of corpora, which no facet may be named after."""

T = TypeVar("T")

Fault = tuple[int, str]
"""A 1-based line and what is wrong there."""

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_COLUMN_RULE = (
    "it may have letters A-Z and a-z, digits, _ and -, no digit or - first, so that every program "
    "takes the name (labels can have any letters)"
)

_IN_YAML = {
    "a dictionary or an instance of [A-Za-z]+": "a mapping",
    "valid tuple": "list",
    "unexpected keyword argument|extra inputs are not permitted": "unknown key",
}
"""What pydantic calls things, and what a writer of YAML does."""


class _Checked:
    """What pydantic checks against the annotations of its fields; it takes no other names."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 -- pydantic looks it up, nobody changes it


@dataclass(frozen=True)
class Label(_Checked):
    """One label of a facet.

    Attributes
    ----------
    name : str
    definition : str
        What an annotator looks for.
    family, source : str
        Where the label belongs and comes from.
    cues : tuple of str
        Words for the keyword baseline of an evaluation; the model never sees them.
    target_precision : float or None
        Threshold by this precision instead of by best F1.
    """

    name: Annotated[str, Len(1, 64)]
    definition: Annotated[str, Len(1)]
    family: str = ""
    source: str = ""
    cues: tuple[str, ...] = ()
    target_precision: Annotated[float, Gt(0), Lt(1)] | None = None


@dataclass(frozen=True)
class Facet(_Checked):
    """A question and the labels that answer it; any number of them can apply.

    `document` is the least probability, the mean of its most certain passages, at which a document
    carries a label.
    """

    name: Annotated[str, Len(1, 64)]
    labels: tuple[Label, ...]
    question: str = ""
    document: Annotated[float, Gt(0), Le(1)] = 0.3

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Label names in file order."""
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True)
class Taxonomy(_Checked):
    """The facets of a `labels.yaml`; label order is file order everywhere."""

    facets: tuple[Facet, ...]

    def __iter__(self) -> Iterator[Facet]:
        return iter(self.facets)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """All labels, facet after facet: the columns of every score matrix."""
        return tuple(label for facet in self.facets for label in facet.labels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All label names, in column order."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def score_columns(self) -> tuple[str, ...]:
        """`<facet>.<label>` of each label, as tables and spaCy name the probabilities."""
        return tuple(f"{facet.name}.{name}" for facet in self.facets for name in facet.names)

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """Column of each label name."""
        return {name: column for column, name in enumerate(self.names)}

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """The columns of each facet, by facet name."""
        ends = [0]
        for facet in self.facets:
            ends.append(ends[-1] + len(facet.labels))
        return {f.name: slice(*ends[i : i + 2]) for i, f in enumerate(self.facets)}

    @cached_property
    def facet_of_each(self) -> tuple[str, ...]:
        """The facet of each column."""
        return tuple(facet.name for facet in self.facets for _ in facet.labels)

    def column(self, name: str) -> int:
        """Return the column of a label, by its name or its score column's, in whatever case.

        Raises
        ------
        TaxonomyError
            If no label has this name.
        """
        alike = [*self.score_columns, *self.names]
        folded = {one.casefold(): at % len(self.names) for at, one in enumerate(alike)}
        column = self.columns.get(name, folded.get(name.casefold()))
        if column is None:
            known = f"the labels are {', '.join(self.names)}"
            hint = did_you_mean(name, self.names) or known
            raise TaxonomyError(f"unknown label {name!r}", hint=hint)
        return column

    def to_dict(self) -> dict[str, Any]:
        """Return the taxonomy as plain lists, dicts, text and numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Taxonomy:
        """Rebuild a taxonomy from what `to_dict` gave.

        Raises
        ------
        TaxonomyError
            Names every fault.
        """
        return _checked(data, "taxonomy")

    @classmethod
    def load(cls, path: str | Path | None = None) -> Taxonomy:
        """Read a `labels.yaml`; without `path` the one that ships with the package.

        Raises
        ------
        TaxonomyError
            Names every fault of the file with its line.
        """
        path = Path(path) if path is not None else shipped("labels.yaml")
        return _checked(read_yaml(path, TaxonomyError), str(path))


def shipped(name: str) -> Path:
    """Return the path of a file or folder that the wheel carries (or the checkout holds)."""
    packaged = Path(__file__).parent / "shipped" / name
    return packaged if packaged.exists() else Path(__file__).parent.parent / name


def parse_taxonomy(text: str, *, name: str = "labels.yaml") -> Taxonomy:
    """Parse the text of a `labels.yaml`.

    Raises
    ------
    TaxonomyError
        Names every fault with its line in `text`.
    """
    return _checked(parse_yaml(text, name, TaxonomyError), name)


def _checked(tree: object, name: str) -> Taxonomy:
    taxonomy = check_schema(tree, Taxonomy, name, TaxonomyError)
    _raise_faults(_name_faults(tree, taxonomy), name, TaxonomyError)
    return taxonomy


def _name_faults(tree: object, taxonomy: Taxonomy) -> Iterator[Fault]:
    """Find names that repeat, are reserved or can't stand in a table."""
    first: dict[str, int] = {}
    if not taxonomy.names or not all(facet.labels for facet in taxonomy):
        yield 1, "at least one facet is needed, and at least one label in each"
    for f, facet in enumerate(taxonomy):
        places: list[tuple[int | str, ...]] = [("facets", f, "name")]
        places += [("facets", f, "labels", n, "name") for n in range(len(facet.labels))]
        for name, place in zip((facet.name, *facet.names), places, strict=True):
            line = _line_of(tree, place)
            if name in first:
                yield line, f"{name!r} stands twice, first in line {first[name]}"
            if name != name.strip() or any(c in name for c in ",;|\n\t"):
                yield line, f"{name!r} has a comma, semicolon, bar or stray space"
            first.setdefault(name, line)
        if facet.name in RESERVED_NAMES or not _COLUMN.fullmatch(facet.name):
            line = _line_of(tree, places[0])
            taken = "they have one of that name" if facet.name in RESERVED_NAMES else _COLUMN_RULE
            yield line, f"facet {facet.name!r} can't be a column of the results: {taken}"


def read_yaml(path: Path, error: type[TextclassError]) -> object:
    """Return the tree of a YAML file, which remembers its lines.

    Raises
    ------
    TextclassError
        Of the kind `error`, if the file can't be read, isn't UTF-8, or isn't YAML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise error(f"can't be read: {fault}", where=str(path)) from fault
    return parse_yaml(text, str(path), error)


def parse_yaml(text: str, name: str, error: type[TextclassError]) -> object:
    """Return the tree of a YAML text, which remembers its lines.

    Raises
    ------
    TextclassError
        Of the kind `error`, with the line, if it isn't YAML or a key stands twice.
    """
    from srsly.ruamel_yaml import YAML
    from srsly.ruamel_yaml.constructor import DuplicateKeyError
    from srsly.ruamel_yaml.error import YAMLError

    try:
        # An accent is one character with its letter, whatever the keyboard made of it.
        return YAML(typ="rt").load(unicodedata.normalize("NFC", text))
    except (YAMLError, DuplicateKeyError) as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark else name
        problem = getattr(fault, "problem", fault)
        raise error(f"not valid YAML: {problem}", where=where) from fault


def check_schema(tree: object, schema: type[T], name: str, error: type[TextclassError]) -> T:
    """Return the tree of a YAML file as an object of `schema`, which pydantic understands.

    Raises
    ------
    TextclassError
        Of the kind `error`; it tells all faults, each with its line.
    """
    # Imported only where a file is read: the command's help doesn't pay for it.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(schema).validate_python(tree)
    except ValidationError as found:
        _raise_faults(_schema_faults(tree, found), name, error)
        raise


def _schema_faults(tree: object, error: ValidationError) -> Iterator[Fault]:
    for fault in error.errors():
        steps = [f"[{s}]" if isinstance(s, int) else f".{s}" for s in fault["loc"]]
        message = fault["msg"][0].lower() + fault["msg"][1:]
        for pattern, word in _IN_YAML.items():
            message = re.sub(pattern, word, message)
        place = "".join(steps).lstrip(".") or "the file"
        yield _line_of(tree, fault["loc"]), f"{place}: {message}"


def _raise_faults(faults: Iterable[Fault], name: str, error: type[TextclassError]) -> None:
    """Raise one error of the kind `error` that tells all faults, if there are any."""
    lines = "; ".join(f"line {line}: {message}" for line, message in sorted(set(faults)))
    if lines:
        raise error(lines, where=name)


def _line_of(tree: object, location: Sequence[int | str]) -> int:
    """Return the 1-based line of a place in the YAML tree, as near as it can be known."""
    line, node = 0, cast(Any, tree)
    for step in location:
        marks = getattr(getattr(node, "lc", None), "data", None)
        if not marks or step not in marks:
            break
        line, node = marks[step][0], node[step]
    return line + 1
