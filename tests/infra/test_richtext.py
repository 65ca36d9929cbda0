"""Foreign HTML and damaged text, as people read it in the end, and what may never pass."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobboard.infra.htmltomarkdown import html_to_markdown
from jobboard.infra.richtext import (
    SCHEMES,
    TAGS,
    clean_line,
    html_and_text,
    markdown_to_html,
    plain_text,
)
from jobboard.infra.textrepair import tidy
from jobboard.infra.unglue import unglue
from tests.timing import grows_no_faster_than_length


def shown(source: str) -> str:
    """What a reader of an imported text sees."""
    return plain_text(markdown_to_html(html_to_markdown(source)))


@pytest.mark.parametrize(
    ("source", "markdown"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("One<br>two<br><br>three", "One\ntwo\n\nthree"),
        ("<ul><li>flour<li>salt</ul>", "- flour\n- salt"),
        ("<ol><li>mix</li><li>bake</li></ol>", "1. mix\n2. bake"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ul><li><ul><li>a</li><li>b</li></ul></li></ul>", "- a\n- b"),
        ("<ul><li><p>a</p><p>b</p></li></ul>", "- a\n\n  b"),
        ("<li>bare</li><li>items</li><p>then text</p>", "- bare\n- items\n\nthen text"),
        ("<h2>Title <b>bold</b></h2><p>x</p>", "## Title bold\n\nx"),
        ("<h2>C # ##</h2><h2>C#</h2><h2>#</h2>", "## C # \\##\n\n## C#\n\n## \\#"),
        ("<b>Duties:</b> bake <i>well</i>", "**Duties:** bake *well*"),
        ("<strong>Duties</strong>You bake", "**Duties** You bake"),
        ("<b>Senior Baker,</b><b>Bread</b>", "**Senior Baker, Bread**"),
        ("a<b>(b)</b>c", "a(**b**)c"),
        ("<p><b> </b><b>x</b></p>", "**x**"),
        ('<a href="https://e.com/a_(b)">our page</a>', "[our page](<https://e.com/a_(b)>)"),
        ('<a href="javascript:alert(1)">our page</a>', "our page"),
        ("Apply!<a href='https://example.com'>here</a>", "Apply\\![here](https://example.com)"),
        ("<table><tr><td>Pay</td><td>good</td></tr><tr><td>Leave</td><td>30 d</td></tr></table>",
         "Pay | good\nLeave | 30 d"),
        ("<div>a</div><script>b()</script><style>c{}</style><!-- d --><p>e</p>", "a\n\ne"),
        ("<p></p><ul><li></li></ul><p>&nbsp;</p><p>x</p>", "x"),
        ("&lt;p&gt;Bread &amp;amp; rolls&lt;/p&gt;", "Bread & rolls"),
        ("&amp;lt;p&amp;gt;Bread &amp;amp;amp; rolls&amp;lt;/p&amp;gt;", "Bread & rolls"),
        ("We bake:\n\n- bread\n- rolls\n\nJoin us.", "We bake:\n\n- bread\n- rolls\n\nJoin us."),
        ("We offer: • lunch • a bicycle", "We offer:\n\n- lunch\n- a bicycle"),
        ("<ul><li>- Bake</li><li>\u2022 Sell</li></ul>", "- Bake\n- Sell"),
        ("<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"),
        ("a<b>.</b>b", "a.b"),
        ("&amp;amp;amp;lt;p&amp;amp;amp;gt;x", "\\<p>x"),
        ("## Duties\n**Bake** [now](https://e.com)", "## Duties\n\n**Bake** [now](https://e.com)"),
        ("5 * 3 and snake_case and #1 and 2 < 3", "5 \\* 3 and snake_case and #1 and 2 < 3"),
        ("# 1 bakery\n1. Bake\n> quote\n+ more", "# 1 bakery\n\n1\\. Bake\n\\> quote\n\\+ more"),
        ("List<String> and <you@example.com>", "List\\<String> and \\<you@example.com>"),
    ],
)  # fmt: skip
def test_markdown_of_foreign_text(source: str, markdown: str) -> None:
    assert html_to_markdown(source) == markdown


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 * 2", "a_b __init__ _x_", "[x] [y](z)", "`code`", "1. one", "===", "> a",
        "#1", "a | b\n--- | ---", "<b", "AT&T &copy", "\\*", "C:\\dir\\", "~~x~~",
        "100% *", "**", "![x](y)", "<!x", "x\n    indented", "& <3", "++", "+1", "2) two",
    ],
)  # fmt: skip
def test_signs_in_plain_text_stay_what_they_are(text: str) -> None:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    assert shown(text).split("\n") == lines


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        ("the place.We bake", "the place. We bake"),
        ("Join us!What we offer", "Join us! What we offer"),
        ("Benefits:Free bread", "Benefits: Free bread"),
        ("bread,Rolls", "bread, Rolls"),
        ("(and more).We bake", "(and more). We bake"),
        ("experienceYou bake", "experience You bake"),
        ("RequirementsYou bake", "Requirements You bake"),
        ("Baker (m/f/d)You bake", "Baker (m/f/d) You bake"),
        ("as aSenior Baker", "as a Senior Baker"),
        ("12 June 2026This is", "12 June 2026 This is"),
        ("$24.00Pay depends", "$24.00 Pay depends"),
        ("Information TechnologyTime Type: full", "Information Technology Time Type: full"),
        ("in the U.S.Learn more", "in the U.S. Learn more"),
        ("post by 08/14/26Ways of working", "post by 08/14/26 Ways of working"),
        ("mail and/or packages.Run mail", "mail and/or packages. Run mail"),
    ],
)
def test_glued_words_come_apart(damaged: str, mended: str) -> None:
    assert unglue(damaged) == mended


@pytest.mark.parametrize(
    "name",
    [
        "Node.js", "Node.Js", "ASP.NET", "Asp.Net Core", "U.S.A", "e.g. This", "Ph.D.In", "v1.2",
        "Booking.com", "Booking.Com", "One.Walmart.com", "System.Text.Json",
        "https://example.com/A.B",
        "me@example.Com", "JavaScript", "TypeScript", "GitHub", "LinkedIn", "PowerPoint", "YouTube",
        "iPhone", "eCommerce", "McLean", "DevSecOps", "std::Vector", "#GreatPlaceToWork",
        "OAuth2Client",
        "St.Louis", "webMethods", "BigQuery", "ServiceNow", "(MINT-)Studium",
    ],
)  # fmt: skip
def test_names_stay_whole(name: str) -> None:
    assert unglue(f"we use {name} daily") == f"we use {name} daily"


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        ("a\u00a0b\u2003c\u202fd", "a b c d"),
        ("a\u2028b\u2029c\r\nd\re", "a\nb\nc\nd\ne"),
        ("a\x00b\x07c\x7f\u200b\ufeff\u00ad", "abc"),
        ("don\x92t", "don\u2019t"),
        ("lone \ud800 half", "lone  half"),
        ("Ã©tÃ© â€™ â€œ Â°", "été \u2019 “ °"),
        ("CAFÉ™ and €50", "CAFÉ™ and €50"),
        ("Ã\u201b", "Ã\u201b"),
        ("donâ€™t €™ €¢", "don\u2019t \u2019 •"),
        ("&amp;amp;amp; &nbsp &#39; &#x1F35E;", "&   ' 🍞"),
        ("&amp;amp;amp;amp;lt;", "&lt;"),
        ("?a=1&region=2&copy=3", "?a=1&region=2&copy=3"),
        ("Normal 0 false false false EN-US X-NONE X-NONE Bread", " Bread"),
        ("\u202eevil\u202c", "evil"),
        ("👩\u200d🍳", "👩\u200d🍳"),
        ("e\u0301", "é"),
    ],
)
def test_certain_damage_is_mended(damaged: str, mended: str) -> None:
    assert tidy(damaged) == mended


def test_a_line_is_one_clean_line() -> None:
    assert clean_line("  <b>Baker</b> &amp;amp; cook\n(m/f/d) ", 100) == "Baker & cook (m/f/d)"
    assert clean_line("Baker of breads", 8) == "Baker o…"
    assert clean_line("C++ <Developer>", 100) == "C++ <Developer>"
    assert clean_line("\x00 \u200b", 100) == ""


def test_headings_begin_below_the_pages_own() -> None:
    html = markdown_to_html("# a\n\n### b\n\n# c")
    assert re.findall(r"<(h\d)>", html) == ["h2", "h3", "h2"]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("one\ntwo  \nthree\n\nfour", "<p>one<br>\ntwo<br>\nthree</p>\n<p>four</p>"),
        ("**a** *b* `c<d` & e", "<p><strong>a</strong> <em>b</em> <code>c&lt;d</code> &amp; e</p>"),
        ("- a\n  1. b\n\n3. c",
         '<ul>\n<li>a\n<ol>\n<li>b</li>\n</ol>\n</li>\n</ul>\n<ol start="3">\n<li>c</li>\n</ol>'),
        ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>"),
        ("> a\n\n***", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr>"),
        ("```py\na <b>\n```", "<pre><code>a &lt;b&gt;\n</code></pre>"),
        ("|a|\n|-|\n|*b*|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n"
         "<tbody>\n<tr>\n<td><em>b</em></td>\n</tr>\n</tbody>\n</table>"),
        ("    *indented*\n      twice", "<p><em>indented</em><br>\ntwice</p>"),
        ("<b>bold</b>\n<div>\n*x*\n</div>",
         "<p>&lt;b&gt;bold&lt;/b&gt;<br>\n&lt;div&gt;<br>\n<em>x</em><br>\n&lt;/div&gt;</p>"),
        ("\\<b> \\\\<b> `\\<b>`", "<p>&lt;b&gt; \\&lt;b&gt; <code>\\&lt;b&gt;</code></p>"),
        ("[Pay]: 4000", "<p>[Pay]: 4000</p>"),
        ("[Pay]: 4000\n[Pay]: 5000\n\n`x[0]: y`",
         "<p>[Pay]: 4000<br>\n[Pay]: 5000</p>\n<p><code>x[0]: y</code></p>"),
        ('[here](www.example.com "our page")', '<p>[here](www.example.com "our page")</p>'),
        ("![logo](/logo.png)", "<p>[logo](/logo.png)</p>"),
        ("a \ufdd0b\ufdd1 c", "<p>a b c</p>"),
    ],
)  # fmt: skip
def test_markdown_as_people_type_it(markdown: str, html: str) -> None:
    assert markdown_to_html(markdown) == html


@pytest.mark.parametrize(
    ("markdown", "to"),
    [
        ("[x](https://e.com/a_(b)?c=1&d=<2>)", "https://e.com/a_(b)?c=1&amp;d=&lt;2&gt;"),
        ("<mailto:us@e.com>", "mailto:us@e.com"),
        ("<us+jobs@e.com>", "mailto:us+jobs@e.com"),
        ("<HTTPS://e.com>", "HTTPS://e.com"),
        ("![a picture](https://e.com/p.png)", "https://e.com/p.png"),
    ],
)
def test_links(markdown: str, to: str) -> None:
    assert f'<a href="{to}"' in markdown_to_html(markdown)


@pytest.mark.parametrize(
    "markdown",
    ["# a\n\n- b\n  - c\n\n|d|e|\n|-|-|\n|f|g|\n\n> h\n***\ni\nj *k*`l`", "a < b \\& c",
     "[a](b) ![](https://e.com)", "a\u00a0b\u200b  c", "- " * 30 + "deep\n\n\nb", ""],
)  # fmt: skip
def test_the_words_are_those_of_the_page(markdown: str) -> None:
    html, words = html_and_text(markdown)
    assert html == markdown_to_html(markdown)
    assert words == plain_text(html)


def test_markup_that_shows_is_among_the_words() -> None:
    assert html_and_text("Write `<p>` or &lt;b&gt; here")[1] == "Write <p> or <b> here"


@pytest.mark.parametrize(
    "piece",
    ["[", "![", "[a](", "[](", "**a", "*_", "- a\n", "-\n", "- - - - a\n", "1. 1. 1. a\n",
     "> > a\n", "a\n", "|a|\n|-|\n\n", "<a@b.c>"],
)  # fmt: skip
def test_no_text_takes_long_to_show(piece: str) -> None:
    def show(length: int) -> None:
        html = markdown_to_html(piece * (length // len(piece)))
        assert len(html) < 15 * length

    assert grows_no_faster_than_length(show, length=50_000)


@pytest.mark.parametrize("columns", [1, 20, 200, 5000])
def test_a_table_does_not_grow_to_many_times_its_length(columns: int) -> None:
    source = "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "|\n" * 10_000
    assert len(markdown_to_html(source)) < 5 * len(source)


@pytest.mark.parametrize(
    "source",
    [
        "*a* < b\n[c\n\n\nd & e" + "[" * 50_000,
        "first\r\n\r\n" + "- a\n" * 10_000 + "last",
        "> " * 30 + "deep",
        "- " * 12 + "deep\n\nafter",
    ],
)
def test_what_is_too_much_to_parse_shows_as_it_stands(source: str) -> None:
    html = markdown_to_html(source)
    check_safe(html)
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br"}
    assert re.sub(r"\s", "", plain_text(html)) == re.sub(r"\s", "", source)


def test_links_are_marked_as_not_ours() -> None:
    html = markdown_to_html(
        "[x](https://example.com) <https://example.com> [y](/admin) [z](data:x)"
    )
    assert html.count('rel="nofollow noopener ugc"') == html.count("<a ") == 2


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>", "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>", "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))", "[x](&#106;avascript:alert(1))", "[x](<javascript:alert(1)>)",
    "[x]: javascript:alert(1)\n\n[x]", "![x](https://example.com/pixel.png)",
    "<javascript:alert(1)>",
    "<iframe src=//example.com></iframe>", "<base href=//example.com>",
    "<form action=x><input></form>",
    "<div style='background:url(javascript:x)' onclick=x>y</div>", "<math><mi xlink:href=data:x>",
    "<<script>script>alert(1)<</script>/script>", "<scr<script>ipt>x</scr</script>ipt>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "<a href=\"https://example.com\" onmouseover=\"alert(1)\">x</a>",
    "`<img src=x onerror=alert(1)>`",
    "```<script>\n</script>\n```", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href=\"https://e.com/&quot; onclick=&quot;x\">x</a>",
    "[a](https://e.com \"x\\\" onclick=y\")",
    "<!--><img src=x onerror=alert(1)>-->", "<style>@import '//example.com'</style>", "<x:script>y",
    "<p><table><tr><td><script>x", "</p><script>", "<textarea><img src=x onerror=alert(1)>",
    "<a href=https://example.com/\"onclick=x>x</a>", "[\u202e](https://example.com)",
    "<meta http-equiv=refresh>",
]  # fmt: skip


class _Checker(HTMLParser):
    """Fails on everything that may not be in our HTML."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS.split(), tag
        for name, value in attrs:
            assert name in {"href", "title", "rel", "start"}, name
            if name == "href":
                assert value is not None
                assert value.split(":", 1)[0].lower() in SCHEMES, value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def check_safe(html: str) -> None:
    """Only allowed tags and attributes, and links that lead nowhere harmful."""
    checker = _Checker()
    checker.feed(html)
    checker.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_passes(attack: str) -> None:
    check_safe(markdown_to_html(attack))
    check_safe(markdown_to_html(html_to_markdown(attack)))
    check_safe(markdown_to_html(html_to_markdown(f"<p>x {attack} y</p>")))


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [*ATTACKS, *"*_`#[]()!<>&\\|~-+=:\n ", "&amp;", "<b>", "</b>", "<li>", "</ul>"]
        ),
        st.text(max_size=10),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(PIECES)
