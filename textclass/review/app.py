"""The local page: forms and fragments over HTTP, for the one browser that knows the token."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textclass.review.answers import Kind
from textclass.review.session import Session
from textclass.taxonomy import Taxonomy

MOST_BODY = 100_000
MOST_COMMENT = 4_000
MOST_LISTED = 200
LONG_FACET = 30
"""From so many labels on a facet shows likely labels first instead of a fixed order."""

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
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


class Guard:
    """Let in only requests to this very server, from its own pages, with the token.

    The token comes once in the address and then in a cookie that no other site's request carries.
    A page of another site that calls itself 127.0.0.1 by DNS rebinding fails by its Host, a form of
    another site by its Origin.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"textclass-review-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [(key.encode(), value.encode()) for key, value in _HEADERS.items()]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        await self._answer(Request(scope))(scope, receive, send_guarded)

    def _answer(self, request: Request) -> ASGIApp:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        own = {f"http://{host}"} | (set() if request.method == "POST" else {None})
        given = request.query_params.get("token")
        shown = given or request.cookies.get(self._cookie, "")
        known = secrets.compare_digest(shown.encode(), self._token.encode())
        if host not in self._hosts or origin not in own or not known:
            return HTMLResponse(_FORBIDDEN, status_code=403)
        if given is None:
            return self._app
        # Not a redirect: after a link from elsewhere the browser would hold the cookie back.
        page = HTMLResponse(_ENTRANCE)
        page.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return page


