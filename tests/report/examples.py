"""Results and figures of the shapes that the rest of the program writes, made from a seed."""

import random

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
        "id": "a1",
        "path": "inbox/scan.pdf",
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
    """Metrics as the evaluation writes them; `text` makes each free text from a plain one."""
    taxonomy = taxonomy or small_taxonomy()
    chance = random.Random(seed)
    lead = taxonomy.names[0]
    body = text("Relief convoys reached both sides of the line.")
    return {
        "model": text("default@1a2b3c"),
        "corpus": {
            "paths": [text("dev_gold.jsonl")],
            "passages": 480,
            "documents": 211,
            "fingerprint": text("c0ffee"),
            "leaks": [],
        },
        "facets": {f.name: facet_metrics(f, chance) for f in taxonomy},
        "labels": [label_metrics(f.name, name, chance) for f in taxonomy for name in f.names],
        "baselines": [
            {
                "name": text(name),
                "facets": {f.name: {"micro_f1": estimate(value)} for f in taxonomy},
            }
            for name, value in (("always none", 0.0), ("keyword cues", 0.41), ("word TF-IDF", 0.62))
        ],
        "slices": [
            {
                "column": text("source"),
                "value": text(value),
                "passages": 120,
                "facets": {
                    f.name: {"micro_f1": estimate(chance.uniform(0.4, 0.8))} for f in taxonomy
                },
            }
            for value in ("ungd", "reliefweb", "cables")
        ],
        "confusions": [
            {"facet": f.name, "true": true, "given": given, "count": chance.randint(1, 14)}
            for f in taxonomy
            for true in (*f.names[:9], "none")
            for given in (*f.names[:7], "none")
            if true != given
        ],
        "risk_coverage": {f.name: risk_coverage(n) for n, f in enumerate(taxonomy)},
        "faithfulness": {"cases": 412, "dropped": 401, "share": 401 / 412, "control_share": 0.061},
        "worst_errors": [
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
        "comparison": [
            {
                "model": text("older@77aa"),
                "facets": {
                    f.name: {
                        "difference": {"value": 0.031, "low": -0.004, "high": 0.066},
                        "p": 0.041,
                    }
                    for f in taxonomy
                },
            }
        ],
        "bootstrap": {"samples": 1000, "unit": "document"},
    }


def facet_metrics(facet, chance):
    value = chance.uniform(0.55, 0.75)
    names = list(facet.names)
    return {
        "micro": scores(value),
        "macro": {**scores(value - 0.05), "labels": names[:-1], "left_out": names[-1:]},
        "exact_match": estimate(0.58),
        "any": scores(0.8),
        "support": 320,
        "ece": 0.021,
        "brier": 0.064,
    }


def label_metrics(facet, name, chance):
    value = chance.uniform(0.35, 0.85)
    edges = [n / 10 for n in range(11)]
    return {
        "name": name,
        "facet": facet,
        "support": chance.randint(8, 90),
        "predicted": chance.randint(8, 90),
        **scores(value),
        "average_precision": estimate(value + 0.05),
        "threshold": round(chance.uniform(0.3, 0.6), 3),
        "ece": 0.018,
        "brier": 0.05,
        "reliability": [
            {
                "low": low,
                "high": low + 0.1,
                "mean": low + 0.05 if n != 7 else None,
                "share": min(max(low + 0.05 + chance.gauss(0, 0.05), 0), 1) if n != 7 else None,
                "count": 0 if n == 7 else int(200 / (n + 1) ** 1.3),
            }
            for n, low in enumerate(edges[:-1])
        ],
        "sweep": [
            {
                "threshold": t,
                "precision": None if t > 0.95 else min(0.3 + 0.65 * t, 1),
                "recall": 1 - t**1.5,
                "f1": value * (1 - abs(t - 0.45)),
            }
            for t in (n / 20 for n in range(1, 20))
        ],
        "target_precision": {
            "target": 0.9,
            "reached": "unclear",
            "value": 0.91,
            "low": 0.84,
            "high": 0.96,
        }
        if chance.random() < 0.4
        else None,
    }


def risk_coverage(number):
    curve = [{"coverage": n / 40, "precision": 0.99 - 0.3 * (n / 40) ** 2} for n in range(1, 41)]
    return {"curve": curve, "at_95": None if number else {"coverage": 0.37, "precision": 0.951}}