def test_whatever_comes_is_safe_and_raises_nothing(source: str) -> None:
    check_safe(markdown_to_html(source))
    check_safe(markdown_to_html(html_to_markdown(source)))
    plain_text(source)
    assert "\n" not in clean_line(source, 50)
    assert len(clean_line(source, 50)) <= 50


WORDS = st.lists(st.text("abcdefgh*_#[]!`~", min_size=1, max_size=8), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["p", "li", "h2", "b", "i", "td"]))
def test_every_word_survives_the_way_through(paragraphs: list[list[str]], tag: str) -> None:
    texts = [" ".join(words) for words in paragraphs]
    source = "".join(f"<p><{tag}>{text}</{tag}></p>" for text in texts)
    if re.search(r"\*\*|\]\(|(?<![^ ])#+ |(?<![^ ])[*-](?= )", source.replace(">", "> ")):
        return  # typed Markdown is taken as such
    read = re.sub(r"[\s|]+", "", shown(source))
    assert read == re.sub(r"\s+", "", "".join(texts))


@pytest.mark.parametrize(
    "piece",
    [
        "<div>", "<ul><li>", "<b>", "<a href=\"", "<", "<!--", "<script>", "&lt;p ", "&amp;", "**a",
        "[", "](", "a.B", "aaaaBbbb", "• ", "a\n\n", "<td>", "table.MsoNormalTable{", "Normal 0 ",
    ],
)  # fmt: skip
def test_time_grows_with_length_only(piece: str) -> None:
    def read(length: int) -> None:
        source = piece * (length // len(piece))
        html_to_markdown(source)
        plain_text(source)

    assert grows_no_faster_than_length(read, length=200_000)
