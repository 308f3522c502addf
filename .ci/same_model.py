"""Check that two model folders hold the same model: `same_model.py MODEL OTHER CORPUS`.

On one machine a corpus gives the same bytes. Another processor may add in another order, so that
the last bits differ; then the tags and probabilities of the corpus decide.
"""

import filecmp
import sys

import numpy as np

from textclass import load
from textclass.corpora import read_corpus

MOST_MOVED = 0.02
FEWEST_SAME = 0.98

first, other, corpus = sys.argv[1:]
if not any(filecmp.cmpfiles(first, other, ["manifest.json", "weights.safetensors"])[1:]):
    print("the same model, byte for byte")
    sys.exit()
texts = read_corpus(corpus).texts
taggers = [load(first), load(other)]
one, two = (tagger.score(texts).probabilities for tagger in taggers)
given = [p >= tagger.model.thresholds for p, tagger in zip((one, two), taggers, strict=True)]
moved = float(np.abs(one - two).max())
same = float((given[0] == given[1]).all(axis=1).mean())
print(f"{same:.1%} of passages get the same tags; probabilities differ by at most {moved:.4f}")
sys.exit(moved > MOST_MOVED or same < FEWEST_SAME)
