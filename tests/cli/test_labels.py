import json

from tests.conftest import TOY_LABELS
from textclass.taxonomy import Taxonomy


def test_shipped_labels(textclass):
    out = textclass("labels").out
    assert all(name in out for name in Taxonomy.load().names)
    assert Taxonomy.from_dict(json.loads(textclass("labels", "--json").out)) == Taxonomy.load()


def test_labels_of_a_file_and_of_a_model(textclass, tmp_path, toy_model):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    from_file = textclass("labels", "--labels", "labels.yaml", "--json").out
    assert from_file == textclass("labels", "--model", toy_model.path, "--json").out


def test_a_faulty_file_is_told_with_its_lines(textclass, tmp_path):
    (tmp_path / "labels.yaml").write_text(
        "facets:\n- name: id\n  labels:\n  - {name: 'a;b', definition: d}\n"
    )
    err = textclass("labels", "--labels", "labels.yaml", check=1).err
    assert "line 2: facet 'id'" in err
    assert "line 4: " in err
