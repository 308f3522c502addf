"""The report of a batch: an overview, what was set aside, and every document with its evidence.

Documents stream through once, each counted and rendered. A small report is one file; a large one
has page files beside it, written as they fill, and an overview with a row for each document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from markupsafe import Markup

from textclass.errors import BatchError
from textclass.report.marked_text import mark_text
from textclass.report.overview import OUTCOMES, REASONS, Tally
from textclass.report.page import GENERATOR, render_page, template_text, templates_of, write_page
from textclass.taxonomy import Taxonomy

PAGE_BYTES = 1_500_000
"""About how large the documents of one page may be; browsers open that at once."""

MOST_SET_ASIDE = 1_000
"""How many files set aside are listed; the rest are counted, and are in the set-aside file."""

MOST_PASSAGES = 300
"""How many passages of a document are shown; the rest are counted, and are in the results."""

MOST_CLOSE = 3
"""How many labels that nearly applied are named for an unsure passage."""


@dataclass(slots=True)
class Entry:
    """A document in the list: its row, and below it its body or, on a page of its own, a link.

    Attributes
    ----------
    outcome, classes, date, unsure
        What the list is sorted and filtered by.
    row, body : Markup
    link : str
        Address of the body, once that is on a page file.
    """

    outcome: str
    classes: str
    date: str
    unsure: int
    row: Markup
    body: Markup
    link: str


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
    context = {"title": title, "model": model, "labels": taxonomy.names}
    tally = Tally(taxonomy)
    entries: list[Entry] = []
    page: list[Entry] = []
    files = [path]

    def finish_page(*, last: bool) -> None:
        """Write the documents of the page to its file; keep their rows."""
        number = len(files) + 1
        file = _page_path(path, number)
        _refuse_stranger(file)
        links = {
            "overview": _link(path),
            "before": _link(files[-1]) if number > 2 else "",
            "after": "" if last else _link(_page_path(path, number + 1)),
        }
        first = len(entries) - len(page) + 1
        _write(file, "tag_page.jinja", {**context, **links, "first": first, "entries": page})
        for entry in page:
            entry.link, entry.body = _link(file) + entry.link, Markup("")
        files.append(file)
        page.clear()

    size = 0
    for number, record in enumerate(documents, 1):
        tally.add(record)
        entry = _entry(number, record, taxonomy)
        size += len(entry.row) + len(entry.body)
        if page and size > page_bytes:
            finish_page(last=False)
            size = len(entry.row) + len(entry.body)
        entries.append(entry)
        page.append(entry)
    if len(files) > 1:
        finish_page(last=True)
    stages: Counter[str] = Counter()
    shown: list[Mapping[str, Any]] = []
    for row in set_aside:
        stages[row["stage"]] += 1
        shown += [row] if len(shown) < MOST_SET_ASIDE else []
    overview = {"tally": tally, "stages": stages, "aside": shown, "entries": entries}
    _write(path, "tags.jinja", {**context, **overview})
    _remove_stale(path, len(files))
    return tuple(files)


def _entry(number: int, record: Mapping[str, Any], taxonomy: Taxonomy) -> Entry:
    """Render the document of a batch record, `number` counted from 1 over the report."""
    tags, passages = record["document"], record["passages"]
    anchor = f"d{number}"
    shown = {name: [i for i, p in enumerate(passages) if p["outcome"] == name] for name in OUTCOMES}
    chosen = set([i for places in shown.values() for i in places][:MOST_PASSAGES])
    view = {
        **tags,
        "anchor": anchor,
        "folder": record["folder"],
        "date": (record["date"] or "")[:10],
        "lead": taxonomy.facets[0].names,
        "unsure": len(shown["unsure"]),
        "primary": [name for name in tags["primary"].values() if name],
        "labels": [
            {**label, "strongest": [(i, _place(i, passages[i])) for i in label["strongest"]]}
            for label in tags["labels"]
        ],
        "chosen": chosen,
        "shown": {
            name: [_passage(i, passages[i], taxonomy) for i in places if i in chosen]
            for name, places in shown.items()
        },
        "hidden": len(passages) - len(chosen),
    }
    template: Any = templates_of("textclass.report").get_template("document.jinja").module
    columns = [f"l{taxonomy.columns[label['label']]}" for label in tags["labels"]]
    return Entry(
        outcome=tags["outcome"],
        classes=" ".join([tags["outcome"], *columns]),
        date=view["date"],
        unsure=view["unsure"],
        row=template.row(view),
        body=template.body(view),
        link=f"#{anchor}",
    )


def _place(index: int, passage: Mapping[str, Any]) -> str:
    page = f"page {passage['page']}, " if passage["page"] is not None else ""
    return f"{page}passage {index + 1}"


def _passage(index: int, passage: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    given = [label for facet in taxonomy for label in passage[facet.name]]
    scores = {name: p for facet in passage["scores"].values() for name, p in facet.items()}
    close = sorted(scores, key=lambda name: -scores[name]) if passage["outcome"] == "unsure" else []
    text, start = passage["text"], passage["start"]
    return {
        "index": index,
        "place": _place(index, passage),
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


def _write(file: Path, template: str, context: Mapping[str, Any]) -> None:
    entries: Sequence[Entry] = sorted(context["entries"], key=lambda e: OUTCOMES.index(e.outcome))
    # Rules that hide documents without a label or outcome whose box is ticked. `:has` looks
    # through the small form only; through the body it takes a minute.
    boxes = {f"f{n}": f"l{n}" for n in range(len(context["labels"]))}
    boxes |= {f"f-{name}": name for name in OUTCOMES}
    rules = (f".arrange:has(#{box}:checked) ~ .docs > :not(.{kind})" for box, kind in boxes.items())
    style, script = ",\n".join(rules) + " { display: none }\n", template_text("arrange.js")
    page = render_page(template, {**context, "entries": entries}, style=style, script=script)
    write_page(file, page)


def _ours(file: Path) -> bool:
    try:
        with file.open("rb") as start:
            return GENERATOR in start.read(2048)
    except OSError:
        return False


def _refuse_stranger(file: Path) -> None:
    if file.is_symlink() or (file.exists() and not _ours(file)):
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
