"""The exceptions that users see.

Each message says where the fault is, what was expected, what came, and what to do. The command
line turns a `TextclassError` into one line on stderr and exit code 1; anything else is a bug and
may show a traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial


class TextclassError(Exception):
    """A fault in what the user gave, with its place and the way out.

    Parameters
    ----------
    message : str
        What was expected and what came.
    where : str, optional
        The file, line, row or label concerned; put before the message.
    hint : str, optional
        What to do next; put after the message.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, where, hint)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process borders; keyword-only arguments need their own way back.
        return partial(type(self), where=self.where, hint=self.hint), (self.message,)


class TaxonomyError(TextclassError):
    """A `labels.yaml` that can't be used."""


class CorpusError(TextclassError):
    """A corpus row or file that can't be used."""


class ModelError(TextclassError):
    """A model folder that can't be loaded or used."""


class DocumentError(TextclassError):
    """A document that can't be read; it is set aside, the others go on."""


class BatchError(TextclassError):
    """A run over many documents that can't start or go on."""


class MissingExtraError(TextclassError):
    """An optional dependency that isn't installed."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that tells the known names nearest to one that isn't known, if any is near."""
    near = get_close_matches(name.casefold(), known, n=2)
    return f"did you mean {' or '.join(near)}?" if near else None


def missing_extra(package: str, extra: str) -> MissingExtraError:
    """Return the error for an optional `package`, naming the `extra` that brings it."""
    return MissingExtraError(
        f"this needs the package {package!r}, which isn't installed",
        hint=f"pip install 'textclass[{extra}]'",
    )
