"""Results and figures of the shapes that the rest of the program writes, made from a seed."""

import random
from itertools import product

from textclass.results import (
    DocumentLabel,
    DocumentTags,
    Evidence,
    Outcome,
    PassageTags,
    Reason,
)
from textclass.taxonomy import Facet, Label, Taxonomy

WORDS = """the delegation stressed that relief convoys must reach displaced families on both sides
of the line, and called for a pause in the fighting while volunteers repaired wells and schools; the
ministers welcomed an exchange of students between sister cities and agreed to resume dialogue on
prisoners whose trials had drawn criticism from the special rapporteur last autumn""".split()


def small_taxonomy(types=("humanitarian", "citizen"), principles=("humanity", "dialogue", "trust")):
    def facet(name, labels):
        return Facet(name, tuple(Label(label, "What it means.") for label in labels))

    return Taxonomy((facet("type", types), facet("principle", principles)))


def passage(taxonomy, name, index, start, seed, text=None):
    chance = random.Random(f"{seed}/{name}/{index}")
    text = text or " ".join(chance.choices(WORDS, k=chance.randint(30, 110))) + "."
    outcome = chance.choices(list(Outcome), [5, 4, 1])[0]
    labels = ()
    if outcome is Outcome.TAGGED:
        lead = taxonomy.facets[0].names
        rest = taxonomy.names[len(lead) :] or lead
        labels = {chance.choice(lead), *chance.sample(rest, chance.randint(0, min(2, len(rest))))}
        labels = tuple(sorted(labels, key=taxonomy.column))
    reason = {"none": Reason.BELOW_THRESHOLD, "unsure": Reason.NEAR_THRESHOLD}.get(outcome)
    return PassageTags(
        taxonomy=taxonomy,
        text=text,
        outcome=outcome,
        reason=reason,
        labels=labels,
        probabilities=tuple(
            chance.uniform(0.55, 0.99) if label in labels else chance.uniform(0, 0.4)
            for label in taxonomy.names
        ),
        evidence=tuple(e for label in labels for e in evidence(label, text, start, chance)),
        model="default@1a2b3c",
        start=start,
        end=start + len(text),
        id=f"{name}#{index}",
        document=name,
        page=index // 4 + 1,
    )


def evidence(label, text, shift, chance):
    for weight in (1.31, 0.62, -0.24):
        start = chance.randrange(max(len(text) - 1, 1))
        start = text.rfind(" ", 0, start) + 1
        end = text.find(" ", min(start + chance.randint(4, 24), len(text)))
        end = end if end > start else len(text)
        weight = round(weight * chance.uniform(0.5, 1.2), 4)
        yield Evidence(label, shift + start, shift + end, text[start:end], weight)


def record(taxonomy, number, *, name=None, texts=(), passages=6, seed=0):
    name = name or f"inbox/{('east', 'west', 'field')[number % 3]}/report-{number:04d}.pdf"
    chance = random.Random(f"{seed}/{number}")
    tagged, start = [], 0
    for index in range(len(texts) or passages):
        text = texts[index] if texts else None
        tagged.append(passage(taxonomy, name, index, start, seed, text))
        start = tagged[-1].end + 2
    labels = []
    for facet in taxonomy:
        for label in facet.names:
            at = [i for i, p in enumerate(tagged) if label in p.labels]
            if at:
                share, strong = (
                    len(at) / len(tagged),
                    max(tagged[i].scores[facet.name][label] for i in at),
                )
                labels.append(
                    DocumentLabel(label, facet.name, share, len(at), tuple(at[:5]), strong)
                )
    outcomes = {p.outcome for p in tagged}
    outcome = (
        Outcome.TAGGED if labels else Outcome.UNSURE if Outcome.UNSURE in outcomes else Outcome.NONE
    )
    primary = {f.name: next((x.label for x in labels if x.facet == f.name), None) for f in taxonomy}
    tags = DocumentTags(
        taxonomy,
        name,
        outcome,
        tuple(labels),
        primary,
        tagged[0].probabilities,
        tuple(tagged),
        80 * len(tagged),
        "default@1a2b3c",
    )
    return {
        "document": tags.to_dict(),
        "passages": [p.to_dict() for p in tagged],
        "folder": name.rpartition("/")[0] or None,
        "date": f"20{23 + chance.randint(0, 1)}-{chance.randint(1, 12):02d}-11",
    }


SET_ASIDE = [
    {
        "id": "scans.zip!scan.pdf",
        "path": "/data/inbox/scans.zip",
        "sha256": "00" * 32,
        "stage": "read",
        "error": "no text layer: the pages are pictures",
    },
    {
        "id": "a2",
        "path": "inbox/bomb.docx",
        "sha256": "11" * 32,
        "stage": "read",
        "error": "stopped after 20 s of CPU time",
    },
]


def estimate(value, width=0.04):
    return {"value": value, "low": max(value - width, 0), "high": min(value + width, 1)}


def scores(value):
    return {
        "precision": estimate(value + 0.03),
        "recall": estimate(value - 0.03),
        "f1": estimate(value),
    }


