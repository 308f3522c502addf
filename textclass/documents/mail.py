"""Mail and saved web pages: all text that is shown, and what is attached."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from textclass.documents.content import Content, Reading
from textclass.documents.document import Limits
from textclass.documents.folders import name_fault
from textclass.documents.plain_text import decode, iso_date, tidy
from textclass.documents.web import read_html, read_shown, shown_text
from textclass.errors import DocumentError

_STUB = 40  # A plain part of fewer words may only say that there is another one.
_LINE = 1 << 20
# Charsets that decode any bytes: a text is often in another.
_DOUBTED = {"latin-1", "latin1", "iso-8859-1", "iso8859-1", "us-ascii", "ascii", "windows-1252"}
_DOUBTED |= {"cp1252", ""}
_TELLS_NOTHING = {"application/pkcs7-signature", "application/x-pkcs7-signature"}
_TELLS_NOTHING |= {"application/pgp-signature", "application/pgp-encrypted"}
_UNREADABLE = {
    "multipart/encrypted": "encrypted",
    "application/pgp-encrypted": "encrypted",
    "application/ms-tnef": "Outlook's own packing (ask for it as .eml, or for the files)",
    "message/external-body": "stored elsewhere",
    "message/partial": "a piece of a longer mail",
    "text/calendar": "a calendar entry",
    "text/vcard": "a visiting card",
    "text/x-vcard": "a visiting card",
    "message/delivery-status": "a mail server's note",
    "message/disposition-notification": "a mail program's note",
}
_UNREADABLE |= {"image": "a picture", "audio": "a sound", "video": "a film"}
_NAMES = {"message/rfc822": ".eml", "text/html": ".html", "application/pdf": ".pdf"}


@dataclass
class _Mail:
    """What is gathered on the way through the parts of one mail."""

    limits: Limits
    is_page: bool = False
    unread: list[str] = field(default_factory=list)
    attachments: list[Content] = field(default_factory=list)

    def attach(self, name: str | None, suffix: str, data: bytes) -> None:
        """Add an attachment; names that repeat or lead elsewhere are made anew."""
        name = re.split(r"[/\\]", " ".join((name or "").split()))[-1].strip()
        if not name or name_fault(name):
            name = f"part {len(self.attachments) + 1}{suffix}"
        taken = {attached.name for attached in self.attachments}
        stem, dot, ending = name.rpartition(".")
        number = 1
        while name in taken:
            number += 1
            name = f"{stem} ({number}){dot}{ending}" if stem else f"{ending} ({number})"
        self.attachments.append(Content.of_bytes(name, data))


def read_mail(data: bytes, limits: Limits) -> Reading:
    """Return a mail's subject and all text that it shows, in order; or a saved web page's text.

    Of alternatives the plain one is taken, unless it only stands in for the other. What is
    attached, forwarded mails too, comes as documents of its own.
    """
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    saved = "snapshot-content-location" in message or "saved by" in _header(message, "from").lower()
    mail = _Mail(limits, is_page=saved)
    body = "\n\n".join(filter(None, _texts(message, mail)))
    subject = tidy(_header(message, "subject").replace("\n", " "))
    date = None
    with suppress(TypeError, ValueError, IndexError):
        date = parsedate_to_datetime(_header(message, "date")).isoformat()
    return _reading(subject, body, date, mail)


def _reading(subject: str, body: str, date: str | None, mail: _Mail) -> Reading:
    if mail.unread and not body and not mail.attachments:
        if mail.unread[0].endswith(": encrypted"):
            raise DocumentError("the mail is encrypted", hint="decrypt it first")
        raise DocumentError(f"only its subject can be read: {'; '.join(mail.unread)}")
    text = "\n\n".join(filter(None, (subject, body)))
    return Reading(text, (), date, tuple(mail.unread), mail.attachments)


def _texts(part: MIMEPart, mail: _Mail) -> Iterator[str]:
    """Yield the texts that a part shows; gather what else it holds."""
    kind = part.get_content_type()
    name = _name(part)
    if kind in _TELLS_NOTHING:
        return
    if what := _unreadable(part, kind, name):
        mail.unread.append(f"{'attachment' if name else 'part'} {name or kind}: {what}")
    elif kind == "message/rfc822":
        for inner in part.iter_parts() if part.is_multipart() else ():
            _attach_mail(name, inner, mail)
    elif kind == "multipart/alternative":
        yield from _best([(branch, [*_texts(branch, mail)]) for branch in part.iter_parts()])
    elif part.is_multipart():
        for place, inner in enumerate(part.iter_parts()):
            if not (kind == "multipart/related" and place and _is_drawn(inner, mail)):
                yield from _texts(inner, mail)
    elif kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment":
        yield _part_text(part, mail)
    else:
        mail.attach(name, _NAMES.get(kind, ""), _bytes(part))


def _attach_mail(name: str | None, part: MIMEPart, mail: _Mail) -> None:
    name = name or re.sub(r"[\s/\\:]+", " ", _header(part, "subject")).strip()[:80] or "mail"
    name = name if name.lower().endswith(".eml") else f"{name}.eml"
    try:
        mail.attach(name, ".eml", part.as_bytes())
    except (LookupError, ValueError, AttributeError, TypeError):  # malformed headers
        mail.unread.append(f"attachment {name}: a damaged mail")


def _is_drawn(part: MIMEPart, mail: _Mail) -> bool:
    """Whether a part is what a page is drawn with, such as a picture or a style sheet."""
    if part.get_content_type() in {"text/plain", "text/html"}:
        return mail.is_page
    return mail.is_page or part.get_content_maintype() in {"image", "text", "font"}


def _unreadable(part: MIMEPart, kind: str, name: str | None) -> str | None:
    """Return what a part is that holds no text which can be read, or None."""
    if kind.endswith("pkcs7-mime"):
        signed = "signed-data" in str(part.get("content-type", ""))
        return "signed in a closed form (ask for it as clear text)" if signed else "encrypted"
    if (name or "").lower() == "winmail.dat":
        kind = "application/ms-tnef"
    return _UNREADABLE.get(kind) or _UNREADABLE.get(kind.partition("/")[0])


def _best(branches: list[tuple[MIMEPart, list[str]]]) -> list[str]:
    """Return the texts of one of several alternatives."""
    shown = [(branch.get_content_type(), [t for t in texts if t]) for branch, texts in branches]
    plain = next((texts for kind, texts in shown if kind == "text/plain" and texts), [])
    longest = max((texts for _, texts in shown), key=_words, default=[])
    stub = _words(plain) < _STUB and _words(longest) > 2 * _words(plain)
    return longest if stub else plain


def _words(texts: list[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _part_text(part: MIMEPart, mail: _Mail) -> str:
    data, limits = _bytes(part), mail.limits
    is_html = part.get_content_type() == "text/html"
    if is_html and mail.is_page:
        return read_html(data, limits).text
    charset = (part.get_content_charset() or "").lower()
    text = None
    if charset not in _DOUBTED:
        with suppress(LookupError, UnicodeDecodeError):
            text = data.decode(charset)
    if text is None:
        # No charset, an unknown one, or one that is often wrong: the bytes tell.
        if is_html and not charset:
            return read_shown(data, limits)
        text = _decoded(data, charset, limits)
    return shown_text(text, limits) if is_html else tidy(text)


def _decoded(data: bytes, charset: str, limits: Limits) -> str:
    """Return text that is declared as Latin-1 or not at all: UTF-8 if it can be, else cp1252."""
    with suppress(UnicodeDecodeError):
        return data.decode()
    if charset in _DOUBTED and charset:
        return data.decode("cp1252", "replace")
    return decode(data, limits.text_chars)


def _bytes(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _name(part: MIMEPart) -> str | None:
    # The standard library's parsers of headers fail on some malformed ones.
    with suppress(IndexError, KeyError, ValueError, AttributeError, TypeError):
        return part.get_filename()
    return None


def _header(message: MIMEPart, name: str) -> str:
    with suppress(IndexError, KeyError, ValueError, AttributeError, TypeError):
        return str(message.get(name, ""))
    return ""


def split_mbox(content: Content, limits: Limits) -> Iterator[bytes | str]:
    """Yield the mails of a mailbox, or why one can't be read."""
    mail = bytearray()
    blank = True
    with content.open() as stream:
        while line := stream.readline(_LINE):
            if blank and line.startswith(b"From "):
                if mail:
                    yield _mbox_mail(mail, limits)
                mail = bytearray()
            elif len(mail) <= limits.document_bytes:
                mail += re.sub(rb"^>(>*From )", rb"\1", line)
            blank = not line.strip()
    yield _mbox_mail(mail, limits)


def _mbox_mail(mail: bytearray, limits: Limits) -> bytes | str:
    most = limits.document_bytes
    return f"it is larger than {most / 1e6:,.0f} MB" if len(mail) > most else bytes(mail)


def read_msg(data: bytes, limits: Limits) -> Reading:
    """Return an Outlook mail, as `read_mail` does."""
    from oxmsg import Message

    message = Message.load(io.BytesIO(data))
    mail = _Mail(limits)
    body = tidy(message.body or "")
    if not body and message.html_body:
        body = shown_text(message.html_body, limits)
    for attachment in message.attachments:
        name = attachment.file_name
        content = attachment.file_bytes
        if content is None:
            mail.unread.append(
                f"attachment {name or 'without a name'}: a mail or file in Outlook's own form"
            )
        elif attachment.mime_type not in _TELLS_NOTHING:
            mail.attach(name, "", content)
    return _reading(tidy(message.subject or ""), body, iso_date(message.sent_date), mail)
