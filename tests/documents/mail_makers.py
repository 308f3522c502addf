"""Mails that the tests make, Outlook's among them."""

import struct

from tests.documents.makers import compound


def mail(*parts, kind="mixed"):
    """A mail of parts; each is (headers, bytes)."""
    mark = b"B%d" % sum(len(data) for _, data in parts)  # another one for a mail inside a mail
    inner = b"".join(
        b"--%s\n%s\n\n%s\n" % (mark, headers.encode(), data) for headers, data in parts
    )
    return (
        "Received: from x\nMessage-ID: <1@x>\nSubject: Visit\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/{kind}; boundary={mark.decode()}\n\n"
    ).encode() + b"%s--%s--\n" % (inner, mark)


def msg(subject, *, parts=None, attachments=()):
    """An Outlook mail ([MS-OXMSG]); parts and attachments are properties by number.

    A property that is a dict of these three arguments is a mail inside the mail.
    """
    return compound(_outlook({0x0037: subject} | (parts or {}), attachments, head=32))


def _outlook(properties, attachments, *, head):
    tree, table = {}, bytearray(head)
    for number, value in properties.items():
        kind, data = _outlook_value(value)
        table += struct.pack("<HHI", kind, number, 6)
        if isinstance(value, int):
            table += struct.pack("<q", value)
            continue
        table += struct.pack("<II", len(data), 0)
        tree[f"__substg1.0_{number:04X}{kind:04X}"] = data
    for place, attached in enumerate(attachments):
        tree[f"__attach_version1.0_#{place:08X}"] = _outlook(attached, (), head=8)
    return tree | {"__properties_version1.0": bytes(table)}


def _outlook_value(value):
    if isinstance(value, dict):
        inner = {0x0037: value["subject"]} | value.get("parts", {})
        return 0x000D, _outlook(inner, value.get("attachments", ()), head=24)
    if isinstance(value, str):
        return 0x001F, value.encode("utf-16-le")
    if isinstance(value, int):
        return (0x0040 if value > 1 << 32 else 0x0003), b""
    return 0x0102, value
