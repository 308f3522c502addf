"""Which paragraphs of a page are advertising, navigation, notices and the like.

Told by shape and words: such text speaks to its reader (`we`, `you`, an order) about the page
itself, or is a list of links. Prose about advertising, cookies or consent is none.
"""

from __future__ import annotations

import re

_MOST_WORDS = 160  # A longer paragraph is the page's own.
_MOST_CHARS = 2_000
_TITLE_WORDS = 16
_PROSE_WORDS = 8  # A title of more words that ends like a sentence is one.
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
# These alone make a paragraph boilerplate: orders to the reader, and what only a page says of
# itself. All patterns are for lower case.
_SAYS = re.compile(
    r"""\b(?:
    (?:sign\ up|subscribe|register)\ (?:(?:here|now|today)\ )?(?:for|to)\ (?:our|the|your|get|free)
    | subscribe\ (?:now|today)\b | unsubscribe\b | your\ (?:inbox|subscription|free\ trial)\b
    | (?:enter|confirm)\ your\ e-?mail | your\ e-?mail\ address\ will\b | forgot\ your\ password
    | already\ (?:a\ subscriber|registered|have\ an\ account) | log\ ?in\ (?:to|or)\b
    | create\ (?:an|a\ free|your)\ account | (?:leave|post|write)\ a\ (?:comment|reply)\b
    | (?:follow|like|find|join)\ us\ (?:on|at)\b | share\ this\ (?:article|story|page|post)\b
    | click\ (?:here|the\ (?:link|button)|on\ the)\b | (?:download|get)\ our\ (?:free\ )?app\b
    | (?:shop|buy|order|book|donate)\ (?:now|today|here)\b | add\ to\ (?:cart|basket|bag|wishlist)\b
    | (?:free\ shipping|money-back|limited[-\ ]time\ (?:offer|deal)|promo\ code)\b
    | \d+\ ?%\ (?:off|discount)\b.*\b(?:your|you|now|today|code)\b
    | support\ our\ (?:work|journalism|reporting)\b | your\ (?:donation|gift)\ (?:help|keep)s\b
    | (?:turn\ on\ notifications|listen\ to\ this\ article|close\ this\ (?:window|banner|message))\b
    | enable\ javascript\b | browser\ (?:is\ not\ supported|does\ not\ support)
    | (?:we|(?:this|our)\ (?:web)?(?:site|page))\ (?:[\w'-]+\ ){0,5}uses?\ (?:\w+\ ){0,2}cookies
    | (?:accept|reject|manage|allow)\ (?:all|your|my)?\ ?(?:cookies|preferences|consent|choices)
    | by\ (?:continuing|clicking|signing\ up|using\ (?:this|our)|browsing|subscribing)\b.*\byou\b
    | all\ rights\ reserved | terms\ (?:of\ (?:use|service)|and\ conditions)\ (?:apply|\||and)
    | do\ not\ sell\ (?:or\ share\ )?my | copyright\ (?:19|20)\d\d | report\ (?:this\ )?ad\b
    | (?:advertiser|affiliate|advertising)\ disclosure\b | ads\ (?:help|allow|let|keep)\ us\b
    | ad[-\ ]?blocker | (?:offers|products|listings)\ (?:that\ )?appear\ (?:on\ (?:this|our)|here)\b
    | we\ (?:may|might|can|do)?\ ?(?:earn|receive|get|be\ paid)\b.*\b(?:commission|fee|compensat)
    | (?:affiliate|partner)\ links?\b.*\b(?:we|our|us)\b | (?:we|our)\b.*\baffiliate\ link
    | our\ (?:advertis(?:ers|ing\ partners)|sponsors)\b
    | our\ editorial\ (?:team|staff|independence|policy)\b
    | opinions\ (?:expressed\ )?(?:here\ )?are\ (?:the\ )?(?:author's|ours?|their\ own)\b.*\balone\b
    ) | ©""",
    re.VERBOSE,
)
# Words of which each of those needs one: most paragraphs of prose are searched no further.
_HINTS = frozenset(
    "account ad ad-blocker ad-blockers adblocker adblockers add ads advertisers advertising"
    " affiliate alone app appear bag banner basket blocker blockers book browser browsing buy"
    " cart choices click clicking comment consent continuing cookies copyright disclosure"
    " discount donate earn editorial find follow get javascript join journalism like limited"
    " limited-time listen log login message money-back notifications off order paid partner"
    " preferences promo receive register registered reply reporting reserved sell share shipping"
    " shop sign signing sponsors subscribe subscriber subscribing terms unsubscribe using window"
    " wishlist work your".split()
)
# These do at the beginning of a short paragraph. The first head a block of links to other pages:
# what follows are their titles.
_LINKS = re.compile(
    r"""\W*(?:(?:related|recommended|more|most)\W+(?:articles?|stor(?:y|ies)|posts?|content|read(?:ing)?
      |popular|topics|news|videos?|from|for\ you|on\ this|coverage)
    | (?:you\ (?:may|might)\ (?:also\ )?(?:like|enjoy)|don't\ miss|(?:up|read)\ next|trending
      |editors?'?s?\ picks?|in\ case\ you\ missed|(?:from|around)\ the\ web|sponsored|promoted)
    )\b""",
    re.VERBOSE,
)
_LABELS = re.compile(
    r"""\W*(?:(?:advertisement|paid\ (?:content|post|partnership)|ad)(?:\W|$)
    | (?:read|see|view|load|show)\ (?:more|next|all|also|full)\b
    | (?:photo(?:graph)?|image|picture|video|credit|source)s?\ ?(?:credit|source|by|:)
    | (?:tags?|topics?|filed\ under|categor(?:y|ies)|posted|published|(?:last\ )?updated)
      \ ?(?::|\w+\ \d|by\b|on\b|in\b)
    | (?:share|tweet|print|e-?mail|save|copy\ link|comments?|reply|bookmark)(?:\W|$)
    | \d+\ (?:comments?|shares?|min(?:ute)?s?\ read)\b | (?:skip|jump|back|return)\ to\b
    | (?:sign|log)\ (?:in|up|out)\b | (?:cookie|privacy)\ (?:settings|policy|preferences|notice)\b
    )""",
    re.VERBOSE,
)
_SEPARATOR = re.compile(r"\s[|·•»›>/–-]\s|[|·•»›]")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*$")


