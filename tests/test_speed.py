"""Speed and memory, by ratios with slack: `make bench` has the figures."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from spacy.lang.en import English

from textclass.language import Tokenizer
from textclass.tagger import Tagger

ROOT = Path(__file__).parent.parent
WRITTEN = sorted((ROOT / "corpus/written").glob("*.jsonl"))


@pytest.fixture(scope="module")
def texts():
    lines = [line for path in WRITTEN for line in path.read_text(encoding="utf-8").split("\n")]
    return [json.loads(line)["text"] for line in lines if line]


@pytest.fixture(scope="module")
def tagger(toy_model):
    return Tagger.load(toy_model.path)


def best_seconds(work, repeats: int = 5) -> float:
    """Least processor time of some runs: noise only ever adds."""
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def test_words_are_spacys_tokens_on_the_whole_written_corpus(texts):
    spacy, tokenizer = English().tokenizer, Tokenizer()
    quotes = str.maketrans("\u2018\u2019\u201b\u00b4\u201c\u201d\u201e", "''''\"\"\"")
    digits = str.maketrans("123456789", "000000000")
    compared = 0
    for text in texts:
        folded = text.translate(quotes)
        # What NFKC changes, and runs that are cut, spaCy would read otherwise: that is meant.
        if not folded.isascii() or max(map(len, folded.split())) >= 64:
            continue
        batch = tokenizer.read([text])
        # The tokens' own lower case: white space between chunks doesn't change them.
        tokens = [t.text.lower().translate(digits) for t in spacy(" ".join(folded.split()))]
        expected = [token for token in tokens if any(map(str.isalnum, token))]
        assert [tokenizer.words[i] for i in batch.ids] == expected
        compared += 1
    assert compared > len(texts) / 2


def test_scoring_keeps_ahead_of_spacys_tokenizer_on_text_new_to_both(texts, toy_model):
    spacy, tagger = English().tokenizer, Tagger.load(toy_model.path)
    spacy("warm up"), tagger.score(["The ship's crew, all 1,200 of them (re)joined at 5:30p.m."])
    texts = texts[::2]
    # A first reading can't be repeated; processor time is steady enough for this slack.
    alone = best_seconds(lambda: [spacy(text) for text in texts], repeats=1)
    cold = best_seconds(lambda: score(tagger, texts), repeats=1)
    assert cold < 1.3 * alone
    warm = best_seconds(lambda: score(tagger, texts), repeats=3)
    assert 2 * warm < alone


def score(tagger, texts) -> None:
    for first in range(0, len(texts), 256):
        tagger.score(texts[first : first + 256])


def test_evidence_costs_less_than_twice_the_time_again(texts, tagger):
    texts = texts[::4]
    without = best_seconds(lambda: list(tagger.tag_many(texts, evidence=False)))
    with_it = best_seconds(lambda: list(tagger.tag_many(texts)))
    assert 0.3 * with_it < without


_STREAM = """
import sys
from textclass.language import Tokenizer, tokenizer
from textclass.tagger import Tagger

def passages(count):
    for number in range(count):
        yield " ".join(f"w{number}x{i}-{chr(97 + i % 26) * 3}(a)" for i in range(12))

tokenizer._MAX_LEXEMES = 2000
tagger = Tagger.load(sys.argv[1])
tagger.scorer.tokenizer = Tokenizer(max_chunks=2000)
for seen, _ in enumerate(tagger.tag_many(passages(3000)), 1):
    if seen in (600, 3000):
        status = open("/proc/self/status", encoding="utf-8").read()
        print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_flat_however_long_the_stream(toy_model):
    command = [sys.executable, "-c", _STREAM, str(toy_model.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    soon, late = map(float, done.stdout.split())
    # Every passage brings twelve chunks that no other has: without bounds 14 MB more.
    assert late < soon + 8
