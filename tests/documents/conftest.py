import pytest

from textclass.documents import Document, DocumentReader, SetAside, Source


@pytest.fixture(scope="session")
def reader():
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def read(reader, tmp_path):
    """Write bytes to a file of this name and read it; options make a reader of their own."""

    def read(name, data, **options):
        path = tmp_path / name
        path.write_bytes(data)
        source = Source(path, name)
        if not options:
            return list(reader.read(source))
        with DocumentReader(options.pop("limits", None), **options) as own:
            return list(own.read(source))

    return read


@pytest.fixture
def text_of(read):
    """Return the one text a file holds."""

    def text_of(name, data, **options):
        (found,) = read(name, data, **options)
        assert isinstance(found, Document), found
        return found.text

    return text_of


@pytest.fixture
def fault_of(read):
    """Return the one reason why a file was set aside."""

    def fault_of(name, data, **options):
        (found,) = read(name, data, **options)
        assert isinstance(found, SetAside), found
        assert "\n" not in found.error
        return found

    return fault_of
