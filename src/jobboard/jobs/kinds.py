"""Reads what kind of job it is: the contract, the experience asked for, where the work is done."""

import re
from typing import Literal

from jobboard.infra.textrepair import tidy
from jobboard.jobs.places import Remote, parse_location, remote_words

EmploymentType = Literal[
    "full_time", "part_time", "contract", "temporary", "internship", "volunteer", "other"
]
Experience = Literal["entry", "junior", "mid", "senior", "lead", "executive"]

_MAX_TEXT = 300

# The first that matches wins: "internship, full-time" is an internship, "full or part-time" is
# full-time. "Regular" and "permanent" say nothing of the hours, so they stay unread.
_EMPLOYMENT: tuple[tuple[EmploymentType, str], ...] = (
    ("volunteer", r"volunteer\w*|ehrenamt\w*|bénévol\w*|pro bono"),
    (
        "internship",
        r"intern|interns|internships?|trainee|traineeship|apprentice\w*|praktik\w*|stagiaire"
        r"|werkstudent\w*|working student|co-op|ausbildung|alternance",
    ),
    (
        "contract",
        r"contract|contractor|contractors|freelanc\w*|self[- ]employed|1099|c2c|b2b"
        r"|corp[- ]to[- ]corp|freiberuf\w*|indépendant|zzp",
    ),
    (
        "temporary",
        r"temp|temporary|temps|seasonal|fixed[- ]?term|befristet\w*|interim|casual|per diem|prn"
        r"|cdd|short[- ]term|zeitarbeit|aushilfe\w*",
    ),
    ("full_time", r"full[- ]?time|full(?= or part)|vollzeit|temps plein|tiempo completo"),
    ("part_time", r"part[- ]?time|teilzeit|minijob|temps partiel|medio tiempo|half[- ]?time"),
    ("other", r"other|sonstiges|autre|otro"),
)

_EMPLOYMENT_WORDS = [(kind, re.compile(rf"(?<!\w)(?:{w})(?!\w)", re.I)) for kind, w in _EMPLOYMENT]

# What a field that asks for the level says. LinkedIn's "mid-senior" takes a mid person.
_LEVELS: tuple[tuple[Experience, str], ...] = (
    ("executive", r"executive|director|c[- ]level|vp"),
    ("lead", r"lead|principal|staff|manager"),
    ("mid", r"mid|mid[- ]?senior|mid[- ]?level|intermediate|medior|experienced|berufserfahren\w*"),
    ("senior", r"senior|sr"),
    ("junior", r"junior|jr|associate"),
    ("entry", r"entry|entry[- ]?level|intern|internship|graduate|trainee|student|einsteiger\w*"),
)
_LEVEL_WORDS = [(level, re.compile(rf"(?<!\w)(?:{w})(?!\w)", re.I)) for level, w in _LEVELS]

# What a title says. Account executives, product managers and staff nurses have no level by that.
_TITLES: tuple[tuple[Experience, str], ...] = (
    (
        "executive",
        r"(?<!assistant to )(?:chief \w+(?: \w+)? officer|ceo|cfo|coo|ciso|cmo|cpo|(?:[se]|as)?vp"
        r"|vice president|managing director|managing partner|head of|geschäftsführ\w*"
        r"|(?<!to the )director(?! reports))",
    ),
    (
        "lead",
        r"lead(?! gen)|team ?leader|tech ?lead|principal|distinguished|teamleit\w*"
        r"|staff (?:[\w/&]+ ){0,3}?(?:engineer|developer|scientist|designer|researcher|architect"
        r"|product manager)",
    ),
    ("senior", r"(?:senior|sr)(?! (?:living|care|citizen|housing|service|center|community))"),
    ("mid", r"mid[- ]?level|intermediate|mid(?= )|medior"),
    ("junior", r"junior|jr"),
    (
        "entry",
        r"entry[- ]level|intern|interns|internship|trainee|apprentice\w*|new grad\w*"
        r"|graduate(?! (?:school|nurse|program\w* (?:manager|coordinator)))|werkstudent\w*"
        r"|praktik\w*|working student",
    ),
)
_TITLE_WORDS = [(level, re.compile(rf"(?<!\w)(?:{w})(?!\w)", re.I)) for level, w in _TITLES]
_ASSISTANT = re.compile(r"\b(?:assistant|secretary|support) to\b|\bexecutive assistant\b", re.I)

_FLAGS: dict[str, Remote] = {
    "remote": "remote", "telecommute": "remote", "true": "remote", "yes": "remote", "1": "remote",
    "hybrid": "hybrid", "on-site": "onsite", "onsite": "onsite", "on site": "onsite",
    "in office": "onsite", "office": "onsite",
}  # fmt: skip
_DENIALS = frozenset({"false", "no", "0"})
# "Engineer (Remote)", "Remote - Engineer"; not "Remote Sensing Engineer", "Hybrid Cloud Lead".
_TITLE_REMOTE = re.compile(
    r"(?:[(\[,|/:\u2013—]|\s-)\s*(?:[\w%]+\s){0,2}?(?P<after>remote|hybrid|work from home|wfh)\b"
    r"|^(?P<first>remote)\s(?!sens|support|monitor|access|hands|control|desktop|operat|pilot)"
    r"|\b(?P<before>remote|hybrid)\s*(?:[)\],|/\u2013—-]|$)"
    r"|\b(?P<phrase>(?:fully|100 ?%) remote|work from home|home[- ]based)\b",
    re.IGNORECASE,
)


def parse_employment_type(text: str | None) -> EmploymentType | None:
    """The kind of contract that a label names, or None."""
    line = tidy(text or "")[:_MAX_TEXT].replace("_", " ")
    line = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", line)  # FullTime
    return next((kind for kind, words in _EMPLOYMENT_WORDS if words.search(line)), None)


def parse_experience(title: str | None, text: str | None = None) -> Experience | None:
    """The level that a label (`text`) names, else the one that the title does, or None."""
    label, line = tidy(text or "")[:_MAX_TEXT], tidy(title or "")[:_MAX_TEXT]
    named = next((level for level, words in _LEVEL_WORDS if words.search(label)), None)
    if named or _ASSISTANT.search(line):
        return named
    return next((level for level, words in _TITLE_WORDS if words.search(line)), None)


def parse_remote(
    flag: bool | str | None, location: str | None, text: str | None = None
) -> Remote | None:
    """Where the work is done, from a field about it, the location and the title (`text`).

    Words win over a flag, for a flag cannot say hybrid. A flag that denies remote work means on
    site only if the location names a place.
    """
    stated = str(flag).strip().lower() if flag is not None else ""
    exact = _FLAGS.get(stated)
    spoken = remote_words(location or "") or _remote_in_title(text or "")
    if spoken == "hybrid" or exact == "hybrid":
        return "hybrid"
    if exact or spoken:
        return exact or spoken
    return "onsite" if stated in _DENIALS and parse_location(location).places else None


def _remote_in_title(title: str) -> Remote | None:
    found = _TITLE_REMOTE.search(tidy(title)[:_MAX_TEXT])
    if not found:
        return None
    return "hybrid" if "hybrid" in (found["after"] or found["before"] or "").lower() else "remote"
