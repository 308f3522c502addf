"""Which paragraphs of a page are advertising, navigation, notices and the like.

Told by shape and words: such text speaks to its reader (`we`, `you`, an order) about the page
itself, or is a list of links. Prose about advertising, cookies or consent is none.
"""

from __future__ import annotations

import re

_MOST_WORDS = 160  # A longer paragraph is the page's own.
_MOST_CHARS = 2_000
_TITLE_WORDS = 16
_MOST_LINKS = 60
# Share of words that pages use to lead through themselves; less is enough between separators.
_KNOWN = 0.7
_KNOWN_LINKS = 0.3
_PAGE_WORDS = frozenset(
    "home about contact news menu search login log in sign up register subscribe account cart shop"
    " donate careers press help faq faqs sitemap privacy terms cookies legal accessibility"
    " advertise newsletter newsletters archive archives topics sections videos video podcasts"
    " podcast live weather sport sports business opinion culture travel more us our team events"
    " facebook twitter x linkedin instagram youtube whatsapp email print share rss next previous"
    " back top close skip to content english français español deutsch".split()
)
# These alone make a paragraph boilerplate: what only a page says of itself to its reader.
_SAYS = re.compile(
    r"""
    \bwe\ (?:and\ our\ (?:\w+\ )?partners\ )?(?:also\ )?use\ (?:\w+\ ){0,2}cookies
    | \b(?:this|our)\ (?:web)?(?:site|page)\ (?:also\ )?uses\ (?:\w+\ ){0,2}cookies
    | \b(?:accept|reject|manage|allow)\ (?:all|your|my)?\ ?(?:cookies|preferences|consent|choices)
    | \bby\ (?:continuing|clicking|signing\ up|using\ (?:this|our)|browsing|subscribing)\b.*\byou\b
    | \b(?:all\ rights\ reserved|terms\ (?:of\ (?:use|service)|and\ conditions)\ (?:apply|\||and)
       |do\ not\ sell\ (?:or\ share\ )?my)
    | (?:©|\(c\)|\bcopyright)\ ?(?:19|20)\d\d
    | \b(?:sign\ up|subscribe|register)\ (?:here\ |now\ |today\ )?(?:for|to)\ (?:our|the|your|get
      |receive|a\ free|free)
    | \bsubscribe\ (?:now|today)\b | \bunsubscribe\b | \byour\ (?:inbox|subscription|free\ trial)\b
    | \b(?:enter|confirm)\ your\ e-?mail | \byour\ e-?mail\ address\ will\b
    | \balready\ (?:a\ (?:subscriber|member)|registered|have\ an\ account)\b
      | \bforgot\ (?:your\ )?password
    | \b(?:follow|like|find|join)\ us\ (?:on|at)\b | \bshare\ this\ (?:article|story|page|post)\b
    | \bclick\ (?:here|the\ (?:link|button)|on\ the)\b | \b(?:download|get)\ (?:our
      |the)\ (?:free\ )?app\b
    | \bwe\ (?:may|might|can|do)?\ ?(?:earn|receive|get|be\ paid|are\ paid)\b.*\b(?:commission
      |compensation|compensated|fee)
    | \b(?:affiliate|partner)\ links?\b.*\b(?:we|our|us)\b | \b(?:we|our|us)\b.*\b(?:affiliate
      |partner)\ links?\b
    | \b(?:advertiser|affiliate|advertising)\ disclosure\b
    | \b(?:offers|products|listings)\ that\ appear\ on\ (?:this|our)\ (?:site|page)
    | \bour\ (?:advertisers|advertising\ partners|sponsors|editorial\ (?:team|staff|independence
      |integrity|policy))
    | \b(?:ads?|advertisements?)\ (?:help|allow|let|keep)\ us\b | \bad[- ]?blocker
      | \breport\ (?:this\ )?ad\b
    | \bopinions\ (?:expressed\ )?(?:here\ )?are\ (?:the\ )?(?:author's|our|ours
      |their\ own)\b.*\balone\b
    | \badd\ to\ (?:cart|basket|bag|wishlist)\b | \b(?:shop|buy|order|book|donate)\ (?:now|today
      |here)\b
    | \b(?:free\ shipping|money-back|limited[- ]time\ (?:offer|deal)
      |use\ (?:the\ )?(?:promo\ )?code\b)
    | \b\d+\ ?%\ (?:off|discount)\b.*\b(?:your|you|now|today|code)\b
    | \b(?:leave|post|write)\ a\ (?:comment|reply)\b | \blog\ ?in\ (?:to|or)\b | \bcreate\ (?:an
      |a\ free|your)\ account
    | \benable\ javascript\b | \bbrowser\ (?:is\ not\ supported|does\ not\ support)
    | \bsupport\ our\ (?:work|journalism|reporting)\b | \b(?:your|a)\ (?:donation|gift)\ (?:helps
      |keeps|allows)\b
    | \bclose\ this\ (?:window|banner|message)\b | \bturn\ on\ notifications\b
      | \blisten\ to\ this\ article\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A paragraph without any of these isn't searched for them: that would be slow.
_NEEDED = frozenset(
    "we our us you your author's cookies preferences consent choices rights terms sell copyright c"
    " subscribe unsubscribe already forgot share click download advertiser affiliate advertising"
    " offers products listings blocker adblocker ad-blocker ad opinions add shop buy order book"
    " donate shipping money-back limited-time limited code leave post write log login create enable"
    " javascript browser donation gift close turn listen sign register".split()
)
# These do at the beginning of a short paragraph.
_BEGINS = re.compile(
    r"""\W*(?:
    (?:advertisement|sponsored|promoted|paid\ (?:content|post|partnership)|ad)(?:\W|$)
    | (?:read|see|view|load|show)\ (?:more|next|all|also|full)\b | (?:related|recommended|more
      |most)\W+
      (?:articles?|stories|story|posts?|content|reading|read|popular|topics|news|videos?|from
      |for\ you|on\ this|coverage)\b
    | (?:you\ (?:may|might)\ (?:also\ )?(?:like|enjoy)|don't\ miss|up\ next|trending
      |editors?'?s?\ picks?|in\ case\ you\ missed)\b
    | (?:from|around)\ the\ web\b | (?:photo|image|picture|video|credit|source
      |photograph)s?\ ?(?:credit|source|by|:)
    | (?:tags?|topics?|filed\ under|categor(?:y|ies)|posted\ (?:in|by|on)|published|updated
      |last\ (?:updated|modified))\ ?(?::|\w+\ \d|by\b|on\b|in\b)
    | (?:share|tweet|print|e-?mail|save|copy\ link|comments?|reply|bookmark|pin\ it)(?:\W|$)
      | \d+\ (?:comments?|shares?|min(?:ute)?s?\ read)\b
    | (?:skip|jump|back|return)\ to\b | (?:sign|log)\ (?:in|up|out)\b | (?:cookie
      |privacy)\ (?:settings|policy|preferences|notice)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# The heading of a block of links to other pages: what follows are their titles.
_LINKS = re.compile(
    r"\W*(?:related|recommended|you (?:may|might) (?:also )?(?:like|enjoy)"
    r"|more (?:from|stories|news|on)"
    r"|most (?:read|popular)|trending|editors?'?s? picks?|(?:from|around) the web|read next|up next"
    r"|sponsored|promoted|don't miss)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s[|·•»›>/–-]\s|[|·•»›]")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*$")


def boilerplate(paragraph: str) -> bool:
    """Whether a paragraph is advertising, navigation, a notice or a list of links."""
    if len(paragraph) > _MOST_CHARS:
        return False
    text = " ".join(paragraph.replace("’", "'").split())
    words = re.findall(r"[\w'-]+", text.casefold())
    if not words or len(words) > _MOST_WORDS:
        return False
    if (not _NEEDED.isdisjoint(words) or "©" in text) and _SAYS.search(text):
        return True
    if len(words) <= _TITLE_WORDS and _BEGINS.match(text) and not _is_prose(text, words):
        return True
    if _SENTENCE.search(text):
        return False
    links = len(_SEPARATOR.findall(text))
    known = sum(word in _PAGE_WORDS for word in words) / len(words)
    return known >= (_KNOWN_LINKS if links > 1 else _KNOWN) and len(words) <= _MOST_LINKS


def _is_prose(text: str, words: list[str]) -> bool:
    """Whether a short paragraph is a sentence that only begins like a label."""
    return len(words) > 8 and bool(_SENTENCE.search(text)) and ":" not in text[:24]


def boilerplate_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return where a text holds boilerplate: start and end of each run of such paragraphs."""
    spans: list[tuple[int, int]] = []
    within = joined = False
    start = 0
    for paragraph in text.split("\n\n"):
        end = start + len(paragraph)
        title = len(paragraph) < _MOST_CHARS and len(paragraph.split()) <= _TITLE_WORDS
        found = boilerplate(paragraph)
        if found:
            within = title and bool(_LINKS.match(paragraph))
        elif within:  # a title of another page, as long as no sentence comes
            within = found = title and not _SENTENCE.search(paragraph)
        if found:
            spans.append((spans.pop()[0] if joined else start, end))
        joined, start = found, end + 2
    return tuple(spans)
