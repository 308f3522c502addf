"""The report of a batch: an overview, what was set aside, and every document with its evidence.

Documents stream through once: each is counted and rendered into a spool file on disk, and the
pages are put together from there. A small report is one file; a large one has an overview with a
row for each document, and page files beside it.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote_from_bytes

from markupsafe import Markup

from textclass.errors import BatchError
from textclass.report.overview import Tally
from textclass.report.page import (
    GENERATOR,
    environment,
    printable,
    render_page,
    template_text,
    write_page,
)
from textclass.report.views import OUTCOMES, DocumentView, document_view
from textclass.taxonomy import Taxonomy

PAGE_BYTES = 1_500_000
"""About how large the documents of one page may be; browsers open that at once."""

MOST_SET_ASIDE = 1_000
"""How many files set aside are listed; the rest are counted, and are in the set-aside file."""


@dataclass(frozen=True)
class Entry:
    """Where a document lies in the spool, and what the list needs to sort and filter it."""

    rank: int
    start: int
    row: int
    body: int
    classes: str
    date: str
    unsure: int
    anchor: str


@dataclass(frozen=True)
class Item:
    """A document on a page: with its body, or with a link to the page that has it."""

    entry: Entry
    row: Markup
    body: Markup | None = None
    link: str = ""


@dataclass(frozen=True)
class Aside:
    """Files without a result: the first ones, and how many fell at each stage."""

    shown: tuple[Mapping[str, Any], ...]
    stages: Counter[str]


def write_tag_report(
    documents: Iterable[Mapping[str, Any]],
    set_aside: Iterable[Mapping[str, Any]],
    path: str | Path,
    *,
    taxonomy: Taxonomy,
    title: str = "Tagged documents",
    model: str = "",
    page_bytes: int = PAGE_BYTES,
) -> tuple[Path, ...]:
    """Write what a batch found as HTML that opens from disk and loads nothing.

    Parameters
    ----------
    documents : iterable of Mapping
        `document` (as from `DocumentTags.to_dict`), `passages` (a list as from
        `PassageTags.to_dict`), `folder` (text or None) and `date` (ISO text or None). Read once;
        the documents are never held together.
    set_aside : iterable of Mapping
        Files without a result: `path`, `stage` and `error`.
    path : str or Path
        The report. If it grows beyond `page_bytes`, its documents are in files beside it named
        `<name>-002.html` and on.
    taxonomy : Taxonomy
    title, model : str, keyword-only
    page_bytes : int, keyword-only

    Returns
    -------
    tuple of Path
        The files written, the report first.

    Raises
    ------
    TextclassError
        If a file can't be written, or a file that isn't ours has the name of a page.
    """
    path = Path(path)
    tally = Tally(taxonomy)
    aside = _take_aside(set_aside)
    context = {"title": title, "model": model, "labels": taxonomy.names}
    # Beside the report, where there is room for it: /tmp is memory on many machines.
    with _telling(path):
        opened = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 -- closed in the next line
    with opened as spool:
        entries = []
        for number, record in enumerate(documents, 1):
            tally.add(record)
            view = document_view(number, record, taxonomy)
            with _telling(path):
                entries.append(_store(spool, view, taxonomy))
        entries.sort(key=lambda entry: entry.rank)
        parts = _paginate(entries, page_bytes)
        files = [page_path(path, n + 2) for n in range(len(parts))] if len(parts) > 1 else []
        _refuse_strangers(files)
        for number, file in enumerate(files):
            part = _part(spool, parts, number, [_link(path), *map(_link, files)])
            _write(file, "tag_page.jinja", {**context, **part})
        items = _linked(spool, parts, files) if files else _items(spool, entries)
        overview = {"tally": tally, "plots": list(tally.plots()), "aside": aside}
        _write(path, "tags.jinja", {**context, **overview, "items": items, "paged": bool(files)})
    with _telling(path):
        _remove_stale(path, len(files) + 1)
    return (path, *files)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one that names the report `path`."""
    try:
        yield
    except OSError as error:
        raise BatchError(f"can't be written: {error.strerror}", where=str(path)) from error


def _take_aside(set_aside: Iterable[Mapping[str, Any]]) -> Aside:
    shown: list[Mapping[str, Any]] = []
    stages: Counter[str] = Counter()
    for row in set_aside:
        stages[str(row.get("stage") or "reading")] += 1
        if len(shown) < MOST_SET_ASIDE:
            shown.append(row)
    return Aside(tuple(shown), stages)


