"""A thousand texts that would run or load something if a page took them for markup."""

from itertools import islice, product

LIVE = [
    "<script>window.live=1</script>",
    "<img src=x onerror=window.live=1>",
    "<svg onload=window.live=1>",
    "<svg><animate onbegin=window.live=1 attributeName=x dur=1s></svg>",
    "<iframe srcdoc='<script>parent.live=1</script>'></iframe>",
    "<iframe src=javascript:parent.live=1></iframe>",
    "<object data='data:text/html,<script>1</script>'></object>",
    "<embed src='data:image/svg+xml,<svg/>'>",
    "<a href='javascript:window.live=1' id=x>x</a>",
    "<form action='javascript:window.live=1'><button>x</button></form>",
    "<input autofocus onfocus=window.live=1>",
    "<body onload=window.live=1>",
    "<details open ontoggle=window.live=1>",
    "<video><source onerror=window.live=1></video>",
    "<base href='https://example.org/'>",
    "<link rel=stylesheet href='https://example.org/x.css'>",
    "<meta http-equiv=refresh content='0;url=https://example.org/'>",
    "<style>*{display:none}</style>",
    "<template shadowrootmode=open><script>window.live=1</script></template>",
    "<textarea><plaintext>",
    "<noscript><p title='</noscript><img src=x onerror=window.live=1>'>",
    "<!--><script>window.live=1</script>-->",
    "<math><mtext></p><img src=x onerror=window.live=1></mtext></math>",
    "{{ 7*7 }}{% include 'base.jinja' %}{{ self.__init__.__globals__ }}",
    "&lt;script&gt;window.live=1&lt;/script&gt;",
    "&#60;script&#62;window.live=1",
    '" onmouseover=window.live=1 x="',
    "' onfocus='window.live=1' autofocus x='",
    "` onclick=window.live=1 x=`",
    "\u202e<script>window.live=1</script>\u2066",
]
BEFORE = ["", '">', "'>", "</p>", "</mark>", "</textarea>", "</title>", "</script>", "</style>"]
BEFORE += ["</svg>", "-->", "]]>", "</ul></li></ol>", "</form>", "\\", "%00", "é😀"]

PAYLOADS = list(islice((b + live + a for a, b, live in product(["", "<!--"], BEFORE, LIVE)), 1000))
