"""HTML: the main text by trafilatura, or all that a reader would see."""

from __future__ import annotations

import re
from typing import Any

from textclass.documents.boilerplate import boilerplate
from textclass.documents.content import Reading
from textclass.documents.document import Limits
from textclass.documents.plain_text import cut, decode, iso_date, set_apart, spaced, tidy
from textclass.errors import DocumentError

_Element = Any  # lxml has no types

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*>")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
# Above this trafilatura takes minutes: the visible text is taken as it is.
_EXTRACTED_TAGS = 100_000
# A main text of less than this share of the visible words has lost the document.
_MAIN_SHARE = 0.25

# A page of fewer words may be a notice that stands in place of the text.
_NOTICE = 250
_NOTICES = {
    "its text is drawn by a script, so the file holds none": re.compile(
        r"(enable|turn on|requires?|without|disabled?)\W+(\w+\W+){0,4}javascript"
        r"|javascript\W+(\w+\W+){0,4}(enabled?|disabled|required|turned o)",
        re.IGNORECASE,
    ),
    "it is a check for robots in place of the page": re.compile(
        r"checking (if|your browser|the site connection)|verify(ing)? (that )?you are (a )?human"
        r"|are you a robot|(not|n't) a robot|enable cookies and reload",
        re.IGNORECASE,
    ),
}

_REGULAR = {"re": "http://exslt.org/regular-expressions"}
# A script may show the whole body; what is hidden until it is found is only folded.
_HIDDEN = (
    "//body//*[@hidden and @hidden != 'until-found' or @style and re:test(@style, "
    r"'(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)\b', 'i')]"
)

# Of a page with fewer words, what it shows or leads to may be the text.
_STUB = 40
_ELSEWHERE = {
    "//frame | //iframe[not(ancestor::noscript)]": "the pages in its frames",
    "//meta[re:test(@http-equiv, 'refresh', 'i')][contains(@content, '=')]": "the page it leads to",
}
_WALL = re.compile(
    r"(subscribe|log ?in|sign (in|up)|register|become an? \w+)\W+(\w+\W+){0,8}to (unlock|(continue"
    r"|keep|finish) reading|read (the|this) (full|whole|rest|entire|article|story))"
    r"|to (continue|keep|finish) reading\W+(\w+\W+){0,8}(subscribe|log ?in|sign (in|up)|register)"
    r"|(article|story) is (\w+ ){0,2}(for|to) (\w+ )?(subscribers|members)\b",
    re.IGNORECASE,
)

_UNSEEN = {"head", "script", "style", "noscript", "template", "svg", "math", "iframe", "object"}
_AROUND = {"nav", "header", "footer", "aside", "form", "button", "select"}
_INLINE = set(
    "a abbr acronym b bdi bdo big cite code data dfn em font i ins kbd label mark q s samp small"
    " span strike strong sub sup time tt u var wbr".split()
)
_BORDERS = {"br": ("\n", ""), "td": (" | ", ""), "th": (" | ", "")}
_DATES = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@name='date' or @name='dcterms.date' or @name='DC.date']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "(//time/@datetime)[1]",
)


def read_html(data: bytes, limits: Limits, *, whole: bool = False) -> Reading:
    """Return the main text of a web page, or its whole one."""
    return main_text(decoded_page(data, limits), limits, whole=whole)


def decoded_page(data: bytes, limits: Limits, *, declared: str = "") -> str:
    """Return HTML as characters: of the encoding that is declared, or that it names itself."""
    named = _CHARSET.search(data[:4096])
    charset = declared or (named[1].decode("ascii", "replace") if named else "")
    return decode(data, limits.text_chars * 2, declared=charset)


def shown_text(source: str, limits: Limits, *, apart: str = "") -> str:
    """Return all that a reader sees of a web page, elements called `apart` set apart."""
    return _visible(_tree(source, limits), _UNSEEN, limits, apart)


