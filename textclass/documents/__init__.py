"""A file → text with pages and a list of what wasn't read, in a child process with limits.

`find_inputs` lists what to read, `DocumentReader` reads it: each file ends as one or more
`Document`, or as a `SetAside` that says what came and what to do. `read_rows` reads a table that is
trusted, such as a corpus.
"""

from textclass.documents.document import Document, Limits, SetAside, Source
from textclass.documents.document_reader import DocumentReader
from textclass.documents.folders import (
    expand_path,
    find_inputs,
    is_junk,
    is_own_output,
    open_file,
    refuse_stranger,
    visible,
)
from textclass.documents.plain_text import decode_text
from textclass.documents.table_rows import read_rows

__all__ = [
    "Document",
    "DocumentReader",
    "Limits",
    "SetAside",
    "Source",
    "decode_text",
    "expand_path",
    "find_inputs",
    "is_junk",
    "is_own_output",
    "open_file",
    "read_rows",
    "refuse_stranger",
    "visible",
]
