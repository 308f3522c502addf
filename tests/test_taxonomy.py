import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclass.errors import TaxonomyError
from textclass.taxonomy import Facet, Label, Taxonomy, parse_taxonomy, shipped


def faults_of(text: str) -> str:
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(text)
    return str(caught.value)


def test_shipped_labels_are_the_25_of_the_guideline():
    taxonomy = Taxonomy.load()
    assert taxonomy.names[:4] == ("compassionate", "humanitarian", "human-rights", "citizen")
    assert {name: s.stop - s.start for name, s in taxonomy.slices.items()} == {
        "type": 4,
        "principle": 21,
    }
    assert all(label.definition and label.source and label.cues for label in taxonomy.labels)


def test_all_faults_of_form_are_told_at_once_with_their_lines():
    message = faults_of(
        "facets:\n"
        "  - name: topic\n"
        "    colour: red\n"
        "    labels:\n"
        "      - {name: true, definition: d}\n"
        "      - {name: strict, definition: d, target_precision: 2}\n"
        "      - {name: bare}\n"
        "      - {name: 1.10, definition: d, cues: one}\n"
    )
    assert message == (
        "labels.yaml: line 3: facets[0].colour: unknown key; "
        "line 5: facets[0].labels[0].name: input should be a valid string; "
        "line 6: facets[0].labels[1].target_precision: input should be less than 1; "
        "line 7: facets[0].labels[2].definition: field required; "
        "line 8: facets[0].labels[3].cues: input should be a list; "
        "line 8: facets[0].labels[3].name: input should be a valid string"
    )


def test_all_faults_of_names_are_told_at_once_with_their_lines():
    message = faults_of(
        "facets:\n"
        "  - name: id\n"
        "    labels:\n"
        "      - {name: twice, definition: d}\n"
        "      - {name: twice, definition: d}\n"
        "      - {name: 'a;b', definition: d}\n"
        "  - {name: 7th, labels: [{name: id, definition: d}]}\n"
    )
    assert message == (
        "labels.yaml: line 2: facet 'id' can't be a column of the results: they have one of that "
        "name; "
        "line 5: 'twice' stands twice, first in line 4; "
        "line 6: 'a;b' has a comma, semicolon, bar or stray space; "
        "line 7: 'id' stands twice, first in line 2; "
        "line 7: facet '7th' can't be a column of the results: it may have letters A-Z and a-z, "
        "digits, _ and -, no digit or - first, so that every program takes the name (labels can "
        "have any letters)"
    )


def test_accents_are_the_same_however_they_are_typed():
    text = "facets:\n  - {name: topic, labels: [{name: café, definition: d}]}\n"
    assert parse_taxonomy(unicodedata.normalize("NFD", text)) == parse_taxonomy(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("facets: [", "not valid YAML"),
        ("facets: {a: 1, a: 2}", "duplicate key"),
        ("", "the file"),
        ("- a\n- b\n", "the file"),
        ("facets: []", "at least one facet"),
        ("facets: [{name: f, labels: [{name: x, definition: d, target_precision: 2}]}]", "less"),
    ],
)
def test_files_that_are_no_taxonomy(text, told):
    assert told in faults_of(text)


def test_a_label_may_not_stand_in_two_facets():
    facet = "{{name: {}, labels: [{{name: same, definition: d}}]}}"
    message = faults_of(f"facets:\n- {facet.format('a')}\n- {facet.format('b')}\n")
    assert "'same' stands twice" in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(TaxonomyError, match=r"missing\.yaml: can't be read"):
        Taxonomy.load(tmp_path / "missing.yaml")


def test_an_unknown_label_is_told_with_the_known_ones():
    with pytest.raises(
        TaxonomyError, match=r"unknown label 'peace' \(the labels are compassionate"
    ):
        Taxonomy.load().column("peace")


def test_a_label_is_known_by_its_column_and_in_whatever_case_and_the_nearest_is_told():
    taxonomy = Taxonomy.load()
    place = taxonomy.columns["citizen"]
    assert [taxonomy.column(name) for name in ("type.citizen", "Citizen")] == [place, place]
    with pytest.raises(TaxonomyError, match=r"'citzen' \(did you mean citizen\?\)"):
        taxonomy.column("citzen")


names = st.text("abcdefghij-", min_size=1, max_size=8)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.integers(1, 6))
def test_dict_round_trip_keeps_labels_and_columns(labels, cut):
    facets = [labels[:cut], labels[cut:]]
    taxonomy = Taxonomy(
        tuple(
            Facet(f"facet{i}", tuple(Label(name, "d") for name in part))
            for i, part in enumerate(facets)
            if part
        )
    )
    again = Taxonomy.from_dict(taxonomy.to_dict())
    assert again == taxonomy
    assert [again.names[again.column(name)] for name in labels] == labels
    assert sum(s.stop - s.start for s in again.slices.values()) == len(labels)


def test_shipped_files_are_found():
    assert shipped("labels.yaml").is_file()
