"""`nlp.add_pipe("textclass")`: the tags of a model as a component of a spaCy pipeline.

spaCy imports this module for every pipeline that it makes, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spacy.language import Language
from spacy.pipeline.pipe import Pipe
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.util import minibatch, registry

if TYPE_CHECKING:
    from spacy.training import Example
    from spacy.vocab import Vocab

    from textclass.results import PassageTags
    from textclass.tagger import Tagger

NAME = "textclass"
"""Of the factory, and of a component that isn't given another."""

# Documents that were saved with their tags have them where no component is made, too.
if not Doc.has_extension(NAME):
    Doc.set_extension(NAME, default=None)


@Language.factory(
    NAME,
    assigns=["doc.cats", f"doc._.{NAME}", "doc.spans"],
    default_config={"model": "default", "scorer": {"@scorers": "textclass.decision_scorer.v1"}},
    default_score_weights={"cats_micro_f": 1.0},
)
def make_textclass(
    nlp: Language, name: str, model: str, scorer: Callable[..., Any]
) -> TextclassComponent:
    """Make the component: `model` is the name of a model that ships, or a model folder."""
    return TextclassComponent(nlp.vocab, name, model=model, scorer=scorer)


@registry.scorers("textclass.decision_scorer.v1")  # type: ignore[untyped-decorator]  # spaCy's
def _make_scorer() -> Callable[..., dict[str, Any]]:
    return score_decisions


def score_decisions(
    examples: Iterable[Example],
    *,
    key: str = NAME,
    **kwargs: Any,  # noqa: ANN401 -- spaCy's own arguments
) -> dict[str, Any]:
    """Score the labels given, each by its own threshold, as `spacy evaluate` shows them.

    The figures of a component of another name (`key`) than `textclass` begin with `cats_<name>_`.
    """
    examples = list(examples)
    predicted = {id(example.predicted) for example in examples}

    def moved(doc: Doc, _attribute: str) -> Mapping[str, float]:
        """Move what was predicted so that all given stands above one half, the rest below."""
        tags = doc._.get(key) if id(doc) in predicted else None
        if tags is None:
            return cast(Mapping[str, float], doc.cats)
        return {
            f"{facet}.{label}": (p + 2 * (label in tags[facet])) / 3
            for facet, scores in tags["scores"].items()
            for label, p in scores.items()
        }

    prefix = "cats" if key == NAME else f"cats_{key}"
    return dict(Scorer.score_cats(examples, prefix, getter=moved, multi_label=True, **kwargs))


class TextclassComponent(Pipe):
    """Tags each whole text as one passage; for long documents use `Tagger.tag_document`.

    `doc.cats` gets the probability of every label (`type.humanitarian`), `doc._.textclass` the
    result row of the passage as plain data (`doc._.textclass["type"]` lists the types given), and
    `doc.spans["textclass"]` the words that decided for each label given, ready for displaCy:
    ``displacy.render(doc, style="span", options={"spans_key": "textclass"})``. A component of
    another name, such as the second of two models, writes under its name instead: `doc._.second`,
    `doc.spans["second"]`; the label that two models have is in `doc.cats` as the later gives it.

    Parameters
    ----------
    vocab : Vocab
    name : str
    model : str, keyword-only
        Name of a model that ships, or a model folder. It is read when it is first needed.
    scorer : callable, keyword-only
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = NAME,
        *,
        model: str | Path = "default",
        scorer: Callable[..., Any] = score_decisions,
    ) -> None:
        self.vocab, self.name, self.model, self.scorer = vocab, name, model, scorer
        self.cfg = {"key": name}  # what spaCy gives the scorer
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)
        self._tagger: Tagger | None = None
        self._files: dict[str, bytes] = {}

    @property
    def tagger(self) -> Tagger:
        """The tagger, read from its model folder at the first use."""
        if self._tagger is None:
            from textclass.tagger import Tagger

            self._tagger = Tagger.load(self.model)
        return self._tagger

    @property
    def labels(self) -> tuple[str, ...]:
        """The keys of `doc.cats`; none while a pipeline is loaded whose model isn't read yet."""
        from textclass.errors import ModelError

        # spaCy asks before `from_disk`, when the folder of the model may be another machine's.
        with suppress(ModelError):
            return self.tagger.taxonomy.score_columns
        return ()

    def __call__(self, doc: Doc) -> Doc:
        """Tag one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Tag documents, a batch at a time."""
        for docs in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]  # spaCy's
            try:
                tagged = self.tagger.tag_many([doc.text for doc in docs], batch_size=batch_size)
                for doc, tags in zip(docs, tagged, strict=True):
                    self._annotate(doc, tags)
            except Exception as error:  # noqa: BLE001 -- spaCy lets users choose what becomes of it
                self.get_error_handler()(self.name, self, docs, error)
            else:
                yield from docs

    def _annotate(self, doc: Doc, tags: PassageTags) -> None:
        doc.cats.update(zip(self.labels, tags.probabilities, strict=True))
        doc._.set(self.name, tags.to_dict())
        spans = (
            doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand")
            for e in tags.evidence
            if e.weight > 0
        )
        doc.spans[self.name] = list(filter(None, spans))

    def to_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> None:  # noqa: ARG002 -- spaCy's signature
        """Copy the model folder into `path`, under its own name."""
        from textclass.model import load_folder

        folder = Path(path) / self.tagger.model.name.rpartition("@")[0]
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (self._files or load_folder(self.model).files()).items():
            (folder / name).write_bytes(content)

    def from_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> TextclassComponent:  # noqa: ARG002 -- spaCy's signature
        """Read what `to_disk` wrote, with every check of a model folder."""
        from textclass.model import load_folder
        from textclass.tagger import Tagger

        self.model = next((file.parent for file in Path(path).glob("*/manifest.json")), Path(path))
        folder = load_folder(self.model)
        # Kept, since the folder may be gone when the pipeline is saved again.
        self._files, self._tagger = folder.files(), Tagger.load(folder)
        return self
