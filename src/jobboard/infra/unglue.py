"""Words glued where a tag was cut: "the place.We", "experienceYou" come apart again.

A joint counts only where a reader could not doubt it. Names (JavaScript, Booking.com), addresses,
abbreviations and versions stay whole; the tests hold them.
"""

import re
from string import ascii_letters


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Found by its capital, of which there are few; what stands before it decides.
_CANDIDATE = re.compile(r"[A-Z](?<=[a-z.!?:;,)0-9][A-Z])(?=[a-z])")
_BEFORE = re.compile(
    r"[a-z]{2}(?P<stop>[.!?:;,])$"  # "the place.We"
    r"|[a-z]{2}\)(?P<stop2>[.!?])$"  # "(and more).We"
    r"|[a-z]\)$|(?:\.\d\d|\d/\d\d)$"  # "(any of them)You", "$24.00Pay"
    r"|(?P<number>(?:(?:^|[^A-Za-z\d])\d{3,4}|\d{5})$)"  # "2026This"
    r"|(?P<initials>(?:[A-Z]\.){2}$)"  # "in the U.S.Learn"
    r"|(?P<word>[a-z]{2}|(?<![^ ])a)$"  # "experienceYou", "as aSenior"
)
_PARENTHESIS = re.compile(r"(?<=[a-z]\))(?=(?:and|or|to|in|for|with|the) )")
_LONG_WORD = re.compile(r"[A-Z][a-z]{3}")
# Labels of the forms that ads are copied from: "Information TechnologyTime Type: ...".
_LABEL = re.compile(
    r"(?:Job (?:Category|Family|Title|Type|Code|Description)|Brand|Address|Location|Department"
    r"|(?:Time|Employee|Contract|Employment|Position|Worker) Type)(?: \w+)?\s?:"
)
_REACH = 60  # characters looked at on each side, so that the work stays linear

# What follows the dot of a name: Node.Js, Booking.Com.
_NAME_ENDINGS = _set("js ts io net com org ai co tv app dev me de uk eu us cloud")
# Names whose first half is a lower-case word.
_LOWER_NAMES = _set(
    "webMethods openSpace theScore theSkimm cycleServe businessUnit backgroundColor createElement"
    " camelCase pascalCase innerText localStorage refererId applicationId openFrameworks"
    " helloFresh freeCodeCamp dataLayer openStreetMap commercetoolsCloud"
)
_ADDRESS = re.compile(r"://|www\.|@|::|\\|\w\.[a-z]{2,}/|^/")
_SMALL_WORDS = _set(
    "an the and or like to for of in with at by as our your is are from on we you if this"
)
# After a lower-case word, these short ones begin a sentence or a line.
_SHORT_STARTS = _set("a an as at be by do if in is it my no of on or our the to up we you let")
# The last word of a heading, or of an entry in a list, when the next one is stuck to it.
_HEADING_ENDS = _set(
    "requirements responsibilities qualifications description benefits skills summary duties"
    " experience education degree diploma overview purpose competencies attributes activities"
    " management development maintenance documentation insurance qualification standards"
    " guidelines procedures opportunities environment equivalent proficiency spreadsheets"
    " compensation reports employment permanent candidates members employees holidays"
    " role position team company title opportunity"
)
# The first word of a line or a sentence, when the one before is stuck to it.
_LINE_STARTS = _set(
    "the this these that there we you your our what who why how where when if in as at by for with"
    " to from all any each some no not must should will can may please also more most many"
    " location salary position role title department contract duration employment qualifications"
    " responsibilities requirements benefits education relocation travel industry accommodation"
    " experience experienced ability able strong excellent good great high proven demonstrated"
    " minimum knowledge proficient proficiency familiarity understanding willingness bachelor"
    " preferred preferably previous prior relevant flexible competitive generous qualified"
    " assist ensure provide perform maintain manage monitor develop develops support supports"
    " prepare review oversee participate participates collaborate communicate coordinate identify"
    " demonstrate demonstrable excellent successful candidates interested apply visit percentage"
    " diversity employee"
)


def unglue(text: str, gap: str = " ") -> str:
    """Put the lost break back between two words or sentences.

    `gap` goes between two phrases ("\\n" where the text came without markup); after a stop, a
    colon or a small word it is always a space.
    """
    parts, at = [], 0
    for capital in _CANDIDATE.finditer(text):
        if space := _gap(text, capital.start(), gap):
            parts += [text[at : capital.start()], space]
            at = capital.start()
    text = "".join([*parts, text[at:]]) if parts else text
    return _PARENTHESIS.sub(" ", text) if ")" in text else text


def _gap(text: str, at: int, gap: str) -> str:
    """What is missing before the capital at `at`: a space, a gap, or nothing."""
    before, after = text[max(0, at - _REACH) : at], text[at : at + _REACH]
    found = _BEFORE.search(before, max(0, len(before) - 5))
    left, right = before.rsplit(None, 1)[-1], after.split(None, 1)[0]
    if not found or _is_address(left + right):
        return ""
    if _LABEL.match(after):
        return gap
    if found["number"] or found["initials"]:
        return " " if _LONG_WORD.match(right) else ""
    if found["word"]:
        return _gap_in_word(left, right, gap)
    if found["stop"] == ".":
        return "" if _is_dotted_name(left[:-1], right) else " "
    if found["stop"] or found["stop2"]:
        return " "
    return "" if len(right) < 3 or right[2:3] == ")" or not right[:3].isalpha() else " "


def _is_address(token: str) -> bool:
    return _ADDRESS.search(token) is not None


def _is_dotted_name(left: str, right: str) -> bool:
    """Whether a dot stands inside a name: One.Walmart.com, System.Text.Json, Vue.Js."""
    rest = right.lstrip(ascii_letters)
    word = right.removesuffix(rest)
    inner = re.match(r"\.[A-Za-z]|\(", rest)
    return bool(inner) or "." in left.strip(".") or word.lower() in _NAME_ENDINGS


def _gap_in_word(left: str, right: str, gap: str) -> str:
    """What belongs inside "experienceYou" (a gap) and inside "JavaScript" (nothing)."""
    first, second = re.search(r"[A-Za-z]?[a-z]*$", left), re.match(r"[A-Z][a-z]+", right)
    if not first or not second or left[: first.start()][-1:] in tuple("_.-&=?"):
        return ""
    if left.startswith(("#", "@")):
        return ""
    one, two = first[0], second[0].lower()
    if one == "a" or one in _SMALL_WORDS:
        return "" if len(two) < 4 or one + second[0] in _LOWER_NAMES else " "
    if one.islower():
        phrase = len(one) > 3 and (len(two) > 3 or two in _SHORT_STARTS)
        return gap if phrase and one + second[0] not in _LOWER_NAMES else ""
    return gap if len(one) > 3 and _is_seam(one.lower(), two) else ""


def _is_seam(one: str, two: str) -> bool:
    if one in _HEADING_ENDS:
        return len(two) > 2 or two in _SHORT_STARTS
    return two in _LINE_STARTS and len(two) > 2  # not LinkedIn
