"""The local page: forms over HTTP, for the one browser that knows the token."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from textclass.errors import TextclassError
from textclass.pooling import pool_document
from textclass.report import mark_text, templates_of
from textclass.results import DocumentTags, Outcome, PassageTags
from textclass.review.answers import Kind
from textclass.review.session import Session
from textclass.taxonomy import Taxonomy

HOST = "127.0.0.1"
MOST_LISTED = 200
MOST_WORDS = 6
"""How many words for a label, and against it, its explanation shows."""

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",  # no-referrer would make the Origin of our own forms null
    "x-content-type-options": "nosniff",
}
_FORBIDDEN = (
    "This page belongs to a review that was started with another address. "
    "Open the address that textclass review printed."
)
_ENTRANCE = (
    '<!doctype html><html lang="en"><title>textclass review</title>'
    '<link rel="icon" href="/static/icon.svg"><meta http-equiv="refresh" content="0;url=/">'
)


def serve(session: Session, *, port: int = 0, on_start: Callable[[str], None]) -> None:
    """Show a session on a local page until it is stopped with Ctrl-C or SIGTERM.

    Parameters
    ----------
    session : Session
    port : int, keyword-only
        0 takes a free one.
    on_start : callable, keyword-only
        Called with the address, token included, once it answers.

    Raises
    ------
    TextclassError
        If the port is taken.
    """
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        raise TextclassError(
            f"port {port} can't be used: {error.strerror}",
            hint="give another --port, or 0 for a free one",
        ) from error
    token, port = secrets.token_urlsafe(24), listener.getsockname()[1]
    app = make_app(session, token=token, port=port)
    config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=2)
    # Also where a shell that started it in the background has it ignore SIGINT.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    # asyncio does this for sockets of its own only; without it every page waits 40 ms for an
    # acknowledgement between its head and its body.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        try:
            on_start(f"http://{HOST}:{port}/?token={token}")
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # how a review is ended


def make_app(session: Session, *, token: str, port: int) -> Starlette:
    """Return the application that shows a session on `http://127.0.0.1:<port>/?token=<token>`.

    Only requests to this very server are let in, from its own pages, with the token, which comes
    once in the address and then in a cookie that no other site's request carries. A page of another
    site that calls itself 127.0.0.1 by DNS rebinding fails by its Host, a form of another site by
    its Origin.
    """
    place, cookie = f"{HOST}:{port}", f"textclass-review-{port}"

    async def guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
        given = request.query_params.get("token")
        shown = given or request.cookies.get(cookie, "")
        known = secrets.compare_digest(shown.encode(), token.encode())
        own = {f"http://{place}"} if request.method == "POST" else {f"http://{place}", None}
        answer: Response
        here = request.headers.get("host") == place and request.headers.get("origin") in own
        if not (known and here):
            answer = HTMLResponse(_FORBIDDEN, status_code=403)
        elif given:
            # Not a redirect: after a link from elsewhere the browser would hold the cookie back.
            answer = HTMLResponse(_ENTRANCE)
            answer.set_cookie(cookie, token, httponly=True, samesite="strict")
        else:
            answer = await go_on(request)
        answer.headers.update(_HEADERS)
        return answer

    pages = _Pages(session)
    routes = [
        Route("/", pages.next),
        Route("/done", pages.done),
        Route("/passage/{key}", pages.passage),
        Route("/answer", pages.answer, methods=["POST"]),
        Route("/undo", pages.undo, methods=["POST"]),
        Route("/about/{key}/{column:int}", pages.about),
        Route("/document", pages.document),
        Route("/answers", pages.answers),
        Route("/progress", pages.progress),
        Mount("/static", StaticFiles(packages=[("textclass.review", "static")])),
    ]
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)])


class _Pages:
    """What each address answers. All of it runs in one thread: two tabs never meet half-way."""

    def __init__(self, session: Session) -> None:
        self._session, self._passages = session, session.passages
        self._common = {
            "session": session,
            "passages": session.passages,
            "keys": label_keys(session.passages.taxonomy),
            "MOST_LISTED": MOST_LISTED,
        }

    def _show(self, page: str, **context: Any) -> Response:  # noqa: ANN401 -- what a template names
        template = templates_of("textclass.review").get_template(page)
        progress = self._session.progress()
        return HTMLResponse(template.render(self._common, progress=progress, **context))

    def _go_on(self, within: str) -> Response:
        """Lead to the passage to ask about."""
        key = self._session.next(within=within)
        self._session.rank_if_due()
        return _go(f"/passage/{key}" if key else "/done", within)

    def _number(self, key: str) -> int:
        if key not in self._passages.numbers:
            raise HTTPException(404, "no such passage")
        return self._passages.numbers[key]

    async def next(self, request: Request) -> Response:
        """Lead to the passage to ask about."""
        return self._go_on(request.query_params.get("within", ""))

    async def done(self, _: Request) -> Response:
        """Tell that nothing is left."""
        return self._show("done.jinja")

    async def passage(self, request: Request) -> Response:
        """Show one passage, to answer or to see again."""
        session, passages, key = self._session, self._passages, request.path_params["key"]
        session.refresh()
        number = self._number(key)
        detail = passages.detail(number)
        labels = passages.taxonomy.columns
        evidence = [span for span in detail["evidence"] if span["label"] in labels]
        mates = passages.by_document[passages.documents[number]]
        own = session.standing.get(key)
        sides = session.answers.by_passage().get(key, []) if session.settle else []
        sides = [side for side in sides if side.kind.labels_it]
        ticked = set(own.labels if own and own.kind.labels_it else passages.labels(number))
        if sides and not own:
            ticked = set.intersection(*(set(side.labels) for side in sides))
        return self._show(
            "passage.jinja",
            key=key,
            number=number,
            within=request.query_params.get("within", ""),
            form=secrets.token_urlsafe(12),
            detail=detail,
            place=mates.index(number),
            mates=mates,
            marked=mark_text(passages.texts[number], evidence),
            own=own,
            sides=sides,
            ticked=ticked,
        )

    async def answer(self, request: Request) -> Response:
        """Keep an answer and go on."""
        sent = QueryParams(await request.body())
        key, labels = sent.get("passage", ""), sent.getlist("label")
        try:
            kind, seconds = Kind(sent.get("kind", "")), float(sent.get("seconds") or 0)
            known = key in self._passages.numbers and kind is not Kind.UNDO
            known = known and 0 <= seconds < float("inf")  # JSON has neither NaN nor infinity
        except ValueError:
            known = False
        if not known or not set(labels) <= self._passages.taxonomy.columns.keys():
            raise HTTPException(400, "not an answer")
        comment = sent.get("comment", "").strip()
        given = {"seconds": seconds, "comment": comment, "flagged": "flag" in sent}
        self._session.add(key, kind, labels, form=sent.get("form"), **given)
        return self._go_on(sent.get("within", ""))

    async def undo(self, _: Request) -> Response:
        """Take the last answer back and show its passage."""
        key = self._session.undo()
        return _go(f"/passage/{key}" if key else "/")

    async def about(self, request: Request) -> Response:
        """Tell what there is to say of a label, here: definition, reasons, examples."""
        key, column = request.path_params["key"], request.path_params["column"]
        text, labels = self._passages.texts[self._number(key)], self._passages.taxonomy.labels
        if column >= len(labels):
            raise HTTPException(404, "no such label")
        name, tagger = labels[column].name, self._session.tagger
        why = tagger.explain(text, name) if tagger else None
        return self._show(
            "about.jinja",
            label=labels[column],
            why=why,
            words=why.strongest(MOST_WORDS) if why else ([], []),
            examples=self._session.examples(key, name),
        )

    async def document(self, request: Request) -> Response:
        """Show a document's tags, as answered or else suggested, beside its passages."""
        name = request.query_params.get("name", "")
        if name not in self._passages.by_document:
            raise HTTPException(404, "no such document")
        return self._show("document.jinja", name=name, pooled=pool_answers(self._session, name))

    async def answers(self, request: Request) -> Response:
        """List the latest answers, of one kind or all."""
        kind = request.query_params.get("kind", "")
        latest = reversed(self._session.standing.values())
        found = [a for a in latest if kind in ("", a.kind) or (kind == "flagged" and a.flagged)]
        return self._show("answers.jinja", kind=kind, found=found)

    async def progress(self, _: Request) -> Response:
        """Show how far the review has come and how right the suggestions are."""
        return self._show("progress.jinja")


