"""Label combinations that the guideline rules out or asks for, each with its reason.

A rule finds rows for a person to look at; there can be good reasons for an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from textclass.corpora.rows import Corpus, Row


@dataclass(frozen=True)
class Rule:
    """A combination of labels that speaks against the guideline.

    Attributes
    ----------
    labels : tuple of str
        All of these are given,
    without : tuple of str
        none of these is,
    words : str
        and the text matches this pattern, where there is one.
    reason : str
    """

    labels: tuple[str, ...]
    reason: str
    without: tuple[str, ...] = ()
    words: str = ""

    def applies(self, row: Row) -> bool:
        """Return whether the row has this combination."""
        given = row.labels or frozenset()
        return (
            given.issuperset(self.labels)
            and given.isdisjoint(self.without)
            and bool(re.search(self.words, row.text, re.IGNORECASE))
        )


RULES = (
    Rule(
        ("compassionate", "dialogue"),
        "compassionate is a service given; talks and mediation are humanitarian or no type",
        without=("humanitarian",),
    ),
    Rule(
        ("compassionate", "independence"),
        "compassionate is a government's gift; independence is autonomy from governments",
        without=("humanitarian",),
    ),
    Rule(
        ("compassionate", "neutrality"),
        "a gift that wins hearts and minds takes no stand on the sides of a conflict",
        without=("humanitarian",),
    ),
    Rule(
        ("human-rights", "unity"),
        "unity is one Red Cross or Red Crescent movement; national unity is no tag",
    ),
    Rule(
        ("compassion", "accountability"),
        "a gift out of concern has no conditions; conditions on aid are accountability alone",
    ),
    Rule(
        ("impartiality",),
        "impartiality is aid by need alone; praise of an official's impartiality is no tag",
        without=("humanitarian", "compassionate", "unity", "independence"),
    ),
    Rule(
        ("human-rights",),
        "anti-apartheid and racial oppression are human-rights and equality",
        without=("equality",),
        words=r"\bapartheid\b|\bracial (?:oppression|discrimination)",
    ),
    Rule(
        ("human-rights",),
        "death penalty, corporal punishment and trafficking are human-rights and dignity",
        without=("dignity",),
        words=r"\b(?:death penalt|capital punishment|corporal punishment|flogging)"
        r"|\btrafficking in (?:persons|human)|\bhuman trafficking",
    ),
    Rule(
        ("human-rights",),
        "freedom from arbitrary detention and torture is liberty",
        without=("liberty", "dignity", "justice", "accountability"),
        words=r"\btortur|\barbitrar(?:y|ily) (?:arrest|detain|detention)",
    ),
)
"""From the guideline's definitions and its decisions on hard cases."""


def broken_rules(corpus: Corpus) -> list[tuple[Row, Rule]]:
    """Return the rows that a rule applies to; rules on labels of other taxonomies are left out."""
    known = corpus.taxonomy.columns
    rules = [rule for rule in RULES if all(name in known for name in rule.labels + rule.without)]
    return [(row, rule) for rule in rules for row in corpus.rows if row.hard and rule.applies(row)]
