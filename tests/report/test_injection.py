"""A thousand payloads through every text field: the page must stay the same tree of elements."""

import itertools

import pytest

from tests.report import examples
from textclass.report import page, tag_report, write_evaluation_report, write_tag_report
from textclass.taxonomy import Facet, Label, Taxonomy

LIVE = """<script>window.live=1</script>
<img src=x onerror=window.live=1>
<svg onload=window.live=1>
<svg><animate onbegin=window.live=1 attributeName=x dur=1s></svg>
<iframe srcdoc="<script>parent.live=1</script>"></iframe>
<iframe src="javascript:parent.live=1"></iframe>
<object data="data:text/html,<script>1</script>"></object>
<embed src="data:image/svg+xml,<svg/>">
<a href="javascript:window.live=1" id=x>x</a>
<form action="javascript:window.live=1"><button>x</button></form>
<input autofocus onfocus=window.live=1>
<body onload=window.live=1>
<details open ontoggle=window.live=1>
<video><source onerror=window.live=1></video>
<math><mtext></p><img src=x onerror=window.live=1></mtext></math>
<base href="https://example.org/">
<link rel=stylesheet href="https://example.org/x.css">
<meta http-equiv=refresh content="0;url=https://example.org/">
<style>*{display:none}</style>
<template shadowrootmode=open><script>window.live=1</script></template>
<textarea><plaintext>
<noscript><p title="</noscript><img src=x onerror=window.live=1>">
<!--><script>window.live=1</script>-->
<![CDATA[<script>window.live=1</script>]]>
<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">window.live=1</x:script>
{{ 7*7 }}{% include "style.css" %}{{ self.__init__.__globals__ }}
&lt;script&gt;window.live=1&lt;/script&gt;
&#60;script&#62;window.live=1
" onmouseover=window.live=1 x="
' onfocus='window.live=1' autofocus x='
` onclick=window.live=1 x=`
javascript:window.live=1
\u202e<script>window.live=1</script>\u2066
\ufeff<scr\x00ipt>window.live=1</scr\x00ipt>
\uff1cscript\uff1ewindow.live=1\uff1c/script\uff1e
<scr\ud800ipt>window.live=1</script>""".splitlines()

BEFORE = [
    "",
    '">',
    "'>",
    "</title>",
    "</style>",
    "</script>",
    "-->",
    "]]>",
    "</textarea>",
    "</svg>",
]
BEFORE += ["</q></bdi></li></ol>", "</text></title></desc>", '" x>', "\\", "%00", "\x1b[31m", "é😀"]
AFTER = ["", "<!--"]

PAYLOADS = [b + live + a for a, b, live in itertools.product(AFTER, BEFORE, LIVE)][:1000]

TREE = """(() => {
  const rows = [];
  for (const e of document.querySelectorAll("*")) {
    const names = [...e.attributes].map((a) =>
      ["class", "id", "href", "type", "for"].includes(a.name) ? `${a.name}=${a.value}` : a.name);
    rows.push(`${e.tagName} ${names.join(" ")}`);
  }
  return rows;
})()"""


def harmless(number):
    """Text as long as a payload, different for each, so that all lengths and counts agree."""
    return f"{number:04}".ljust(len(PAYLOADS[number]), "x")


def batch(texts):
    """A record for each text, which stands in every field that a user's files can fill."""
    taxonomy = Taxonomy(
        (
            Facet("type", tuple(Label(text, "") for text in texts)),
            Facet("principle", (Label("trust", ""),)),
        )
    )
    records = [hostile_record(text) for text in texts]
    aside = [{"path": t, "stage": t, "error": t, "id": t, "sha256": t} for t in texts]
    return taxonomy, records, aside


def hostile_record(text):
    end = len(text)
    evidence = [
        {"label": text, "start": 10, "end": 10 + end - 1, "text": text[: end - 1], "weight": 1.0},
        {"label": "trust", "start": 11, "end": 10 + end, "text": text[1:], "weight": -0.5},
        {"label": "trust", "start": 0, "end": 3, "text": text, "weight": 0.1},
    ]
    passage = {"id": text, "document": text, "page": 1, "start": 10, "end": 10 + end, "text": text}
    passage |= {"type": [text], "principle": ["trust"], "evidence": evidence, "model": text}
    passage |= {"scores": {"type": {text: 0.9}, "principle": {"trust": 0.6}}}
    unsure = {**passage, "outcome": "unsure", "reason": text, "type": [], "principle": []}
    label = {"label": text, "facet": "type", "share": 1.0, "passages": 1, "probability": 0.9}
    document = {"document": text, "outcome": "tagged", "words": 9, "passages": 2, "model": text}
    document |= {
        "unread": [text],
        "primary": {"type": text},
        "labels": [{**label, "strongest": [0]}],
    }
    passages = [{**passage, "outcome": "tagged", "reason": None}, unsure]
    return {"document": document, "passages": passages, "folder": text, "date": text}


def write_batch(path, texts):
    taxonomy, records, aside = batch(texts)
    options = {"taxonomy": taxonomy, "model": texts[-1], "page_bytes": 10**9}
    write_tag_report(records, aside, path, **options)


def write_evaluation(path, texts):
    names = iter(itertools.cycle(texts))
    metrics = examples.example_metrics(text=lambda _: next(names))
    error = metrics["mistakes"][0]
    metrics["mistakes"] = [
        {**error, "id": t, "group": t, "text": t, "wrong": [t], "missing": [t, "trust"]}
        | {"probabilities": {t: 0.9}, "evidence": hostile_record(t)["passages"][0]["evidence"]}
        for t in texts
    ]
    metrics["confusions"] = [
        {"facet": "type", "true": a, "given": b, "count": 3}
        for a, b in itertools.pairwise(texts[:40])
    ]
    # Each label takes the name of a payload, and one of them has too few passages to count.
    names = [label["label"] for label in metrics["labels"]]
    renamed = dict(zip(names, texts, strict=False))
    for table in ("figures", "labels", "sweep", "reliability"):
        for row in metrics[table]:
            row["label"] = renamed.get(row["label"], row["label"])
    metrics["left_out"]["type"] = [texts[0]]
    write_evaluation_report(metrics, path)


def test_there_are_a_thousand_payloads():
    assert len(set(PAYLOADS)) == 1000


@pytest.mark.parametrize("write", [write_batch, write_evaluation])
def test_payloads_change_no_element_and_run_nothing(browser, tmp_path, write):
    write(tmp_path / "good.html", [harmless(n) for n in range(1000)])
    write(tmp_path / "evil.html", PAYLOADS)
    good = browser(tmp_path / "good.html").run(TREE)
    report = browser(tmp_path / "evil.html")
    evil = report.run(TREE)
    assert len(evil) > 5_000
    assert evil == good
    assert report.run("typeof window.live") == "undefined"
    assert report.noise == []
    assert report.requests == [(tmp_path / "evil.html").as_uri()]


def test_the_same_payloads_show_when_escaping_is_off(browser, tmp_path, monkeypatch):
    raw = page.templates_of("textclass.report").overlay(autoescape=False)
    for module in (page, tag_report):
        monkeypatch.setattr(module, "templates_of", lambda _: raw)
    few = range(0, 1000, 50)
    write_batch(tmp_path / "good.html", [harmless(n) for n in few])
    write_batch(tmp_path / "evil.html", [PAYLOADS[n] for n in few])
    trees = [browser(tmp_path / f"{name}.html").run(TREE) for name in ("evil", "good")]
    assert trees[0] != trees[1]
