import gzip
import hashlib
import random
import zipfile

import pytest

from tests.documents.makers import FILLER, page, pdf, tarred, zipped
from textclass.documents import Document, Limits, SetAside


def test_members_are_read_like_files(read):
    found = read(
        "in.zip",
        zipped(
            [
                ("a/b.txt", FILLER),
                ("t.csv", "text\none\ntwo\n"),
                ("c.pdf", pdf([page((72, 700, 12, FILLER))])),
                ("d.zip", zipped([("x.txt", FILLER)])),
                ("e.png", b"\x89PNG" + bytes(50)),
                ("f/", b""),
                ("__MACOSX/._b.txt", b"\x00"),
            ]
        ),
    )
    assert [one.id for one in found] == [
        "in.zip!a/b.txt", "in.zip!t.csv#1", "in.zip!t.csv#2", "in.zip!c.pdf", "in.zip!d.zip!x.txt",
        "in.zip!e.png",
    ]  # fmt: skip
    assert found[0].sha256 == hashlib.sha256(FILLER.encode()).hexdigest()
    assert "PNG image" in found[5].error


def test_a_gzip_is_its_content(read):
    (found,) = read("a.txt.gz", gzip.compress(FILLER.encode()))
    assert (found.id, found.text) == ("a.txt.gz", FILLER)
    assert len(read("t.csv.gz", gzip.compress(b"text\n" + b"x\n" * 5))) == 5


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("a.gz", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "packed twice"),
        ("a.zip", zipped([]), "holds no files"),
        ("a.zip", zipped([("a", FILLER)])[:-20], "damaged or cut short"),
        (
            "a.txt.gz",
            gzip.compress(random.Random(1).randbytes(5000), mtime=0)[:-900],
            "damaged or cut short",
        ),
    ],
)
def test_archives_that_cannot_be_read_are_told(fault_of, name, data, match):
    assert match in fault_of(name, data).error


def test_a_member_that_lies_about_its_size_or_sum_is_told(read):
    data = zipped([("a.txt", FILLER), ("b.txt", FILLER)], method=zipfile.ZIP_STORED)
    found = read("a.zip", data.replace(FILLER.encode(), FILLER.upper().encode(), 1))
    assert [type(one) for one in found] == [SetAside, Document]
    assert "damaged" in found[0].error


def test_links_and_doubled_names_in_archives_are_told(read, recwarn):
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped([(link, "/etc/passwd"), ("a.txt", FILLER), ("a.txt", FILLER)])
    found = read("a.zip", data)
    assert ["it is a link" in found[0].error, type(found[1]), "same name" in found[2].error] == [
        True, Document, True,
    ]  # fmt: skip


def test_archive_limits(fault_of):
    many = zipped([(f"{i}.txt", "x") for i in range(11)])
    assert "more than 10" in fault_of("a.zip", many, limits=Limits(members=10)).error


def evil_names(count):
    """Names with traversal, NULs, drives and reserved words, mixed."""
    rng = random.Random(7)
    bad = [
        "..",
        "../..",
        "/",
        "\\",
        "..\\",
        "C:",
        "nul",
        "CON",
        "aux.txt",
        "com1",
        "a\x01b",
        "\x7f",
        "\\\\h",
    ]
    names = set()
    while len(names) < count:  # each long enough for its number
        parts = [rng.choice(["a", "dir", "b c", *bad]) for _ in range(rng.randint(1, 4))]
        parts.append("name")
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(bad))
        names.add(rng.choice(["/", "\\"]).join(parts) + rng.choice([".txt", " ", "\r"]))
    return sorted(names)


def test_five_hundred_evil_names_are_told_and_the_honest_one_is_read(read):
    # zipfile would clean such names, so they are written over honest ones.
    names = [name.encode() for name in evil_names(500)] + [b"a\0b.txt"]
    stands = [f"{i:04d}".ljust(len(name), "~")[: len(name)] for i, name in enumerate(names)]
    data = zipped([*((stand, FILLER) for stand in stands), ("honest.txt", FILLER)])
    for stand, name in zip(stands, names, strict=True):
        data = data.replace(stand.encode(), name)
    *told, honest = read("evil.zip", data)
    assert len(told) == len(names)
    for one in told:
        assert isinstance(one, SetAside)
        assert one.stage == "open"
        assert one.id.startswith("evil.zip!")
        assert one.id.isprintable()
    assert honest.id == "evil.zip!honest.txt"


def test_a_tar_is_read_safely(read):
    members = [
        ("./a.txt", FILLER.encode()),
        ("../up.txt", b"x"),
        ("link", b""),
        (".DS_Store", b"x"),
    ]
    found = read("a.tar.gz", gzip.compress(tarred(members)))
    assert [one.id for one in found] == ["a.tar.gz!a.txt", "a.tar.gz!../up.txt", "a.tar.gz!link"]
    assert ["leads out" in found[1].error, "is a link" in found[2].error] == [True, True]


def test_archives_may_lie_in_archives_but_not_without_end(read):
    data = zipped([("a.txt", FILLER)])
    for _ in range(5):
        data = zipped([("in.zip", data)])
    (found,) = read("a.zip", data)
    assert "packed more than 4 layers deep" in found.error


@pytest.mark.parametrize("end", [1024, 1200, 1556])
def test_a_tar_that_is_cut_short_is_told(read, end):
    data = tarred([("a.txt", FILLER.encode()), ("b.txt", FILLER.encode())])
    assert len(read("a.tar", data)) == 2
    whole, rest = read("a.tar", data[:end])
    assert (whole.id, rest.id) == ("a.tar!a.txt", "a.tar!(the rest)")
    assert "cut short" in rest.error
