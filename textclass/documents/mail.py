"""Mail and saved web pages: all text that is shown, and what is attached."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.errors import InvalidBase64CharactersDefect, InvalidBase64LengthDefect
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from mimetypes import guess_extension
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from textclass.documents.content import Content, Reading
from textclass.documents.document import Limits
from textclass.documents.folders import name_fault
from textclass.documents.plain_text import cut, decode, iso_date, quotes_apart, tidy
from textclass.documents.web import decoded_page, main_text, shown_text
from textclass.errors import DocumentError

if TYPE_CHECKING:
    from oxmsg.storage import Storage

# A plain part of fewer words may only say that there is another one; one so many times shorter than
# another is a summary of it.
_STUB = 40
_SUMMARY = 4
_LINE = 1 << 20
# Signatures, and a third form of what stands in the plain and the HTML part.
_PASSED_OVER = re.compile(
    r"application/((x-)?pkcs7|pgp)-signature|application/pgp-encrypted|text/x-amp-html"
)
_ENCRYPTED = "encrypted"
_UNREADABLE = {
    "multipart/encrypted": _ENCRYPTED,
    "application/x-outlook": "something in Outlook's own form (save the mail as .eml)",
    "application/ms-tnef": "Outlook's own packing (ask for it as .eml, or for the files)",
    "text/(calendar|(x-)?vcard)": "a calendar entry or visiting card",
    "message/(?!rfc822$).*|text/rfc822-headers": (
        "a mail server's note, or a mail that isn't here whole"
    ),
    "(image|audio|video)/.*": "a picture, sound or film",
}
_OUTLOOK = ("application", "x-outlook")
_BINARY = "application/octet-stream"
_ARMOUR = ("-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----")
_COUNTED = re.compile(rb"(\d{1,12})[ \t]*\r?\n")  # Apple Mail writes before a mail how long it is.


@dataclass
class _Mail:
    """What is gathered on the way through the parts of one mail."""

    limits: Limits
    is_page: bool = False
    whole: bool = False
    unread: list[str] = field(default_factory=list)
    attachments: list[Content] = field(default_factory=list)

    def attach(self, name: str | None, suffix: str, data: bytes) -> None:
        """Add an attachment; names that repeat or lead elsewhere are made anew."""
        name = re.split(r"[/\\]", " ".join((name or "").split()))[-1].strip()
        place = len(self.attachments) + 1
        if not name or name_fault(name):
            name = f"part {place}{suffix}"
        if any(name == attached.name for attached in self.attachments):
            name = f"{PurePath(name).stem} ({place}){PurePath(name).suffix}"
        self.attachments.append(Content.of_bytes(name, data))

    def reading(self, subject: str, body: str, date: str | None) -> Reading:
        """Return it all, if more than the subject could be read."""
        if self.unread and not body and not self.attachments:
            if self.unread[0].endswith(_ENCRYPTED):
                raise DocumentError("the mail is encrypted", hint="decrypt it first")
            raise DocumentError(f"only its subject can be read: {'; '.join(self.unread)}")
        text = "\n\n".join(filter(None, (tidy(subject), body)))
        return Reading(text, (), date, tuple(self.unread), self.attachments)


def read_mail(data: bytes, limits: Limits, *, whole: bool = False) -> Reading:
    """Return a mail's subject and all text that it shows, in order; or a saved web page's text.

    Of alternatives the plain one is taken, unless it only stands in for the other. What is
    attached, forwarded mails too, comes as documents of its own. Of a saved page comes the main
    text, or the whole one.
    """
    data = data.lstrip(b"\xef\xbb\xbf\r\n")  # after a blank line all would be body
    if count := _COUNTED.match(data):
        data = data[count.end() :][: int(count[1])]
    return _reading(_parsed(data), limits, whole=whole)


def _parsed(data: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(data)


def _reading(message: EmailMessage, limits: Limits, *, whole: bool = False) -> Reading:
    saved = "snapshot-content-location" in message or "saved by" in _header(message, "from").lower()
    mail = _Mail(limits, saved, whole)
    body = "\n\n".join(filter(None, _texts(message, mail)))
    date = _lenient(parsedate_to_datetime, _header(message, "date"))
    return mail.reading(_header(message, "subject").replace("\n", " "), body, iso_date(date))


def read_msg(data: bytes, limits: Limits) -> Reading:
    """Return an Outlook mail, as `read_mail` does."""
    from olefile import OleFileIO  # type: ignore[import-untyped]  # it has no types
    from oxmsg.storage import Storage

    with OleFileIO(io.BytesIO(data)) as file:
        return _reading(_from_outlook(Storage.from_ole(file), head=32), limits)


def _from_outlook(storage: Storage, *, head: int) -> EmailMessage:
    """Return a mail in Outlook's form, whose properties follow a head, as any other mail."""
    from oxmsg.domain import constants as known
    from oxmsg.properties import Properties

    properties, mail = Properties(storage, head), EmailMessage()
    mail["Subject"] = " ".join((properties.str_prop_value(known.PID_SUBJECT) or "").split())
    if sent := properties.date_prop_value(known.PID_CLIENT_SUBMIT_TIME):
        mail["Date"] = sent
    text = properties.str_prop_value(known.PID_BODY)
    page, charset = properties.binary_prop_value(known.PID_HTML), properties.body_encoding
    if older := properties.str_prop_value(known.PID_BODY_HTML):
        page, charset = older.encode(), "utf-8"
    if text:
        mail.set_content(text)
    if page:
        add = mail.add_alternative if text else mail.set_content
        add(page, "text", "html", params={"charset": charset})
    elif not text and properties.binary_prop_value(known.PID_RTF_COMPRESSED):
        mail.set_content(b"", *_OUTLOOK)
    attachments = [*storage.iter_attachment_storages()]
    if attachments:
        mail.make_mixed()
    for attached in attachments:
        _attach_from_outlook(attached, mail, page or b"")
    return mail


