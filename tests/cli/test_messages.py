"""Messages speak of what the user typed: `--text-column`, not `text_column`."""

import ast
import re
from pathlib import Path

import click

import textclass
from textclass.cli.main import cli

SOURCES = sorted(Path(textclass.__file__).parent.rglob("*.py"))


def commands(command, context=None):
    context = click.Context(command, parent=context, info_name=command.name)
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), context)


def parameter_names():
    """Names in Python that no option bears: those of two words."""
    return {p.name for command in commands(cli) for p in command.params if "_" in p.name}


def messages(path):
    """Every text in an exception that is raised, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and node.exc is not None:
            for part in ast.walk(node.exc):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.lineno, part.value


def test_commands_have_options_of_several_words():
    assert {"text_column", "target_precision"} <= parameter_names()


def test_no_message_names_a_parameter_of_python():
    names = parameter_names()
    told = [
        f"{path.name}, line {line}: {text}"
        for path in SOURCES
        for line, text in messages(path)
        if names & set(re.findall(r"\w+", text))
    ]
    assert not told
