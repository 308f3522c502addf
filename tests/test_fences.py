"""The fences of the house: which package may import what, read from the source."""

import ast
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "textclass"

ORDER = [
    "errors",
    "atomic",
    "taxonomy",
    "documents",
    "results",
    "pooling",
    "language",
    "model",
    "tagger",
    "component",
    "corpora",
    "learning",
    "report",
    "batch",
    "review",
    "cli",
]
"""A module imports only from rooms above its own."""

ONLY_IN = {
    "spacy": {"language", "component.py", "corpora/convert.py"},
    "sklearn": {"learning"},
    "iterstrat": {"learning"},
    "pandas": {"corpora", "learning", "tagger.py", "batch/read_back.py", "cli/corpus.py"},
    "scipy": {"learning", "model"},
    "safetensors": {"model"},
    "pypdfium2": {"documents"},
    "olefile": {"documents"},
    "oxmsg": {"documents"},
    "python_calamine": {"documents"},
    "trafilatura": {"documents"},
    "charset_normalizer": {"documents"},
    "sqlite3": {"batch", "review"},
    "pyarrow": {"batch", "documents"},
    "joblib": {"batch", "learning"},
    "dask": {"batch"},
    "distributed": {"batch"},
    "fsspec": {"batch"},
    "jinja2": {"learning", "report"},
    "markupsafe": {"report"},
    "anyio": {"review"},
    "starlette": {"review"},
    "uvicorn": {"review"},
    "onnxruntime": {"model"},
    "tokenizers": {"model", "learning/finetune.py"},
    "torch": {"learning/finetune.py", "learning/network.py"},
    "transformers": {"learning/network.py"},
    "onnx": {"learning/network.py"},
    "click": {"cli"},
    "rich": {"cli"},
    "openpyxl": {"batch", "documents"},
}
"""Libraries with one home, told by package or by file."""

FORBIDDEN = {"pickle", "dill", "cloudpickle", "shelve", "marshal", "yaml"}


def imports(path: Path) -> set[str]:
    """Names of all modules that a file imports, also inside functions and for typing."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0].removesuffix(".py")


MOST_MODULES = 99

FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way_and_libraries_stay_home(path):
    home = room(path)
    for name in imports(path):
        top, _, rest = name.partition(".")
        assert top not in FORBIDDEN, f"{name} can run code from data"
        if top == "textclass" and rest and home in ORDER:
            other = rest.split(".")[0]
            if other in ORDER and other != home:
                assert ORDER.index(other) < ORDER.index(home), f"{home} imports {name}"
        if top in ONLY_IN:
            relative = path.relative_to(ROOT).as_posix()
            assert home in ONLY_IN[top] or relative in ONLY_IN[top], f"{top} in {relative}"


def test_other_rooms_are_entered_by_their_door():
    packages = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    for path in FILES:
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "textclass" and len(parts) > 3 and parts[1] in packages - {"cli"}:
                assert parts[1] == room(path), f"{path.relative_to(ROOT)} reaches into {name}"


def test_every_room_is_in_the_order():
    rooms = {room(path) for path in FILES} - {"__init__", "__main__"}
    assert rooms <= set(ORDER), rooms - set(ORDER)


def test_only_known_packages_are_imported():
    declared = set(ONLY_IN) | set(
        "annotated_types numpy orjson pydantic srsly threadpoolctl lxml striprtf".split()
    )
    for path in FILES:
        tops = {name.split(".")[0] for name in imports(path)}
        unknown = tops - declared - set(sys.stdlib_module_names) - {"textclass", "__future__"}
        assert not unknown, f"{path.relative_to(ROOT)}: {unknown}"


def test_no_two_modules_share_a_file_name():
    names = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_the_house_stays_small():
    assert sum(bool(path.read_text("utf-8").strip()) for path in FILES) <= MOST_MODULES


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_module_imports_itself_by_a_circle():
    modules = {module_of(path): path for path in FILES}
    graph = {}
    for module, path in modules.items():
        names = set()
        for name in loaded_at_once(path):
            # What is imported is a module, or stands in one.
            names |= {name, name.rpartition(".")[0]} & set(modules)
        graph[module] = names - {module, "textclass"}
        if path.name == "__init__.py":
            continue
        # A package's own modules don't wait for its door.
        graph[module].discard(module.rpartition(".")[0])
    TopologicalSorter(graph).prepare()


def loaded_at_once(path: Path) -> set[str]:
    """Names that a file imports while it is imported itself: not in functions, not for typing."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