def _attach_from_outlook(attached: Storage, mail: EmailMessage, page: bytes) -> None:
    from oxmsg.domain import constants as known
    from oxmsg.properties import Properties

    properties = Properties(attached, 8)
    names = (known.PID_ATTACH_LONG_FILENAME, known.PID_ATTACH_FILENAME, known.PID_DISPLAY_NAME)
    name = next(filter(None, map(properties.str_prop_value, names)), None)
    kind = properties.str_prop_value(known.PID_ATTACH_MIME_TAG) or ""
    content = properties.binary_prop_value(known.PID_ATTACH_DATA_BINARY)
    mark = properties.str_prop_value(known.PID_ATTACH_CONTENT_ID)
    if mark and f"cid:{mark}".encode() in page and kind.startswith("image/"):
        return  # the page is drawn with it
    inner = next(iter(attached.storages), None)
    if kind == "multipart/signed" and content:
        mail.attach(_parsed(content))
    elif content is not None:
        as_it_is = kind.startswith("application/") or _kind_unread(kind)
        mail.add_attachment(content, *(kind if as_it_is else _BINARY).split("/", 1), filename=name)
    elif inner and any(stream.name == "__properties_version1.0" for stream in inner.streams):
        mail.add_attachment(_from_outlook(inner, head=24), filename=name)
    else:
        mail.add_attachment(b"", *_OUTLOOK, filename=name)


def mbox_members(content: Content, limits: Limits) -> Iterator[tuple[str, Content | str]]:
    """Yield the mails of a mailbox, or why one can't be read."""
    for number, mail in enumerate(_split(content, limits.document_bytes), 1):
        name = f"{number}.eml"
        whole = len(mail) <= limits.document_bytes
        too_large = f"it is larger than {limits.document_bytes / 1e6:,.0f} MB"
        yield name, Content.of_bytes(name, bytes(mail)) if whole else too_large


def _split(content: Content, most: int) -> Iterator[bytearray]:
    """Yield the mails of a mailbox; of one that has more bytes than `most`, a few more."""
    mail, after_blank = bytearray(), True
    with content.open() as stream:
        while line := stream.readline(_LINE):
            if after_blank and line.startswith(b"From "):
                if mail:
                    yield mail
                mail = bytearray()
            elif len(mail) <= most:
                mail += re.sub(rb"^>(>*From )", rb"\1", line)
            after_blank = not line.strip()
    yield mail


