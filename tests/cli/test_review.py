import signal
import socket

from tests.conftest import TOY_LABELS, write_jsonl
from tests.review.conftest import Server, read_jsonl

ROW = {"text": "a ferry", "topic": ["river"], "group": "d"}


def labels(tmp_path):
    (tmp_path / "labels.yaml").write_text(TOY_LABELS)
    return "--labels", tmp_path / "labels.yaml"


def test_what_can_t_be_done_is_told_in_a_line(textclass, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [ROW])
    (tmp_path / "there.jsonl").write_text("mine\n")
    options = labels(tmp_path)
    for arguments, code, told in [
        (["-o", "out.csv"], 2, "written as .jsonl"),
        (["-o", "out.jsonl", "--reader", "../x"], 2, "--reader: up to 40 letters"),
        (["-o", "in.jsonl"], 1, "both an input and an output"),
        (["-o", "there.jsonl"], 1, "there already, and not by a review"),
    ]:
        done = textclass("review", "in.jsonl", *options, *arguments, "--no-browser", check=code)
        assert told in done.err
        assert "Traceback" not in done.err
    assert (tmp_path / "there.jsonl").read_text() == "mine\n"


def test_a_port_that_is_taken_is_told(textclass, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [ROW])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = [*labels(tmp_path), "-o", "out.jsonl", "--no-browser", "--port", port]
        done = textclass("review", "in.jsonl", *options, check=1)
    assert f"port {port} can't be used: Address already in use" in done.err
    assert "--port" in done.err


def test_without_the_extra_the_way_to_get_it_is_told(process, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [ROW])
    (tmp_path / "starlette").mkdir()
    (tmp_path / "starlette" / "__init__.py").write_text(
        "raise ModuleNotFoundError('no', name='starlette')"
    )
    options = [*labels(tmp_path), "-o", "out.jsonl", "--no-browser"]
    done = process("review", "in.jsonl", *options, check=1)
    assert "pip install 'textclass[review]'" in done.err


def test_plain_documents_are_tagged_first_and_ctrl_c_writes_the_corpus(tmp_path, toy_model):
    text = "The ferry fought the current to the far bank, and the boat took on water all the way."
    (tmp_path / "letter.txt").write_text(f"{text}\n\n{text.replace('ferry', 'bakery')}\n" * 3)
    server = Server(tmp_path, "letter.txt", "-m", toy_model.path, "-o", "out.jsonl")
    told = server.stop(signal.SIGINT)
    assert server.process.returncode == 0, told
    assert "out.jsonl: 0 labelled passages" in told
    assert read_jsonl(tmp_path / "out.jsonl.tagged.jsonl")[0]["document"] == "letter.txt"
    assert (tmp_path / "out.jsonl").read_text() == ""


def test_help_tells_the_ways_to_order(textclass):
    assert "unsure|model|order|random" in textclass("review", "--help").out
