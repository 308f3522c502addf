"""`labels.yaml` read into a `Taxonomy`: facets, labels, definitions, cues and the document rule.

The file is written by hand, so it is checked whole: every fault is told at once, with its line.
Other hand-written YAML files are read by the same functions, which stand last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclass.errors import TaxonomyError, TextclassError

if TYPE_CHECKING:
    from pydantic import BaseModel

RESERVED_NAMES = frozenset(
    "id document page start end text words outcome reason scores evidence model passages labels "
    "group source licence register region decade path level primary folder media_type date sha256 "
    "columns spans split labelled collection".split()
)
"""Columns of the result schema and of corpora, which no facet may be named after."""

Fault = tuple[int, str]
"""A 1-based line and what is wrong there."""

YAML_WORDS = frozenset("y n yes no on off true false null ~".split())
"""Plain words that some YAML readers take for something other than text."""


@dataclass(frozen=True)
class Label:
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

    name: str
    definition: str
    family: str = ""
    source: str = ""
    cues: tuple[str, ...] = ()
    target_precision: float | None = None


@dataclass(frozen=True)
class Facet:
    """A question and the labels that answer it; any number of them can apply.

    `document` is the least probability, the mean of its most certain passages, at which a document
    carries a label.
    """

    name: str
    labels: tuple[Label, ...]
    question: str = ""
    document: float = 0.3

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Label names in file order."""
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True)
class Taxonomy:
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
        """Return the column of label `name`.

        Raises
        ------
        TaxonomyError
            If no label has this name.
        """
        if name not in self.columns:
            raise TaxonomyError(
                f"unknown label {name!r}", hint=f"the labels are {', '.join(self.names)}"
            )
        return self.columns[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the taxonomy as plain lists, dicts, text and numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Taxonomy:
        """Rebuild a taxonomy from what `to_dict` gave (or from checked YAML)."""
        facets = []
        for facet in data["facets"]:
            labels = [
                Label(**{**label, "cues": tuple(label.get("cues", ()))})
                for label in facet["labels"]
            ]
            facets.append(Facet(**{**facet, "labels": tuple(labels)}))
        return cls(tuple(facets))

    @classmethod
    def load(cls, path: str | Path | None = None) -> Taxonomy:
        """Read a `labels.yaml`; without `path` the one that ships with the package.

        Raises
        ------
        TaxonomyError
            Names every fault of the file with its line.
        """
        path = Path(path) if path is not None else shipped("labels.yaml")
        return parse_taxonomy(read_text(path, TaxonomyError), name=str(path))


def shipped(name: str) -> Path:
    """Return the path of a file or folder that the wheel carries (or the checkout holds)."""
    packaged = Path(str(resources.files("textclass"))) / "shipped" / name
    return packaged if packaged.exists() else Path(__file__).parent.parent / name


def parse_taxonomy(text: str, *, name: str = "labels.yaml") -> Taxonomy:
    """Parse the text of a `labels.yaml`.

    Raises
    ------
    TaxonomyError
        Names every fault with its line in `text`.
    """
    tree = parse_yaml(text, name, TaxonomyError)
    checked, faults = schema_faults(tree, _schema())
    raise_faults([*faults, *_name_faults(tree)], name, TaxonomyError)
    assert checked is not None  # noqa: S101 -- without faults there is a model
    return Taxonomy.from_dict(checked.model_dump(exclude_none=True))


def _schema() -> type[BaseModel]:
    # pydantic is imported only where a hand-written file is checked: start-up doesn't pay for it.
    from pydantic import BaseModel, ConfigDict, Field

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

    class LabelSchema(Strict):
        name: str = Field(min_length=1, max_length=64)
        definition: str = Field(min_length=1)
        family: str = ""
        source: str = ""
        cues: list[str] = Field(default_factory=list)
        target_precision: float | None = Field(default=None, gt=0, lt=1)

    class FacetSchema(Strict):
        name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=64)
        question: str = ""
        document: float = Field(default=Facet.document, gt=0, le=1)
        labels: list[LabelSchema] = Field(min_length=1)

    class FileSchema(Strict):
        facets: list[FacetSchema] = Field(min_length=1)

    return FileSchema


def _name_faults(tree: object) -> list[Fault]:
    """Find names that repeat, are reserved, or that YAML readers disagree on."""
    faults: list[Fault] = []
    names: list[tuple[str, int]] = []
    for f, facet in enumerate(_items(tree, "facets")):
        line = line_of(tree, ("facets", f, "name"))
        name = _name(facet)
        if name in RESERVED_NAMES:
            faults.append((line, f"facet {name!r} has the name of a column of the results"))
        names += [(name, line)] if name else []
        for n, label in enumerate(_items(facet, "labels")):
            line = line_of(tree, ("facets", f, "labels", n, "name"))
            name = _name(label)
            plain = type(label.get("name")) is str if isinstance(label, dict) else False
            if plain and name.lower() in YAML_WORDS:
                faults.append((line, f"YAML readers differ on {name}: write it in quotes"))
            if name != name.strip() or any(c in name for c in ",;|\n\t"):
                faults.append((line, f"label {name!r} has a comma, semicolon, bar or stray space"))
            names += [(name, line)] if name else []
    counts = Counter(name for name, _ in names)
    first = dict(reversed(names))
    faults += [
        (line, f"{name!r} stands twice, first in line {first[name]}")
        for name, line in names
        if counts[name] > 1 and line != first[name]
    ]
    return faults


def _items(node: object, key: str) -> Sequence[Any]:
    items = node.get(key) if isinstance(node, dict) else None
    return items if isinstance(items, list) else ()


def _name(node: object) -> str:
    name = node.get("name") if isinstance(node, dict) else None
    return str(name) if isinstance(name, str) else ""


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