def make_app(session: Session, *, token: str, port: int) -> ASGIApp:
    """Return the application that shows a session on `http://127.0.0.1:<port>/?token=<token>`."""
    pages = _Pages(session)
    static = StaticFiles(packages=[("textclass.review", "static")])
    routes = [
        Route("/", pages.next),
        Route("/passage/{key}", pages.passage),
        Route("/answer", pages.answer, methods=["POST"]),
        Route("/undo", pages.undo, methods=["POST"]),
        Route("/save", pages.save, methods=["POST"]),
        Route("/about/{key}/{column:int}", pages.about),
        Route("/document", pages.document),
        Route("/answers", pages.answers),
        Route("/progress", pages.progress),
        Mount("/static", static),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        session.rank_if_due()
        yield
        await session.close()

    return Guard(Starlette(routes=routes, lifespan=lifespan), token=token, port=port)


class _Pages:
    """What each address answers. All of it runs in one thread: two tabs never meet half-way."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keys = label_keys(session.passages.taxonomy)
        self._templates = Environment(
            loader=PackageLoader("textclass.review"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(percent=_percent, address=lambda text: quote(text, safe=""))
        self._templates.globals.update(session=session, Kind=Kind)

    def _show(self, template: str, **context: Any) -> Response:  # noqa: ANN401 -- what a template names
        progress = self._session.progress()
        page = self._templates.get_template(template).render(progress=progress, **context)
        # Half a surrogate pair, which JSON can hold, is no UTF-8.
        return HTMLResponse(page.encode("utf-8", "replace"))

    async def next(self, request: Request) -> Response:
        """Show the passage to ask about."""
        within = request.query_params.get("within", "")
        key = self._session.next(within=within)
        self._session.rank_if_due()
        if key is None:
            return self._show("done.jinja", differing=len(self._session.open_differences()))
        return self._passage(key, within)

    async def passage(self, request: Request) -> Response:
        """Show one passage again."""
        key = request.path_params["key"]
        if key not in self._session.passages.numbers:
            return Response("no such passage", status_code=404)
        self._session.refresh()
        return self._passage(key, request.query_params.get("within", ""))

    def _passage(self, key: str, within: str) -> Response:
        session, passages = self._session, self._session.passages
        number = passages.numbers[key]
        detail = passages.details[number]
        mates = passages.by_document[passages.documents[number]]
        place = mates.index(number)
        own = session.standing.get(key)
        sides = session.answers.judged().get(key, []) if session.settle else []
        ticked = set(own.labels if own and own.kind.labels_it else passages.labels(number))
        if sides and not own:
            ticked = set.intersection(*(set(side.labels) for side in sides))
        return self._show(
            "passage.jinja",
            key=key,
            within=within,
            form=secrets.token_urlsafe(12),
            document=passages.documents[number],
            detail=detail,
            place=place,
            mates=len(mates),
            pieces=mark(
                passages.texts[number], detail["evidence"], passages.taxonomy, _shift(detail)
            ),
            before=[passages.texts[n] for n in mates[max(0, place - 2) : place]],
            after=[passages.texts[n] for n in mates[place + 1 : place + 3]],
            own=own,
            sides=sides,
            ticked=ticked,
            back=session.before(key),
            facets=[(facet, self._choices(facet.names, number)) for facet in passages.taxonomy],
        )

    def _choices(self, names: Sequence[str], number: int) -> list[dict[str, Any]]:
        passages = self._session.passages
        columns = [passages.taxonomy.columns[name] for name in names]
        if len(columns) >= LONG_FACET:
            row, likely = passages.suggested[number], passages.probabilities[number]
            columns.sort(
                key=lambda c: (not row[c], -likely[c]) if likely[c] >= 0 else (not row[c], 0)
            )
        return [
            {
                "column": column,
                "label": passages.taxonomy.labels[column],
                "key": self._keys.get(column, ""),
                "suggested": bool(passages.suggested[number, column]),
                "p": float(passages.probabilities[number, column]),
            }
            for column in columns
        ]

    async def answer(self, request: Request) -> Response:
        """Keep an answer and go on."""
        sent, passages = await _form(request), self._session.passages
        try:
            key, kind = sent["passage"][0], Kind(sent["kind"][0])
            labels, within = sent.get("label", []), sent.get("within", [""])[0]
            seconds = min(max(float(sent.get("seconds", ["0"])[0] or 0), 0.0), 3600.0)
            known = key in passages.numbers and kind is not Kind.UNDO
            known = known and set(labels) <= passages.taxonomy.columns.keys()
        except (KeyError, ValueError):
            known = False
        if not known:
            return Response("not an answer", status_code=400)
        self._session.add(
            key,
            kind,
            labels,
            seconds=seconds,
            comment=sent.get("comment", [""])[0].strip()[:MOST_COMMENT],
            flagged="flag" in sent,
            form=sent.get("form", [None])[0],
        )
        return RedirectResponse("/?" + urlencode({"within": within}) if within else "/", 303)

    async def undo(self, request: Request) -> Response:
        """Take the last answer back and show its passage."""
        sent = await _form(request)
        form = sent.get("form", [None])[0]
        key = self._session.undo(form=f"undo {form}" if form else None)
        return RedirectResponse(f"/passage/{key}" if key else "/", 303)

    async def save(self, _: Request) -> Response:
        """Write the corpus now."""
        return self._show("progress.jinja", saved=self._session.export(), **self._plots())

    async def about(self, request: Request) -> Response:
        """Return what there is to say of a label, here: definition, reasons, examples."""
        key, column = request.path_params["key"], request.path_params["column"]
        passages = self._session.passages
        if key not in passages.numbers or column >= len(passages.taxonomy.names):
            return Response("no such label", status_code=404)
        label = passages.taxonomy.labels[column]
        why = self._session.explain(key, label.name)
        examples = [
            (one, said, passages.texts[passages.numbers[one]])
            for one, said in self._session.examples(key, label.name)
        ]
        words = why.strongest(6) if why else ([], [])
        return self._show(
            "about.jinja" if "part" in request.query_params else "label.jinja",
            label=label,
            why=why,
            pros=words[0],
            cons=words[1],
            examples=examples,
        )

    async def document(self, request: Request) -> Response:
        """Show a document's tags beside its passages."""
        name = request.query_params.get("name", "")
        passages, standing = self._session.passages, self._session.standing
        if name not in passages.by_document:
            return Response("no such document", status_code=404)
        numbers = passages.by_document[name]
        answered = {n: standing[passages.keys[n]] for n in numbers if passages.keys[n] in standing}
        judged = {n: one.labels for n, one in answered.items() if one.kind.labels_it}
        rows = [
            (
                passages.keys[n],
                passages.texts[n],
                passages.details[n],
                passages.labels(n),
                answered.get(n),
            )
            for n in numbers[:MOST_LISTED]
        ]
        return self._show(
            "document.jinja",
            name=name,
            rows=rows,
            hidden=len(numbers) - len(rows),
            suggested=passages.pool(name, {}),
            corrected=passages.pool(name, judged) if judged else None,
            judged=len(judged),
        )

    async def answers(self, request: Request) -> Response:
        """List the latest answers, of one kind or all."""
        kind = request.query_params.get("kind", "")
        found = [
            answer
            for answer in reversed(self._session.history)
            if kind in ("", answer.kind) or (kind == "flagged" and answer.flagged)
        ]
        texts = {a.passage: self._session.passages.numbers[a.passage] for a in found[:MOST_LISTED]}
        return self._show("answers.jinja", kind=kind, found=found, most=MOST_LISTED, texts=texts)

    async def progress(self, _: Request) -> Response:
        """Show how far the review has come and how right the suggestions are."""
        return self._show("progress.jinja", saved=None, **self._plots())

    def _plots(self) -> dict[str, Any]:
        progress = self._session.progress()
        used = [label for label in progress.labels if label.kept + label.added + label.removed]
        most = max((one.kept + one.added + one.removed for one in used), default=1)
        steps = progress.agreement
        across = 640 / max(len(steps) - 1, 1)
        line = " ".join(f"{n * across:.1f},{140 - 140 * y:.1f}" for n, y in enumerate(steps))
        return {"used": used, "most": most, "line": line}


async def _form(request: Request) -> dict[str, list[str]]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return {}
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)


