"""The review as a process: a port, a token, and a clean end."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable

from textclass.errors import TextclassError, missing_extra
from textclass.review.answers import Exported
from textclass.review.session import Session

HOST = "127.0.0.1"


def serve(session: Session, *, port: int = 0, on_start: Callable[[str], None]) -> Exported:
    """Show a session on a local page until it is stopped with Ctrl-C, then write the corpus.

    Parameters
    ----------
    session : Session
    port : int, keyword-only
        0 takes a free one.
    on_start : callable, keyword-only
        Called with the address, token included, once it answers.

    Returns
    -------
    Exported
        What the last export wrote.

    Raises
    ------
    MissingExtraError
        If starlette or uvicorn isn't installed.
    TextclassError
        If the port is taken.
    """
    try:
        import uvicorn

        from textclass.review.app import make_app
    except ImportError as error:
        raise missing_extra(error.name or "starlette", "review") from error

    token = secrets.token_urlsafe(24)
    with _listen(port) as listener:
        port = listener.getsockname()[1]
        app = make_app(session, token=token, port=port)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="error",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        # Also where a shell that started it in the background has it ignore SIGINT.
        stops = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(one, signal.default_int_handler) for one in stops]
        try:
            on_start(f"http://{HOST}:{port}/?token={token}")
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # how a review is ended
        finally:
            for one, handler in zip(stops, before, strict=True):
                signal.signal(one, handler)
    return session.export()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise TextclassError(
            f"port {port} can't be used: {error.strerror}",
            hint="give another --port, or 0 for a free one",
        ) from error
    listener.listen()
    return listener
