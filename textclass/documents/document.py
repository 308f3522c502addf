"""What crosses the border of this package, and the limits that its modules keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A file to read.

    Parameters
    ----------
    path : Path
        Where it lies.
    id : str
        Its name in all results: the path below the input root, with `/` between folders.
    root : Path, optional
        The input folder it was found in. A link that leads out of it isn't followed.
    sha256 : str, optional
        Of its bytes, if that is known already.
    """

    path: Path
    id: str
    root: Path | None = None
    sha256: str | None = None

    @property
    def folder(self) -> str:
        """The folder part of the id; empty at the root."""
        return self.id.rpartition("/")[0]


@dataclass(frozen=True)
class Document:
    """A text with its origin.

    Parameters
    ----------
    id : str
        `folder/file.pdf`, `table.csv#row-id`, `archive.zip!member.docx`.
    path : str
        The file on disk.
    text : str
        Paragraphs are separated by a blank line, slides and quoted mails by a form feed, too; no
        lone surrogates, no NUL. The text of a table row is the cell as it stands.
    media_type : str
        What the content was recognised as, such as `application/pdf`.
    sha256 : str
        Of the bytes of the file or archive member; of the UTF-8 text for a table row.
    page_starts : tuple of int
        Offset in `text`, in code points, at which each page begins; empty without pages.
    columns : mapping
        The other columns of a table row: plain JSON values, times and decimals as strings.
    date : str, optional
        The document's own date (ISO 8601) where its format names one.
    folder : str
        The folder part of the id; empty at the root.
    unread : tuple of str
        One short text for each part that wasn't read, such as `pages 3-10: no text layer`; empty if
        all was.
    boilerplate : tuple of pairs of int
        Where `text` holds advertising, navigation and the like (start and end of each run, in code
        points); only for web pages and plain text.
    """

    id: str
    path: str
    text: str
    media_type: str
    sha256: str
    page_starts: tuple[int, ...] = ()
    columns: Mapping[str, object] = field(default_factory=dict)
    date: str | None = None
    folder: str = ""
    unread: tuple[str, ...] = ()
    boilerplate: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class SetAside:
    """What couldn't be read, and why.

    Parameters
    ----------
    id, path : str
        As in `Document`.
    sha256 : str or None
        Of the file, also for its rows and members; None when it couldn't be opened.
    stage : str
        `open`, `detect`, `read` or `text`: how far it came.
    error : str
        One line: what came and what to do.
    """

    id: str
    path: str
    sha256: str | None
    stage: str
    error: str


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost; a file that wants more is set aside.

    Parameters
    ----------
    memory_bytes : int
        Private memory of the reading process.
    cpu_seconds, wall_seconds : int
        Time for each document, archive member or table row.
    file_bytes : int
        Size of a file on disk, tables and archives too.
    document_bytes : int
        Size of a document that has to be read whole, after inflating.
    text_chars : int
        Length of a document's text.
    pages, rows, members : int
        Pages of a PDF, rows of a table, members of an archive.
    tags, attributes, depth : int
        Of markup: tags in all, attributes of one tag, levels of nesting.
    inflated_bytes, ratio : int
        What an archive may inflate to, in all and as a multiple of its packed size (the ratio
        counts from 16 MB on).
    layers : int
        Archives inside archives, attachments of attachments.
    deaths : int
        Members that may kill the reading process before the rest of their archive is given up.
    """

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 60
    wall_seconds: int = 120
    file_bytes: int = 4 << 30
    document_bytes: int = 200_000_000
    text_chars: int = 20_000_000
    pages: int = 20_000
    rows: int = 10_000_000
    members: int = 10_000
    tags: int = 2_000_000
    attributes: int = 1_000
    depth: int = 500
    inflated_bytes: int = 4 << 30
    ratio: int = 200
    layers: int = 4
    deaths: int = 5

    def __post_init__(self) -> None:
        wrong = [entry.name for entry in fields(self) if getattr(self, entry.name) < 1]
        if wrong:
            raise ValueError(f"limits must be at least 1: {', '.join(wrong)}")


@dataclass(frozen=True)
class Member:
    """What the child sends next is about this member of an archive or mail."""

    index: int
    name: str


OUT_OF_MEMORY = 77
"""Exit status of the child: after a MemoryError nothing in it can be trusted to work."""