def label_keys(taxonomy: Taxonomy) -> dict[int, str]:
    """Return a key for each column, while there are some.

    The labels of the first facet get digits if those suffice, the others a letter, of their name
    if it is free.
    """
    keys: dict[int, str] = {}
    free = list("abcdefghijklmnopqrstuvwxyz")
    first = taxonomy.facets[0].names
    if len(first) <= 9:
        keys = {column: str(column + 1) for column in range(len(first))}
    for column, name in enumerate(taxonomy.names):
        if column not in keys and free:
            letter = next((c for c in name.casefold() if c in free), free[0])
            free.remove(letter)
            keys[column] = letter
    return keys


def mark(
    text: str, evidence: Sequence[Mapping[str, Any]], taxonomy: Taxonomy, shift: int
) -> list[tuple[str, str, str, str]]:
    """Cut a text into pieces under the same evidence.

    Returns
    -------
    list of (str, str, str, str)
        Text; `for`, `against` or nothing; columns of the labels; what it spoke for, in words.
    """
    spans = []
    for one in evidence:
        start, end = one["start"] - shift, one["end"] - shift
        known = one["label"] in taxonomy.columns and 0 <= start < end <= len(text)
        if known and text[start:end] == one["text"]:
            spans.append((start, end, one["label"], one.get("weight", 1) >= 0))
    edges = sorted({0, len(text), *(s[0] for s in spans), *(s[1] for s in spans)})
    pieces = []
    for start, end in pairwise(edges):
        over = [span for span in spans if span[0] <= start and end <= span[1]]
        kind = ("for" if any(span[3] for span in over) else "against") if over else ""
        columns = " ".join(f"c{taxonomy.columns[span[2]]}" for span in over)
        note = "; ".join(f"{'for' if span[3] else 'against'} {span[2]}" for span in over)
        pieces.append((text[start:end], kind, columns, note))
    return pieces


def _shift(detail: Mapping[str, Any]) -> int:
    """Return where the passage begins in its document, from where its evidence counts."""
    return int(detail["columns"].get("start") or 0)


def _percent(value: float) -> str:
    if 0 < value < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= value < 1 else f"{value:.0%}"
