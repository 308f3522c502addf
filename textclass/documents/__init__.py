"""A file → text with pages, read in a child process with limits.

`find_inputs` lists what to read, `DocumentReader` reads it: each file ends as one or more
`Document`, or as a `SetAside` that says what came and what to do.
"""

from textclass.documents.data import Document, Limits, SetAside, Source
from textclass.documents.inputs import find_inputs, open_file
from textclass.documents.names import visible
from textclass.documents.reader import DocumentReader

__all__ = [
    "Document",
    "DocumentReader",
    "Limits",
    "SetAside",
    "Source",
    "find_inputs",
    "open_file",
    "visible",
]
