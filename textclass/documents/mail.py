"""Mail: the subject and the best text part."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from textclass.documents.data import Limits
from textclass.documents.registry import Text
from textclass.documents.text import decode, tidy
from textclass.documents.web import html_text, read_html
from textclass.errors import DocumentError


def read_eml(data: bytes, limits: Limits) -> Text:
    """Return the subject, a blank line, and the plain part (else the HTML part) of a mail."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    if not isinstance(message, EmailMessage):
        raise DocumentError("it isn't a mail message")
    body = _body(message, limits)
    if not body and message.get_content_type() == "multipart/encrypted":
        raise DocumentError("the mail is encrypted", hint="decrypt it first")
    subject = tidy(_header(message, "subject").replace("\n", " "))
    return Text("\n\n".join(part for part in (subject, body) if part), date=_date(message))


def _body(message: EmailMessage, limits: Limits) -> str:
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        if not isinstance(part, EmailMessage):
            continue
        text = _part_text(part, limits)
        if text:
            return text
    return ""


def _part_text(part: EmailMessage, limits: Limits) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    is_html = part.get_content_type() == "text/html"
    try:
        text = data.decode(part.get_content_charset() or "ascii")
    except (LookupError, UnicodeDecodeError):
        # No charset, an unknown one, or a wrong one: the bytes tell.
        if is_html:
            return read_html(data, limits).text
        text = decode(data, limits.text_chars)
    return html_text(text, limits).text if is_html else tidy(text)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (IndexError, KeyError, ValueError, AttributeError):
        # The standard library's header parser fails on some malformed ones.
        return ""


def _date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(_header(message, "date")).isoformat()
    except (TypeError, ValueError, IndexError):
        return None
