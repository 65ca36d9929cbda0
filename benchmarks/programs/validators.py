"""Validators: the time for hostile input, and the agreement with other judges.

    python -m benchmarks.programs.validators [PATH TO isemail_tests.xml]

The judges: email-validator, phonenumbers and, where the path of its test file is given, is_email.
Every disagreement is printed with the reason, so that it can be judged in its turn.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import email_validator
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from benchmarks.output import until_no_one_reads
from programs.validators import REGIONS, email, phone

HOSTILE = {
    "a long name": "a" * 100_000 + "@example.org",
    "no @": "a." * 50_000,
    "only @": "@" * 100_000,
    "dots in the domain": "a@" + "a." * 50_000,
    "hyphens in the domain": "a@" + "-" * 100_000,
    "quotes": '"' * 100_000 + "@a.example",
    "digits": "1" * 100_000,
    "parentheses": "(" * 50_000 + ")" * 50_000,
    "plus and spaces": "+ " * 50_000,
    "digits beyond ASCII": "\N{ARABIC-INDIC DIGIT ONE}" * 100_000,
}
FORMATS = ("E164", "INTERNATIONAL", "NATIONAL", "RFC3966")
KINDS = ("FIXED_LINE", "MOBILE", "TOLL_FREE")
# Where is_email draws the line between an address and none: beyond its RFC 5321 category.
ACCEPTED = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN", "ISEMAIL_RFC5321"}


def best(call: Callable[[], object]) -> float:
    """The shortest of five runs, in milliseconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def hostile() -> None:
    """The time for 100,000 characters of each kind of hostile input."""
    print(f"{'hostile input, 100,000 characters':38} {'e-mail':>9} {'phone':>9}")
    for name, text in HOSTILE.items():
        took = best(lambda text=text: email(text)), best(lambda text=text: phone(text, "DE"))
        print(f"{name:38} {took[0]:6.3f} ms {took[1]:6.3f} ms")


def cases(path: Path) -> Iterator[tuple[str, str, str]]:
    """Address, category and diagnosis; the file writes control characters as their symbols."""
    for test in ElementTree.parse(path).getroot().iter("test"):
        text = test.findtext("address") or ""
        plain = "".join(chr(ord(c) - 0x2400) if "\u2400" <= c <= "\u241f" else c for c in text)
        yield plain, test.findtext("category") or "", test.findtext("diagnosis") or ""


def known(address: str) -> bool:
    """The verdict of email-validator on the address alone, its domain not looked up."""
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return False
    return True


def report(title: str, results: list[tuple[bool, bool, str, str]]) -> None:
    """Agreement in per cent, and each kind of disagreement with an example."""
    agreed = sum(mine == theirs for mine, theirs, *_ in results)
    print(f"\n{title}: {agreed} of {len(results)} agree, {agreed / len(results):.1%}")
    kinds = Counter((mine, kind) for mine, theirs, kind, _ in results if mine != theirs)
    for (mine, kind), times in kinds.most_common():
        example = next(e for m, t, k, e in results if (m, k) == (mine, kind) and m != t)
        verdict = "accepted here" if mine else "refused here"
        print(f"  {times:4} {verdict}: {kind}; such as {example!r:.70}")


def measure_email(path: Path) -> None:
    """E-mail addresses against is_email and email-validator."""
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # names that may not be used are no syntax
    found = list(cases(path))
    against_is_email = [
        (email(text).valid, category in ACCEPTED, f"{diagnosis}: {email(text).reason}", text)
        for text, category, diagnosis in found
    ]
    report("is_email's own cases, is_email's verdict", against_is_email)
    against_library = [(email(t).valid, known(t), email(t).reason or d, t) for t, _, d in found]
    report("is_email's own cases, email-validator's verdict", against_library)


def numbers() -> Iterator[tuple[str, str, str, str]]:
    """Region, how it is written, a number as phonenumbers writes it, and the number in E.164."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in KINDS:
            kind_number = getattr(PhoneNumberType, kind)
            number = phonenumbers.example_number_for_type(region, kind_number)
            if number is None:
                continue
            for written in FORMATS:
                text = phonenumbers.format_number(number, getattr(PhoneNumberFormat, written))
                e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
                yield region, f"{kind} {written}", text, e164


def mistaken() -> Iterator[tuple[str, str]]:
    """Every example number with its last digit gone, doubled and five times over."""
    for region, written, text, _ in numbers():
        if written.endswith("E164"):
            for change in (text[:-1], text + text[-1], text + "55555"):
                yield region, change


def possible(text: str, region: str) -> bool:
    """Whether phonenumbers takes a number for possible, which it judges by the length."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def measure_phone() -> None:
    """Phone numbers against phonenumbers."""
    written = [
        (phone(text, region).text == e164, True, f"{kind}: {phone(text, region).reason}", text)
        for region, kind, text, e164 in numbers()
    ]
    report(f"example numbers of {len(REGIONS)} regions, normalised as phonenumbers does", written)
    lengths = []
    for region, text in mistaken():
        verdict = phone(text, region)
        kind = verdict.reason.partition(" for ")[0] or "a length that phonenumbers leaves out"
        lengths.append((verdict.valid, possible(text, region), kind, text))
    report("mistaken lengths, is_possible_number", lengths)


def main() -> None:
    hostile()
    for argument in sys.argv[1:]:
        measure_email(Path(argument))
    measure_phone()


if __name__ == "__main__":
    until_no_one_reads(main)