def example_metrics(taxonomy=None, *, seed=0, text=lambda plain: plain):
    """An evaluation as JSON holds it; `text` makes each free text from a plain one."""
    taxonomy = taxonomy or small_taxonomy()
    chance = random.Random(seed)
    lead = taxonomy.names[0]
    body = text("Relief convoys reached both sides of the line.")
    model = text("default@1a2b3c")
    pairs = [(f.name, name) for f in taxonomy for name in f.names]

    def micro(name, value, part="", n=320):
        return [
            {"model": name, "part": part, "facet": f.name, "label": "", "metric": "micro_f1"}
            | {"n": n, **estimate(value)}
            for f in taxonomy
        ]

    others = [text(name) for name in ("keyword cues", "word TF-IDF")]
    parts = [text(f"source: {value}") for value in ("ungd", "reliefweb", "cables")]
    labels = [label_rows(facet, name, chance) for facet, name in pairs]
    return {
        "model": model,
        "level": "passage",
        "corpus": {
            "paths": [text("dev_gold.jsonl")],
            "units": 480,
            "documents": 211,
            "fingerprint": text("c0ffee"),
            "leaks": [],
        },
        "samples": 1000,
        "left_out": {f.name: [] for f in taxonomy},
        "figures": [
            *(row | {"model": model} for f in taxonomy for row in facet_rows(f.name, chance)),
            *(row | {"model": model} for rows in labels for row in rows),
            *(row for n, name in enumerate(others) for row in micro(name, 0.41 + n / 5)),
            *(row for part in parts for row in micro(model, chance.uniform(0.4, 0.8), part, 120)),
        ],
        "differences": [
            {
                "facet": f.name,
                "model": name,
                "value": 0.031,
                "low": -0.004,
                "high": 0.066,
                "p": 0.041,
            }
            for f in taxonomy
            for name in [*others, text("older@77aa")]
        ],
        "labels": [
            {"facet": facet, "label": name, "threshold": round(chance.uniform(0.3, 0.6), 3)}
            | ({"target": 0.9, "reached": "unclear"} if n % 3 == 1 else NO_TARGET)
            for n, (facet, name) in enumerate(pairs)
        ],
        "sweep": [
            {
                "facet": facet,
                "label": name,
                "threshold": t,
                "precision": None if t > 0.95 else min(0.3 + 0.65 * t, 1),
                "recall": 1 - t**1.5,
                "f1": 0.7 * (1 - abs(t - 0.45)),
            }
            for facet, name in pairs
            for t in (n / 20 for n in range(1, 20))
        ],
        "reliability": [
            {
                "facet": facet,
                "label": name,
                "low": n / 10,
                "high": (n + 1) / 10,
                "mean": n / 10 + 0.05 if n != 7 else None,
                "share": min(max(n / 10 + chance.gauss(0.05, 0.05), 0), 1) if n != 7 else None,
                "count": 0 if n == 7 else int(200 / (n + 1) ** 1.3),
            }
            for facet, name in pairs
            for n in range(10)
        ],
        "coverage": [
            {"facet": f.name, "probability": 1 - n / 40, "coverage": n / 40}
            | {"precision": 0.99 - 0.3 * (n / 40) ** 2}
            for f in taxonomy
            for n in range(1, 41)
        ],
        "at_95": {
            f.name: None
            if n
            else {"probability": 0.6, "coverage": 0.37, "found": 0.52, "precision": 0.951}
            for n, f in enumerate(taxonomy)
        },
        "confusions": [
            {"facet": f.name, "true": true, "given": given, "count": 14 - n % 14}
            for f in taxonomy
            for n, (true, given) in enumerate(
                product((*f.names[:9], "none"), (*f.names[:7], "none"))
            )
            if true != given
        ],
        "mistakes": [
            {
                "id": text("009cbc47"),
                "group": text("ungd:VNM_34_1979.txt"),
                "text": body,
                "missing": [taxonomy.names[-1]],
                "wrong": [lead],
                "probabilities": {lead: 0.93, taxonomy.names[-1]: 0.08},
                "evidence": [
                    {"label": lead, "start": 0, "end": 14, "text": body[:14], "weight": 1.2},
                    {"label": lead, "start": 7, "end": 22, "text": body[7:22], "weight": -0.2},
                ],
            }
        ]
        * 3,
        "faithfulness": {"cases": 412, "dropped": 401, "share": 401 / 412, "control_share": 0.061},
    }


NO_TARGET = {"target": None, "reached": None}
ALONE = {"low": None, "high": None}


def facet_rows(facet, chance):
    value = chance.uniform(0.55, 0.75)
    figures = {f"micro_{name}": found for name, found in scores(value).items()}
    figures |= {f"macro_{name}": found for name, found in scores(value - 0.05).items()}
    figures |= {"exact_match": estimate(0.58), "any_f1": estimate(0.8)}
    figures |= {"ece": {"value": 0.021, **ALONE}, "brier": {"value": 0.064, **ALONE}}
    return [
        {"part": "", "facet": facet, "label": "", "metric": metric, "n": 320, **found}
        for metric, found in figures.items()
    ]


def label_rows(facet, name, chance):
    value, n_true = chance.uniform(0.35, 0.85), chance.randint(3, 90)
    figures = scores(value)
    alone = {
        "given": chance.randint(8, 90),
        "average_precision": value,
        "brier": 0.05,
        "ece": 0.018,
    }
    figures |= {metric: {"value": found, **ALONE} for metric, found in alone.items()}
    return [
        {"part": "", "facet": facet, "label": name, "metric": metric, "n": 480}
        | {"n_true": n_true, **found}
        for metric, found in figures.items()
    ]