def _store(spool: IO[bytes], view: DocumentView, taxonomy: Taxonomy) -> Entry:
    """Render a document to the end of the spool."""
    template: Any = environment().get_template("document.jinja").module
    row, body = (printable(str(part(view))).encode() for part in (template.row, template.body))
    start = spool.tell()
    spool.write(row)
    spool.write(body)
    columns = (taxonomy.columns.get(label.name) for label in view.labels)
    classes = [view.outcome, *(f"l{column}" for column in columns if column is not None)]
    return Entry(
        rank=OUTCOMES.index(view.outcome),
        start=start,
        row=len(row),
        body=len(body),
        classes=" ".join(classes),
        date=view.date,
        unsure=view.unsure,
        anchor=view.anchor,
    )


def _paginate(entries: Sequence[Entry], most: int) -> list[list[Entry]]:
    pages: list[list[Entry]] = []
    size = most
    for entry in entries:
        size += entry.row + entry.body
        if size > most:
            pages.append([])
            size = entry.row + entry.body
        pages[-1].append(entry)
    return pages


def page_path(path: Path, number: int) -> Path:
    """Return the name of a page file: beside the report, wherever that is."""
    return path.with_name(f"{path.stem}-{number:03d}{path.suffix}")


def _items(spool: IO[bytes], entries: Iterable[Entry]) -> Iterator[Item]:
    for entry in entries:
        spool.seek(entry.start)
        # Rendered by our own template with escaping on.
        row, body = (Markup(spool.read(n).decode()) for n in (entry.row, entry.body))  # noqa: S704 -- rendered by us
        yield Item(entry, row, body)


def _linked(
    spool: IO[bytes], pages: Iterable[Sequence[Entry]], files: Iterable[Path]
) -> Iterator[Item]:
    for entries, file in zip(pages, files, strict=True):
        for item in _items(spool, entries):
            yield Item(item.entry, item.row, link=f"{_link(file)}#{item.entry.anchor}")


def _part(
    spool: IO[bytes], parts: Sequence[Sequence[Entry]], number: int, links: Sequence[str]
) -> dict[str, Any]:
    before = sum(len(part) for part in parts[:number])
    return {
        "number": number,
        "files": links,
        "first": before + 1,
        "last": before + len(parts[number]),
        "total": sum(len(part) for part in parts),
        "items": _items(spool, parts[number]),
    }


def _link(file: Path) -> str:
    # With ./ a name such as "a:b.html" isn't taken for an address of the scheme "a".
    return "./" + quote_from_bytes(file.name.encode("utf-8", "surrogateescape"), safe="")


def _write(file: Path, template: str, context: Mapping[str, Any]) -> None:
    style, script = _filter_style(len(context["labels"])), template_text("arrange.js")
    write_page(file, render_page(template, context, style=style, script=script))


def _filter_style(labels: int) -> str:
    """Return rules that hide documents without a label or outcome whose box is ticked."""
    # `:has` looks through the small form only; through the body it takes a minute.
    rules = [f".arrange:has(#f{n}:checked) ~ .docs > :not(.l{n})" for n in range(labels)]
    rules += [f".arrange:has(#f-{name}:checked) ~ .docs > :not(.{name})" for name in OUTCOMES]
    return ",\n".join(rules) + " { display: none }\n"


def _ours(file: Path) -> bool:
    with file.open("rb") as start:
        return GENERATOR in start.read(2048)


def _refuse_strangers(files: Iterable[Path]) -> None:
    for file in files:
        if file.is_symlink() or (file.exists() and not (file.is_file() and _ours(file))):
            raise BatchError(
                "a page of the report would overwrite this file, which isn't ours",
                where=str(file),
                hint="move it, or give the report another name",
            )


def _remove_stale(path: Path, last: int) -> None:
    """Remove pages that an earlier, longer report of this name left."""
    name = re.compile(rf"{re.escape(path.stem)}-(\d{{3,}}){re.escape(path.suffix)}", re.ASCII)
    for file in path.parent.iterdir():
        found = name.fullmatch(file.name)
        if found and int(found[1]) > last and not file.is_symlink() and _ours(file):
            file.unlink()