def main_text(source: str, limits: Limits, *, whole: bool = False) -> Reading:
    """Return the main text of a web page, or all that it shows.

    Of the main text a paragraph that comes again word for word may come once.

    Raises
    ------
    DocumentError
        Also if the page has none of its own: a script draws it, or a notice stands in its place.
    """
    from trafilatura import extract

    tree = _tree(source, limits)
    text = _visible(tree, _UNSEEN, limits)
    date = next((iso_date(str(found)) for path in _DATES for found in tree.xpath(path)), None)
    if not whole and source.count("<") <= _EXTRACTED_TAGS:
        core = _visible(tree, _UNSEEN | _AROUND, limits)
        main = extract(tree, deduplicate=False, include_comments=False, favor_recall=True) or ""
        if len(main.split()) >= _MAIN_SHARE * len(core.split()):
            text = _with_headings(tidy(re.sub(r"\n+", "\n\n", main)), core, tree) or text
    if len(text.split()) < _NOTICE:
        _refuse_notice(text, source)
    unread = []
    if len(text.split()) < _STUB:
        found = [w for path, w in _ELSEWHERE.items() if tree.xpath(path, namespaces=_REGULAR)]
        unread = [f"{what}: not in the file" for what in found]
    if any(len(part.split()) < _STUB and _WALL.search(part) for part in text.split("\n\n")):
        unread.append("the rest: shown to subscribers only")
    return Reading(text, date=date, unread=tuple(unread))


def _with_headings(main: str, core: str, tree: _Element) -> str:
    """Return the main text with the headings above its paragraphs that trafilatura loses."""
    kept = main.split("\n\n")
    nodes = tree.iter("h1", "h2", "h3", "h4", "h5", "h6")
    missing = {spaced(node.text_content()).strip() for node in nodes}.difference(kept)
    lost, above = "", dict[str, str]()
    for block in core.split("\n\n"):
        if block not in missing:
            above.setdefault(block, lost)
        lost = f"{lost}{block}\n\n" if block in missing else ""
    return "\n\n".join(above.pop(block, "") + block for block in kept)


def _refuse_notice(text: str, source: str) -> None:
    what = next((what for what, told in _NOTICES.items() if told.search(text)), "")
    if not text and "<script" in source.casefold():
        what = next(iter(_NOTICES))
    elif "cookie" in text.casefold() and all(map(boilerplate, text.split("\n\n"))):
        what = "it is a cookie notice in place of the page"
    if what:
        raise DocumentError(what, hint="open it in a browser and save it as PDF or MHTML")


def _tree(source: str, limits: Limits) -> _Element:
    from lxml import html  # type: ignore[import-untyped]  # it has no types

    _refuse_hostile(source, limits)
    source = _DECLARATION.sub("", source, count=1).strip() or "<p>"
    # Without huge_tree libxml2 drops, unsaid, all that lies deeper than 256 levels.
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    tree = html.document_fromstring(source, parser=parser)
    # Shown text that trafilatura passes over.
    for node in tree.iter("details", "summary", "template"):
        if node.tag != "template" or {"shadowrootmode", "shadowmode"} & {*node.attrib}:
            node.tag = "div"
    for node in tree.xpath(_HIDDEN, namespaces=_REGULAR):
        node.drop_tree()
    return tree


def _refuse_hostile(source: str, limits: Limits) -> None:
    """Raise for a page that a parser would choke on.

    libxml2 compares each attribute with all before it: 60,000 in one tag take 100 s.
    """
    if source.count("<") > limits.tags:
        raise DocumentError(f"it holds more than {limits.tags:,} tags", hint="split it")
    for element in ("script", "style"):
        source = cut(source, f"<{element}", f"</{element}")
    for piece in source.split(">"):
        # Quoted values, such as a drawing's path, may hold spaces of their own.
        if len(piece) > limits.attributes * 2 and "<" in piece:
            tag = _QUOTED.sub('""', piece[piece.index("<") :]).rpartition("<")[2]
            if len(tag.split()) > limits.attributes:
                raise DocumentError(f"a tag has more than {limits.attributes:,} attributes")


def _visible(tree: _Element, unseen: set[str], limits: Limits, apart: str = "") -> str:
    """Return the text of all elements but the `unseen` ones, a paragraph for each block."""
    from lxml.etree import iterwalk  # type: ignore[import-untyped]  # it has no types

    parts: list[str] = []
    depth = hidden = 0
    for event, node in iterwalk(tree, events=("start", "end")):
        name = node.tag
        depth += 1 if event == "start" else -1
        if depth > limits.depth:
            raise DocumentError(f"its tags are nested more than {limits.depth} levels deep")
        if name in unseen:
            hidden += 1 if event == "start" else -1
        elif name not in _INLINE and not hidden:
            around = "\0\f\0" if name == apart else "\0"
            start, end = _BORDERS.get(name, (around, around))
            parts.append(start if event == "start" else end)
        if not hidden:
            parts.append(spaced(node.text if event == "start" else node.tail))
    # NULs, which markup can't hold, stand for the borders of blocks.
    blocks = (block.strip(" \n|") for block in "".join(parts).split("\0"))
    return set_apart("\n\n".join(block for block in blocks if block))
