import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.en import English

from textclass.language import Tokenizer

SPACY = English().tokenizer

TRICKY = [
    "The U.S. Ambassador's Ph.D. wasn't (re)issued; see 3,000km e.g. at 5:30p.m.",
    "I'm gonna say: cannot, can't, won't... «oui» — “yes”, it’s 10km/h!",
    "www.example.org/a?b=c me@example.org :-) 8) C++ R&D AT&T x-ray/y-axis",
    "co-operation state-of-the-art mid-'90s rock'n'roll O'Neill's the'90s",
    "1.2.3 (a)(b)[c] $5.00 £3m 50% #tag @name i.e., etc. Mr. J.R.R. Tolkien",
]


def words_of(text: str) -> list[str]:
    tokenizer = Tokenizer()
    batch = tokenizer.read([text])
    return [tokenizer.words[i] for i in batch.ids]


def spacy_words(text: str) -> list[str]:
    digits = str.maketrans("123456789", "000000000")
    words = [token.text.lower().translate(digits) for token in SPACY(text)]
    return [word for word in words if any(map(str.isalnum, word))]


@pytest.mark.parametrize("text", TRICKY)
def test_words_are_spacys_tokens(text):
    # Quotes are folded before spaCy sees them, so spaCy gets them folded here too.
    folded = text.translate(str.maketrans("\u2018\u2019\u201c\u201d", "''\"\""))
    assert words_of(text) == spacy_words(folded)


@given(st.text(alphabet="abcXYZ .,'-()!?:;/&%$0159@_", max_size=63))
def test_words_are_spacys_tokens_on_any_plain_text(text):
    assert words_of(text) == spacy_words(text)


PARTS = [
    *filter(str.isascii, SPACY.rules),
    *"a A U US Us us word CAPITALS 5 21 1,000 2.5 $ km pm 's 'S".split(),
]
MARKS = [*"([\"']),;:!?.-\u2013\u2014", "", ".)", ").", '."']


@given(st.lists(st.sampled_from(MARKS) | st.sampled_from(PARTS), max_size=6).map("".join))
def test_words_in_marks_are_spacys_tokens(chunk):
    assert words_of(chunk[:63]) == spacy_words(chunk[:63])


@given(st.lists(st.text(max_size=40), max_size=5))
def test_offsets_lead_back_to_the_same_words(texts):
    tokenizer = Tokenizer()
    batch = tokenizer.read(texts)
    for i, text in enumerate(texts):
        part = slice(batch.starts[i], batch.starts[i + 1])
        begins, ends = batch.begins[part], batch.ends[part]
        assert (begins[:-1] <= begins[1:]).all()
        assert ((begins >= 0) & (begins < ends) & (ends <= len(text))).all()
        for word, start, end in zip(batch.ids[part], begins, ends, strict=True):
            original = unicodedata.normalize("NFKC", text[start:end]).lower()
            letters = [c for c in tokenizer.words[word] if c.isalpha()]
            assert set(letters) <= set(unicodedata.normalize("NFKC", original.lower()))


def test_invisible_and_broken_characters_leave_the_words_readable():
    assert words_of("hu\u200bman\u00ad rights\x00 \ud800now \ufeffcafe\u0301 ﬁnal Ｗｉｄｅ") == [
        "human",
        "rights",
        "now",
        "café",
        "final",
        "wide",
    ]


@pytest.mark.parametrize("hyphen", ["\u2010", "\u2011", "\u2212"])
@pytest.mark.parametrize(
    "text", ["the (human-rights) dialogue's co-chair.", "x-ray 1990-95 -5 mid-'90s A4-size"]
)
def test_hyphens_of_every_kind_cut_words_alike(hyphen, text):
    plain, other = (Tokenizer(), Tokenizer())
    one, two = plain.read([text]), other.read([text.replace("-", hyphen)])
    assert plain.words == other.words
    assert (one.begins.tolist(), one.ends.tolist()) == (two.begins.tolist(), two.ends.tolist())


def test_offsets_stand_in_code_points_after_an_emoji():
    text = "🕊️ peace talks 🤝 resumed"
    tokenizer = Tokenizer()
    batch = tokenizer.read([text])
    assert [text[a:b] for a, b in zip(batch.begins, batch.ends, strict=True)] == [
        "peace",
        "talks",
        "resumed",
    ]
    assert tokenizer.words == ["peace", "talks", "resumed"]


@pytest.mark.parametrize("run", ["(", "_", "!", "'", "…", ")", "-", ".", "a", "\u0301"])
def test_runs_of_one_character_take_linear_time(run):
    def seconds(length: int) -> float:
        text = run * length
        best = float("inf")
        for _ in range(2):
            start = time.perf_counter()
            Tokenizer().read([text])
            best = min(best, time.perf_counter() - start)
        return best

    seconds(1_000)
    # Quadratic time would take ten thousand times as long; linear takes a hundred times.
    assert seconds(1_000_000) < 1_000 * max(seconds(10_000), 1e-3)


def test_the_cache_is_bounded_and_ids_start_anew():
    tokenizer = Tokenizer(max_chunks=50)
    first = tokenizer.generation
    for number in range(20):
        tokenizer.read([" ".join(f"word{number}x{i}" for i in range(10))])
        assert len(tokenizer.words) <= 70
    assert tokenizer.generation > first
    batch = tokenizer.read(["again word"])
    assert [tokenizer.words[i] for i in batch.ids] == ["again", "word"]


def test_long_chunks_do_not_fill_the_cache():
    tokenizer = Tokenizer(max_chunks=100)
    for number in range(5):
        tokenizer.read([f"{number}" * 10_000])
    assert tokenizer.generation >= 2


def test_no_text_and_empty_texts():
    tokenizer = Tokenizer()
    assert tokenizer.read([]).starts.tolist() == [0]
    assert tokenizer.read(["", "  ", "one two", ""]).starts.tolist() == [0, 0, 0, 2, 2]
