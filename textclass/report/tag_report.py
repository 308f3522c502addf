"""The report of a batch: an overview, what was set aside, and every document with its evidence.

Documents stream through once, each counted and rendered. A small report is one file; a large one
has page files beside it, written as they fill, and an overview with a row for each document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from textclass.documents import is_own_output
from textclass.report.marked_text import mark_text
from textclass.report.overview import OUTCOMES, REASONS, Tally
from textclass.report.page import templates_of, write_page
from textclass.taxonomy import Taxonomy

PAGE_BYTES = 1_500_000
"""About how large the documents of one page may be; browsers open that at once."""

MOST_SET_ASIDE = 1_000
"""How many files set aside are listed; the rest are counted, and are in the set-aside file."""

MOST_PASSAGES = 300
"""How many passages of a document are shown; the rest are counted, and are in the results."""

MOST_CLOSE = 3
"""How many labels that nearly applied are named for an unsure passage."""

View = dict[str, Any]
"""A document as the templates show it, with its rendered `body` or a `link` to that."""


def write_tag_report(
    documents: Iterable[Mapping[str, Any]],
    set_aside: Iterable[Mapping[str, Any]],
    path: str | Path,
    *,
    taxonomy: Taxonomy,
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
        Inputs without a result: `id`, `stage` and `error`.
    path : str or Path
        The report. If it grows beyond `page_bytes`, its documents are in files beside it named
        `<name>-002.html` and on.
    taxonomy : Taxonomy
    model : str, keyword-only
    page_bytes : int, keyword-only

    Returns
    -------
    tuple of Path
        The files written, the report first.

    Raises
    ------
    TextclassError
        As of `write_page`.
    """
    path = Path(path)
    shared = {"title": "Tagged documents", "model": model, "labels": taxonomy.names}
    tally = Tally(taxonomy)

    def views() -> Iterator[View]:
        for number, record in enumerate(documents, 1):
            tally.add(record)
            yield _view(number, record, taxonomy)

    def write(file: Path, template: str, docs: Sequence[View], **context: object) -> None:
        docs = sorted(docs, key=lambda doc: OUTCOMES.index(doc["outcome"]))
        write_page(file, template, {**shared, **context, "docs": docs}, script="arrange.js")

    files = [path]
    listed: list[View] = []
    for page, following in pairwise(chain(_paged(views(), page_bytes), [[]])):
        if not (listed or following):
            listed = page  # a single page is the report itself
            break
        number = len(files) + 1
        file = _page_path(path, number)
        links = {
            "overview": _link(path),
            "before": _link(files[-1]) if listed else "",
            "after": _link(_page_path(path, number + 1)) if following else "",
        }
        write(file, "tag_page.jinja", page, first=len(listed) + 1, **links)
        listed += [{**doc, "body": "", "link": f"{_link(file)}#{doc['anchor']}"} for doc in page]
        files.append(file)
    stages: Counter[str] = Counter()
    aside: list[Mapping[str, Any]] = []
    for row in set_aside:
        stages[row["stage"]] += 1
        if len(aside) < MOST_SET_ASIDE:
            aside.append(row)
    write(path, "tags.jinja", listed, tally=tally, stages=stages, aside=aside)
    _remove_stale(path, len(files))
    return tuple(files)


def _paged(views: Iterable[View], most: int) -> Iterator[list[View]]:
    """Yield documents in lists, each of about so many bytes."""
    page: list[View] = []
    size = 0
    for view in views:
        if page and size + len(view["body"]) > most:
            yield page
            page, size = [], 0
        page.append(view)
        size += len(view["body"])
    if page:
        yield page


def _view(number: int, record: Mapping[str, Any], taxonomy: Taxonomy) -> View:
    """Return the document of a batch record, `number` counted from 1 over the report."""
    tags, passages = record["document"], record["passages"]
    order = sorted(range(len(passages)), key=lambda i: OUTCOMES.index(passages[i]["outcome"]))
    shown = {i: _passage(i, passages[i], taxonomy) for i in order[:MOST_PASSAGES]}
    view = {
        **tags,
        "anchor": f"d{number}",
        "classes": [f"l{taxonomy.columns[label['label']]}" for label in tags["labels"]],
        "folder": record["folder"],
        "date": (record["date"] or "")[:10],
        "lead": taxonomy.facets[0].names,
        "unsure": sum(passage["outcome"] == "unsure" for passage in passages),
        "primary": [name for name in tags["primary"].values() if name],
    }
    template: Any = templates_of("textclass.report").get_template("document.jinja").module
    return {**view, "body": template.body(view, shown)}


def _passage(index: int, passage: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    given = [label for facet in taxonomy for label in passage[facet.name]]
    scores = {name: p for facet in passage["scores"].values() for name, p in facet.items()}
    close = sorted(scores, key=lambda name: -scores[name]) if passage["outcome"] == "unsure" else []
    page = f"page {passage['page']}, " if passage["page"] is not None else ""
    text, start = passage["text"], passage["start"]
    return {
        "index": index,
        "place": f"{page}passage {index + 1}",
        "outcome": passage["outcome"],
        "reason": REASONS.get(passage["reason"], passage["reason"]),
        "given": given,
        "close": close[:MOST_CLOSE],
        "scores": scores,
        "marked": mark_text(text, passage["evidence"], shift=start, first=given),
    }


def _page_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number:03d}{path.suffix}")


def _link(file: Path) -> str:
    # With ./ a name such as "a:b.html" isn't taken for an address of the scheme "a".
    return "./" + quote_from_bytes(file.name.encode("utf-8", "surrogateescape"), safe="")


def _remove_stale(path: Path, last: int) -> None:
    """Remove pages that an earlier, longer report of this name left."""
    name = re.compile(rf"{re.escape(path.stem)}-(\d{{3,}}){re.escape(path.suffix)}", re.ASCII)
    for file in path.parent.iterdir():
        found = name.fullmatch(file.name)
        is_stale = found and int(found[1]) > last and not file.is_symlink()
        if is_stale and is_own_output(file) == "report":
            file.unlink()