def _texts(part: MIMEPart, mail: _Mail) -> Iterator[str]:
    """Yield the texts that a part shows; gather what else it holds."""
    kind, name = part.get_content_type(), _lenient(part.get_filename)
    if _PASSED_OVER.fullmatch(kind):
        return
    if kind == "message/rfc822":
        for inner in part.iter_parts() if part.is_multipart() else ():
            _attach_mail(name, inner, mail, _header(part, "content-transfer-encoding"))
    elif what := _unreadable(part, kind, name):
        mail.unread.append(f"{'attachment' if name else 'part'} {name or kind}: {what}")
    elif kind == "multipart/alternative":
        yield from _best([(branch, [*_texts(branch, mail)]) for branch in part.iter_parts()])
    elif part.is_multipart():
        for place, inner in enumerate(part.iter_parts()):
            if not (kind == "multipart/related" and place and _is_drawn(inner, mail)):
                yield from _texts(inner, mail)
    elif kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment":
        yield _shown(part, mail)
    else:
        mail.attach(name, guess_extension(kind) or "", _bytes(part, mail))


def _attach_mail(name: str | None, part: MIMEPart, mail: _Mail, packing: str) -> None:
    if not part.keys():  # a mail inside a mail mustn't be packed, but some are
        part["Content-Transfer-Encoding"] = packing
        part = _parsed(_bytes(part, mail))
    name = name or re.sub(r"[\s/\\:]+", " ", _header(part, "subject")).strip()[:80] or "mail"
    name = f"{name.removesuffix('.eml')}.eml"
    if data := _lenient(part.as_bytes):
        mail.attach(name, ".eml", data)
    else:
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
        return "signed in a closed form (ask for it as clear text)" if signed else _ENCRYPTED
    return _kind_unread("application/ms-tnef" if (name or "").lower() == "winmail.dat" else kind)


def _kind_unread(kind: str) -> str | None:
    return next((what for form, what in _UNREADABLE.items() if re.fullmatch(form, kind)), None)


def _best(branches: list[tuple[MIMEPart, list[str]]]) -> list[str]:
    """Return the texts of one of several alternatives."""
    plain = next((t for part, t in branches if part.get_content_type() == "text/plain"), [])
    longest = max((texts for _, texts in branches), key=_words, default=[])
    times = 2 if _words(plain) < _STUB else _SUMMARY
    return longest if _words(longest) > times * _words(plain) else plain


def _words(texts: list[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _shown(part: MIMEPart, mail: _Mail) -> str:
    """Return the text that one part shows."""
    data, charset, limits = _bytes(part, mail), part.get_content_charset() or "", mail.limits
    if part.get_content_type() == "text/plain":
        text = decode(data, limits.text_chars, declared=charset)
        readable = cut(text, *_ARMOUR)
        if readable != text:
            mail.unread.append(f"part of the text: {_ENCRYPTED}")
        return quotes_apart(readable)
    source = decoded_page(data, limits, declared=charset)
    if not mail.is_page:
        return quotes_apart(shown_text(source, limits, apart="blockquote"))
    page = main_text(source, limits, whole=mail.whole)
    mail.unread += page.unread
    return page.text


def _bytes(part: MIMEPart, mail: _Mail) -> bytes:
    payload = part.get_payload(decode=True)
    damage = {type(defect) for defect in part.defects}
    if damage & {InvalidBase64CharactersDefect, InvalidBase64LengthDefect}:
        mail.unread.append(f"part {part.get_content_type()}: damaged, so not all could be decoded")
    if InvalidBase64LengthDefect in damage:  # it comes as it was packed
        return b""
    return payload if isinstance(payload, bytes) else b""


def _header(message: MIMEPart, name: str) -> str:
    return str(_lenient(message.get, name) or "")


def _lenient(call: Callable[..., Any], *values: str) -> Any:  # noqa: ANN401 -- what the call returns
    """Return None where the standard library fails on a malformed mail."""
    with suppress(LookupError, ValueError, AttributeError, TypeError):
        return call(*values)
    return None
