"""The `textclass` command, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

import click

from textclass import __version__
from textclass.cli import corpus, evaluate, labels, model, predict, review, tag, train
from textclass.errors import TextclassError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells report it."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 error, 2 wrong usage, 3 done but something set aside or read in "
    "part, 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--no-color", is_flag=True, help="No colour; NO_COLOR and TERM=dumb do the same.")
def cli(*, no_color: bool) -> None:
    """Tag texts by diplomacy type and by the principles at work.

    Try: textclass predict "Surgeons from the navy ship trained local nurses."

    Shell completion: eval "$(_TEXTCLASS_COMPLETE=bash_source textclass)", or zsh_source.
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"


for command in (
    predict.predict,
    tag.tag,
    review.review,
    train.train,
    evaluate.evaluate,
    labels.labels,
    model.model,
    corpus.corpus,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line and exit."""
    # Words and results hold no cycles: looking for some so often would be a tenth of a tagging.
    gc.set_threshold(50_000)
    try:
        code = cli(prog_name="textclass", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except TextclassError as error:
        click.echo(f"textclass: {error}", err=True)
        code = 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("textclass: interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader went away (head, a pager): end quietly, and keep Python from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
