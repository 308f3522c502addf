"""Rows, files and git repositories for the tests of corpora."""

import json
import os
import subprocess

from textclass.results import text_id
from textclass.taxonomy import parse_taxonomy

OWN = "textclass"
SPAN = {"start": 4, "end": 9, "label": "river"}

TAXONOMY = parse_taxonomy(
    """
facets:
  - name: topic
    labels:
      - {name: river, definition: Water that flows.}
      - {name: bread, definition: What bakers make.}
  - name: tone
    labels:
      - {name: warm, definition: Said with warmth.}
"""
)

RIVER = (
    "The ferry crossed the wide river before dawn while the children of both towns waved from "
    "the landing, and nobody on board spoke above the noise of the old engine."
)
BREAD = (
    "Every morning the baker of the lower village lights her oven at four, kneads the rye dough "
    "by hand and leaves two loaves at the school door for whoever comes first."
)
OTHER = (
    "Trains stop here twice a day in summer and once in winter, so most people who work in the "
    "valley keep a car or share one with the neighbours across the road."
)


TABLE = "id,text,topic,tone\n"


def table(tmp_path, *cells, name="a.csv"):
    lines = [f'{n},"{RIVER} {n}",{cell}' for n, cell in enumerate(cells)]
    (tmp_path / name).write_text(TABLE + "\n".join(lines) + "\n")
    return tmp_path / name


def row(text=RIVER, topic=(), tone=(), **columns):
    return {"text": text, "topic": list(topic), "tone": list(tone), **columns}


def write_jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def pointer(text, path, *, source="news", start=0, **labels):
    place = {"source": source, "path": path, "start": start, "end": start + len(text)}
    return {"id": text_id(text), **place, "topic": [], "tone": [], **labels}


def sources_yaml(url, commit, *, name="news"):
    return f"""
sources:
  - name: {name}
    title: A test source
    url: {url}
    commit: "{commit}"
    licence: CC0-1.0
"""


def git(folder, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    who = {
        f"GIT_{role}_{what}": "test@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment |= who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def make_repository(folder, files, *, partial=True):
    """Commit `files`; `partial` lets clients ask for single files, as big hosts do."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for name, value in (("allowFilter", partial), ("allowAnySHA1InWant", partial)):
        git(folder, "config", f"uploadpack.{name}", str(value).lower())
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "texts")
    return git(folder, "rev-parse", "HEAD")