def pool_answers(session: Session, document: str) -> DocumentTags:
    """Return the tags of a document: the reader's where there is an answer, else the suggested."""
    passages = session.passages
    tagged, words = [], []
    for number in passages.by_document[document]:
        text, labels = passages.texts[number], passages.labels(number)
        own = session.standing.get(passages.keys[number])
        if own and own.kind.labels_it:
            labels = own.labels
        outcome = Outcome.TAGGED if labels else Outcome.NONE
        p = tuple(np.nan_to_num(passages.probabilities[number]).tolist())
        tagged.append(PassageTags(passages.taxonomy, text, outcome, None, labels, p, (), ""))
        words.append(len(text.split()))
    return pool_document(passages.taxonomy, document, tagged, words, "")


def label_keys(taxonomy: Taxonomy) -> dict[str, str]:
    """Return a key for each label, while there are some.

    The labels of the first facet get digits if those suffice, the others a letter, of their name
    if it is free.
    """
    first = taxonomy.facets[0].names
    keys = {name: str(n) for n, name in enumerate(first, 1)} if len(first) <= 9 else {}
    free = list("abcdefghijklmnopqrstuvwxyz")
    for name in taxonomy.names:
        if name not in keys and free:
            keys[name] = next((c for c in name.casefold() if c in free), free[0])
            free.remove(keys[name])
    return keys


def _go(path: str, within: str = "") -> Response:
    return RedirectResponse(path + ("?" + urlencode({"within": within}) if within else ""), 303)
