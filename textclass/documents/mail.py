"""Mail: the subject and the best text part."""

from __future__ import annotations

from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from textclass.documents.data import Limits
from textclass.documents.text import decode, tidy
from textclass.documents.web import html_text, read_html
from textclass.documents.wire import Found
from textclass.errors import DocumentError


def read_eml(data: bytes, limits: Limits) -> Found:
    """Return the subject, a blank line, and the plain part (else the HTML part) of a mail."""
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    parts = (message.get_body((kind,)) for kind in ("plain", "html"))
    texts = (_part_text(part, limits) for part in parts if isinstance(part, EmailMessage))
    body = next(filter(None, texts), "")
    if not body and message.get_content_type() == "multipart/encrypted":
        raise DocumentError("the mail is encrypted", hint="decrypt it first")
    subject = tidy(_header(message, "subject").replace("\n", " "))
    date = None
    with suppress(TypeError, ValueError, IndexError):
        date = parsedate_to_datetime(_header(message, "date")).isoformat()
    return Found("\n\n".join(filter(None, (subject, body))), date=date)


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
    # The standard library's header parser fails on some malformed ones.
    with suppress(IndexError, KeyError, ValueError, AttributeError):
        return str(message.get(name, ""))
    return ""
