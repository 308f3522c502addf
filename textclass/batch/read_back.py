"""Results read back: what a run wrote, as a DataFrame, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclass.errors import TextclassError

if TYPE_CHECKING:
    import pandas as pd

_AFTER_FACETS = frozenset({"scores", "primary", "evidence", "labels"})


def read_results(path: str | Path, *, level: str | None = None) -> pd.DataFrame:
    """Read what `textclass tag` wrote, whatever its format, as a DataFrame.

    Parameters
    ----------
    path : str or Path
        A file (.jsonl, .csv, .parquet, .xlsx) or a folder of Parquet files.
    level : "passage" or "document", keyword-only, optional
        Which rows, of a workbook or a folder; passages by default, if it holds both.

    Returns
    -------
    DataFrame
        A row per passage or document: `outcome`, one list column per facet, and of passages one
        float column `<facet>.<label>` per label.

    Raises
    ------
    TextclassError
        If it can't be read, or holds no results.
    """
    import pandas as pd

    place = Path(path)
    parts = place / f"{level or 'passage'}s"
    if place.is_dir() and (level or parts.is_dir()):
        place = parts
    json_lines = partial(pd.read_json, lines=True, dtype=False)
    # Texts such as NA and null are no missing values.
    only_empty: Any = {"keep_default_na": False, "na_values": [""]}
    readers: dict[str, Callable[[Path], Any]] = {
        ".jsonl": json_lines,
        ".ndjson": json_lines,
        ".csv": partial(pd.read_csv, **only_empty),
        ".parquet": pd.read_parquet,
        ".pq": pd.read_parquet,
        ".xlsx": partial(
            pd.read_excel, sheet_name=f"{level}s" if level else 0, engine="openpyxl", **only_empty
        ),
    }
    ending = ".parquet" if Path(path).is_dir() else place.suffix.lower()
    if ending not in readers:
        raise TextclassError(f"results end in {', '.join(readers)}", where=str(path))
    try:
        frame = readers[ending](place)
    except (OSError, ValueError, ImportError) as error:
        raise TextclassError(f"it can't be read: {error}", where=str(path)) from error
    if not {"outcome", "unread", "model"} <= set(frame.columns):
        raise TextclassError(
            "it holds no results of textclass tag: columns outcome, unread and model were expected",
            where=str(path),
            hint=f"its columns are {', '.join(map(str, frame.columns[:9]))}",
        )
    return _as_frame(frame)


def _as_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Give rows of any format the same columns: lists for facets, a number for each label."""
    import pandas as pd

    names = list(frame.columns)
    after = names[names.index("passages" if "passages" in names else "unread") + 1 :]
    facets = [*takewhile(lambda name: name not in _AFTER_FACETS and "." not in name, after)]
    for name in ["unread", *facets]:
        frame[name] = [_as_list(cell) for cell in frame[name].tolist()]
    for name in {"scores", "primary"} & set(names):
        flat = pd.json_normalize(frame[name].tolist()).set_index(frame.index)
        flat = flat if name == "scores" else flat.add_prefix("primary.")
        place = names.index(name)
        frame = pd.concat([frame.iloc[:, :place], flat, frame.iloc[:, place + 1 :]], axis=1)
    # Some formats make whole numbers of probabilities that are all 0 or 1.
    whole = frame.select_dtypes("integer").columns
    return frame.astype({name: float for name in whole if name.partition(".")[0] in facets})


def _as_list(cell: object) -> list[str]:
    if isinstance(cell, str):
        return cell.split("; ")
    return [str(one) for one in cell] if isinstance(cell, Iterable) else []
