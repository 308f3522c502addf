import subprocess
import sys

import pytest

import textclass


def test_every_public_name_is_there():
    for name in textclass.__all__:
        assert getattr(textclass, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        textclass.guess  # noqa: B018 -- asking for it is the test


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, textclass; print(sorted({'numpy', 'spacy', 'sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
