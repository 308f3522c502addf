"""Text to sparse features, as a scikit-learn transformer for anybody's pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from textclass.language import (
    FeatureSpec,
    Tokenizer,
    count_words,
    each_text,
    feature_keys,
    neighbours,
    pair_keys,
    word_keys,
)
from textclass.learning.vectors import word_vectors
from textclass.model import find_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray


_COUNT = Interval(Integral, 1, None, closed="left")
_WEIGHT = Interval(Real, 0, None, closed="left")


class TextTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """What turns texts, rather than matrices, into features."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


class WordFeatures(TextTransformer):
    """Character n-grams inside words, the words, and pairs of neighbours, weighted word by word.

    A passage with distinct words u, each seen tf(u) times, has for a feature g of words the value
    sum over u of (1 + ln tf(u)) count(g, u) idf(g) / n, with
    n = sqrt(sum over u of ((1 + ln tf(u)) idf(u))²), and for a pair of neighbours that it holds
    idf / n. Word vectors v learnt from the same texts add
    sum over u of (1 + ln tf(u)) idf(u) v(u) / n. Every idf is scikit-learn's smoothed
    ln((1 + N) / (1 + df)) + 1. A linear model on these features is additive over words and pairs.

    Parameters
    ----------
    shortest, longest : int
        Lengths of the character n-grams, the word's borders counted.
    word_weight, bigram_weight : float
        Factors of the values of whole words and of pairs; 0 leaves them out.
    vector_size : int
        Length of the word vectors; 0 leaves them out.
    vector_weight : float
        Factor of their values.
    min_df : int
        In how many passages a feature must stand.
    random_state : int
        Of the randomized SVD that makes the vectors.

    Attributes
    ----------
    feature_keys_ : ndarray of uint64, shape (n_word_features,)
        64-bit keys of n-grams and words, rising: the first columns of the matrix.
    feature_scale_ : ndarray of float64, shape (n_word_features,)
        idf times weight.
    bigram_keys_ : ndarray of uint64, shape (n_bigrams,)
        Keys of the pairs, rising: the next columns.
    bigram_scale_ : ndarray of float64, shape (n_bigrams,)
    vocabulary_ : list of str
        The words of the texts, as the names of the features need them.
    bigram_words_ : ndarray of int64, shape (n_bigrams, 2)
        Places in `vocabulary_` of the words of each pair.
    word_keys_ : ndarray of uint64, shape (n_words,)
        Keys of the words in at least two passages (or in all, if there is one), rising.
    word_idf_ : ndarray of float32, shape (n_words,)
    word_vectors_ : ndarray of float64, shape (n_words, vector_size)
        idf and weight included; their sum makes the last columns.
    unseen_idf_ : float
        idf of any other word.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "shortest": [_COUNT],
        "longest": [_COUNT],
        "word_weight": [_WEIGHT],
        "bigram_weight": [_WEIGHT],
        "vector_size": [Interval(Integral, 0, None, closed="left")],
        "vector_weight": [_WEIGHT],
        "min_df": [_COUNT],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        shortest: int = 4,
        longest: int = 6,
        word_weight: float = 2.0,
        bigram_weight: float = 2.0,
        vector_size: int = 150,
        vector_weight: float = 1.0,
        min_df: int = 4,
        random_state: int = 0,
    ) -> None:
        self.shortest = shortest
        self.longest = longest
        self.word_weight = word_weight
        self.bigram_weight = bigram_weight
        self.vector_size = vector_size
        self.vector_weight = vector_weight
        self.min_df = min_df
        self.random_state = random_state

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.shortest > self.longest:
            raise ValueError(
                f"shortest={self.shortest} is more than longest={self.longest}: no n-gram is left"
            )

    @property
    def spec(self) -> FeatureSpec:
        """Which features a passage has."""
        return FeatureSpec(self.shortest, self.longest, self.word_weight, self.bigram_weight)

    def fit(self, X: Iterable[str], y: object = None) -> Self:  # noqa: ARG002, N803 -- scikit-learn's names
        """Learn the features and their idf.

        Parameters
        ----------
        X : iterable of str
        y : ignored
        """
        self._validate_params()
        return self._fit(_Passages(X))

    def fit_transform(self, X: Iterable[str], y: object = None) -> sparse.csr_matrix:  # noqa: ARG002, N803 -- scikit-learn's names
        """Learn the features of texts and return them, the texts read once."""
        self._validate_params()
        passages = _Passages(X)
        return self._fit(passages)._transform(passages)

    def transform(self, X: Iterable[str]) -> sparse.csr_matrix:  # noqa: N803 -- scikit-learn's name
        """Return the features of texts, sparse, shape (n_texts, n_features)."""
        check_is_fitted(self)
        return self._transform(_Passages(X))

    def _fit(self, passages: _Passages) -> Self:
        n_texts, counts = passages.n_texts, passages.counts
        least = min(self.min_df, n_texts)
        df = np.bincount(counts.words, minlength=len(passages.words))
        known = np.flatnonzero(df >= min(2, n_texts))
        known = known[np.argsort(passages.keys[known])]
        self.word_keys_ = passages.keys[known]
        self.word_idf_ = _idf(df[known], n_texts).astype(np.float32)
        self.unseen_idf_ = float(_idf(np.zeros(1), n_texts)[0])
        self.vocabulary_ = list(passages.words)

        presence = passages.matrix(np.ones(len(counts.words)))
        keys, owners = self._features_of(passages.words)
        keys, first, columns = np.unique(keys, return_index=True, return_inverse=True)
        of_words = _matrix(np.ones(len(owners)), owners, columns, (len(passages.words), len(keys)))
        df = np.bincount((presence @ of_words).indices, minlength=len(keys))
        kept = np.flatnonzero(df >= least)
        # Words themselves come after all their n-grams.
        n_grams = len(owners) - len(passages.words) if self.word_weight else len(owners)
        self.feature_keys_ = keys[kept]
        self.feature_scale_ = _idf(df[kept], n_texts)
        self.feature_scale_ *= np.where(first[kept] >= n_grams, self.word_weight, 1.0)

        keys, first, df = np.unique(passages.pair_keys, return_index=True, return_counts=True)
        kept = np.flatnonzero(df >= least) if self.bigram_weight else np.zeros(0, dtype=np.int64)
        self.bigram_keys_ = keys[kept]
        self.bigram_words_ = passages.pair_words[first[kept]]
        self.bigram_scale_ = self.bigram_weight * _idf(df[kept], n_texts)

        self.word_vectors_ = np.zeros((len(known), self.vector_size))
        if self.vector_size:
            words, vectors = word_vectors(
                presence[:, known], size=self.vector_size, seed=self.random_state
            )
            scale = self.vector_weight * self.word_idf_[words, None]
            self.word_vectors_[words] = scale * vectors
        return self

    def _transform(self, passages: _Passages) -> sparse.csr_matrix:
        counts, words = passages.counts, passages.words
        idf = np.full(len(words), self.unseen_idf_)
        found, index = find_keys(self.word_keys_, passages.keys)
        idf[found] = self.word_idf_[index]
        weights = counts.weights.astype(np.float64)
        squares = (weights * idf[counts.words]) ** 2
        norms = np.sqrt(np.bincount(counts.passages, weights=squares, minlength=passages.n_texts))
        norms[norms == 0] = 1
        in_texts = passages.matrix(weights / norms[counts.passages])
        keys, owners = self._features_of(words)
        places, columns = find_keys(self.feature_keys_, keys)
        shape = (len(words), len(self.feature_keys_))
        of_words = _matrix(self.feature_scale_[columns], owners[places], columns, shape)
        places, columns = find_keys(self.bigram_keys_, passages.pair_keys)
        rows, shape = passages.pair_passages[places], (passages.n_texts, len(self.bigram_keys_))
        of_pairs = _matrix(self.bigram_scale_[columns] / norms[rows], rows, columns, shape)
        parts = [in_texts @ of_words, of_pairs]
        if self.vector_size:
            vectors = np.zeros((len(words), self.vector_size))
            vectors[found] = self.word_vectors_[index]
            parts.append(sparse.csr_matrix(in_texts @ vectors))
        features = sparse.hstack(parts, format="csr")
        features.sort_indices()
        return features

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 -- scikit-learn's signature
        """Return names to read: `chars:^conv`, `word:convoy`, `pair:cease fire`, `vector:12`.

        `^` and `$` are the borders of a word. Made when asked for: the features have keys alone.
        """
        check_is_fitted(self)
        names = np.empty(len(self.feature_keys_), dtype=object)
        words = self.vocabulary_
        bordered = [f"^{word}$" for word in words]
        strings: list[list[str]] = [
            [f"chars:{word[i : i + n]}" for word in bordered for i in range(len(word) - n + 1)]
            for n in range(self.shortest, self.longest + 1)
        ]
        strings += [[f"word:{word}" for word in words]]
        for (keys, _), named in zip(feature_keys(words, self.spec), strings, strict=False):
            found, index = find_keys(self.feature_keys_, keys)
            names[index] = np.array(named, dtype=object)[found]
        pairs = [f"pair:{words[one]} {words[two]}" for one, two in self.bigram_words_]
        vectors = [f"vector:{i}" for i in range(self.vector_size)]
        return np.array([*names, *pairs, *vectors], dtype=object)

    def _features_of(self, words: Sequence[str]) -> list[NDArray[Any]]:
        """Return the key of every feature of every word, and the number of its word."""
        return [
            np.concatenate(parts) for parts in zip(*feature_keys(words, self.spec), strict=True)
        ]


class _Passages:
    """The words of some texts, counted; a pair stands once for each text that holds it."""

    def __init__(self, given: Iterable[str]) -> None:
        texts, tokenizer = checked_texts(given), Tokenizer()
        batch = tokenizer.read(texts)
        self.n_texts, self.words = len(texts), tokenizer.words
        self.keys, self.counts = word_keys(self.words), count_words(batch)
        places, passages = neighbours(batch)
        pairs = (batch.ids[places].astype(np.int64) << 32) | batch.ids[places + 1]
        unique, index = np.unique(pairs, return_inverse=True)
        distinct = np.unique((passages << 32) | index)
        pair = unique[distinct & 0xFFFFFFFF]
        self.pair_words = np.column_stack([pair >> 32, pair & 0xFFFFFFFF])
        self.pair_keys = pair_keys(*self.keys[self.pair_words].T)
        self.pair_passages = distinct >> 32

    def matrix(self, values: NDArray[np.float64]) -> sparse.csr_matrix:
        """Return values of the pairs of text and distinct word as a matrix, (n_texts, n_words)."""
        shape = (self.n_texts, len(self.words))
        return sparse.csr_matrix((values, self.counts.words, self.counts.starts), shape=shape)


def checked_texts(texts: Iterable[str]) -> list[str]:
    """Return texts as a list, or say why they are none."""
    if isinstance(texts, str):
        raise ValueError("an iterable of texts was expected, not one text")
    if hasattr(texts, "columns"):
        raise ValueError("texts were expected, not a table; pass one column: frame['text']")
    checked = list(each_text(texts))
    if not checked:
        raise ValueError("0 texts were given, at least 1 is needed")
    return checked


def _matrix(
    values: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], shape: tuple[int, int]
) -> sparse.csr_matrix:
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)


def _idf(df: NDArray[Any], n_texts: int) -> NDArray[np.float64]:
    """Smoothed inverse document frequency, as scikit-learn's `TfidfTransformer`."""
    idf: NDArray[np.float64] = np.log((1 + n_texts) / (1 + df)) + 1
    return idf