def boilerplate(paragraph: str) -> bool:
    """Whether a paragraph is advertising, navigation, a notice or a list of links."""
    if len(paragraph) > _MOST_CHARS:
        return False
    text = " ".join(paragraph.lower().replace("’", "'").split())
    words = re.findall(r"[\w'-]+", text)
    if not words or len(words) > _MOST_WORDS:
        return False
    if "©" in text or (not _HINTS.isdisjoint(words) and _SAYS.search(text)):
        return True
    ends = bool(_SENTENCE.search(text))
    is_title = len(words) <= (_TITLE_WORDS if not ends or ":" in text[:24] else _PROSE_WORDS)
    if is_title and (_LINKS.match(text) or _LABELS.match(text)):
        return True
    if ends or len(words) > _MOST_LINKS:
        return False
    enough = _KNOWN_LINKS if len(_SEPARATOR.findall(text)) > 1 else _KNOWN
    return sum(word in _PAGE_WORDS for word in words) >= enough * len(words)


def boilerplate_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return where a text holds boilerplate: start and end of each run of such paragraphs."""
    spans: list[tuple[int, int]] = []
    among_links = joined = False
    start = 0
    paragraphs = text.split("\n\n")
    for paragraph, below in zip(paragraphs, [*paragraphs[1:], ""], strict=True):
        end = start + len(paragraph)
        # One page word above prose, such as Weather, is a heading, not one of a list.
        is_heading = not joined and paragraph.lower() in _PAGE_WORDS and _SENTENCE.search(below)
        found = not is_heading and boilerplate(paragraph)
        if found or among_links:
            lower = paragraph.lower().replace("’", "'")
            is_title = len(lower.split()) <= _TITLE_WORDS and len(lower) < _MOST_CHARS
            # Titles of other pages follow a heading for links, as long as no sentence comes.
            goes_on = _LINKS.match(lower) if found else not _SENTENCE.search(lower)
            among_links = is_title and bool(goes_on)
            found = found or among_links
        if found:
            spans.append((spans.pop()[0] if joined else start, end))
        joined, start = found, end + 2
    return tuple(spans)
