"""`sources.yaml`: where the public texts come from, at which commit, under which licence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from textclass.corpora.readers import READERS
from textclass.errors import CorpusError
from textclass.taxonomy import Fault, line_of, parse_yaml, raise_faults, read_text, schema_faults


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(_Strict):
    """One repository of public texts.

    Attributes
    ----------
    name : str
        What pointers call it.
    title, licence : str
    url : str
        Git address, `https://` or `file://`.
    commit : str
        The full id of the commit that the labels were made at.
    reader : str
        How its files are cut into passages: a key of `READERS`.
    """

    # The name becomes a file name, the address and the commit arguments of git.
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)
    title: str = Field(min_length=1)
    url: str = Field(pattern=r"^(https|file)://[^\s-][^\s]*$", max_length=2000)
    commit: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    licence: str = Field(min_length=1)
    reader: str

    @field_validator("reader")
    @classmethod
    def _known(cls, reader: str) -> str:
        if reader not in READERS:
            raise ValueError(f"no reader {reader!r}; there are {', '.join(READERS)}")
        return reader


class _Sources(_Strict):
    sources: list[Source] = Field(min_length=1)


def load_sources(path: str | Path) -> Mapping[str, Source]:
    """Read a `sources.yaml`.

    Raises
    ------
    CorpusError
        Names every fault of the file with its line.
    """
    path = Path(path)
    return parse_sources(read_text(path, CorpusError), name=str(path))


def parse_sources(text: str, *, name: str = "sources.yaml") -> Mapping[str, Source]:
    """Parse the text of a `sources.yaml` into sources by name.

    Raises
    ------
    CorpusError
        Names every fault with its line in `text`.
    """
    tree = parse_yaml(text, name, CorpusError)
    checked, faults = schema_faults(tree, _Sources)
    raise_faults([*faults, *_repeated(tree)], name, CorpusError)
    assert isinstance(checked, _Sources)  # noqa: S101 -- without faults there is a model
    return {source.name: source for source in checked.sources}


def _repeated(tree: Any) -> list[Fault]:  # noqa: ANN401 -- YAML holds anything
    entries = tree.get("sources") if isinstance(tree, dict) else None
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else None
        line = line_of(tree, ("sources", number, "name"))
        if isinstance(name, str) and first.setdefault(name, line) != line:
            faults.append((line, f"source {name!r} stands twice, first in line {first[name]}"))
    return faults
