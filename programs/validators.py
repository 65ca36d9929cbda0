"""Validates e-mail addresses and phone numbers with regular expressions, and says what is wrong.

E-mail: the addresses that mail systems accept, by the HTML standard's rule and the limits of
RFC 5321. Phone: the usual ways to write a number, normalised to E.164. Whether anyone answers
cannot be seen from an address, and is not asked.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

NAME, VERSION = "validators", "1.0.0"


class Verdict(NamedTuple):
    """The normalised text; or the text as it was, and the reason why it is not valid."""

    text: str
    reason: str = ""

    @property
    def valid(self) -> bool:
        return not self.reason


# --- e-mail ---------------------------------------------------------------------------------------
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address allows one regular
# expression; here it is in parts, each of them linear, so that each part can give its reason.

LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
LABEL = re.compile(r"[A-Za-z0-9-]+")
WHITE_SPACE = " \t\n\f\r"  # of ASCII, as the HTML standard has it
MAX_ADDRESS, MAX_LOCAL, MAX_LABEL = 254, 64, 63  # RFC 5321, 4.5.3.1; RFC 1035, 2.3.4


def email(text: str) -> Verdict:
    """Whether mail systems accept an address; the domain is normalised to lower case.

    White space around it is dropped, as the HTML standard's e-mail field does.
    """
    address = text.strip(WHITE_SPACE)
    local, at, domain = address.rpartition("@")
    reason = "there is no @" if not at else address_fault(address, local, domain)
    return Verdict(text, reason) if reason else Verdict(f"{local}@{domain.lower()}")


def address_fault(text: str, local: str, domain: str) -> str:
    """What is wrong with an address, or nothing."""
    if len(text) > MAX_ADDRESS:
        return f"longer than {MAX_ADDRESS} characters"
    if not text.isascii():
        return "not ASCII: a domain is written in its xn-- form, and few systems take other names"
    return local_fault(local) or domain_fault(domain)


def local_fault(local: str) -> str:
    """What is wrong before the @, or nothing."""
    if not local:
        return "nothing before the @"
    if len(local) > MAX_LOCAL:
        return f"more than {MAX_LOCAL} characters before the @"
    if re.fullmatch('".*"', local):
        return "a quoted name before the @, which hardly any mail system accepts"
    if not LOCAL.fullmatch(local):
        return "a character that may not stand before the @"
    return dot_fault(local, "before the @")


def domain_fault(domain: str) -> str:
    """What is wrong behind the @, or nothing."""
    if not domain:
        return "nothing behind the @"
    if domain.startswith("["):
        return "a network address in place of a domain"
    labels = domain.split(".")
    reason = dot_fault(domain, "in the domain") or next(filter(None, map(label_fault, labels)), "")
    if reason:
        return reason
    if len(labels) == 1:
        return "no dot in the domain"
    return "a domain does not end in a number" if labels[-1].isdecimal() else ""


def dot_fault(text: str, where: str) -> str:
    """Dots separate: none is first, last or beside another (RFC 5321, 4.1.2)."""
    if text.startswith(".") or text.endswith("."):
        return f"a dot at an end {where}"
    return f"two dots in a row {where}" if ".." in text else ""


def label_fault(label: str) -> str:
    """What is wrong with one part of a domain, or nothing."""
    if not LABEL.fullmatch(label):
        return "a character that may not stand in a domain"
    if label.startswith("-") or label.endswith("-"):
        return "a hyphen at an end of a part of the domain"
    return f"a part of the domain is longer than {MAX_LABEL}" if len(label) > MAX_LABEL else ""


# --- phone ----------------------------------------------------------------------------------------

# Regions, calling code and the number of digits behind it, from the shortest to the longest fixed,
# mobile or toll-free number: facts taken from the metadata of phonenumbers 9.0.43, for +1 and +7
# set to ten. The groups are by trunk prefix: what one dials before the number inside the country,
# and leaves out from abroad.
PLANS = {
    "1": """
    AG/AI/AS/BB/BM/BS/CA/DM/DO/GD/GU/JM/KN/KY/LC/MP/MS/PR/SX/TC/TT/US/VC/VG/VI:1:10
    """,
    "": """
    AC:247:5 AD:376:6-9 AO:244:9 AW:297:7 BF:226:8 BH:973:8 BI:257:8 BJ:229:10 BN:673:7 BQ:599:7
    BT:975:7-8 BW:267:7-10 BZ:501:7-11 CF:236:8 CG:242:9 CI:225:10 CK:682:5 CL:56:9-11
    CM:237:8-9 CR:506:8-10 CV:238:7 CW:599:7-8 CY:357:8 CZ:420:9 DJ:253:8 DK:45:8 EE:372:7-10
    ES:34:9 FJ:679:7-11 FK:500:5 FM:691:7 FO:298:6 GA:241:7-8 GI:350:8 GL:299:6 GM:220:7-9
    GN:224:8-9 GQ:240:9 GR:30:10-12 GT:502:8-11 GW:245:9 GY:592:7 HK:852:8-9 HN:504:8-11
    HT:509:8 IO:246:7 IS:354:7-9 IT:39:6-12 KM:269:7 KW:965:7-8 LS:266:8 LU:352:4-11 LV:371:8
    MH:692:7 ML:223:8 MO:853:7-8 MR:222:8 MT:356:8 MU:230:7-10 MV:960:7-10 MX:52:10 MZ:258:8-9
    NC:687:6 NE:227:8 NF:672:6 NI:505:8 NO/SJ:47:8 NR:674:7 NU:683:4-7 OM:968:7-9 PA:507:7-11
    PF:689:8-9 PG:675:7-8 PL:48:7-10 PT:351:9 PW:680:7 QA:974:7-11 SB:677:5-7 SC:248:7
    SG:65:8-11 SH:290:4-5 SM:378:8-10 SN:221:9 SR:597:6-7 ST:239:7 SV:503:7-11 SZ:268:8 TA:290:4
    TD:235:8 TG:228:8 TJ:992:9 TK:690:4-7 TL:670:7-8 TN:216:8 TO:676:5-7 TV:688:5-7 UZ:998:9
    VA:39:6-11 VU:678:5-7 WF:681:6-9 WS:685:5-10
    800:800:8 808:808:8 870:870:9 878:878:12 881:881:9-10 882:882:7-12 883:883:9-12 979:979:9
    """,
    "8": """
    KZ/RU:7:10 TM:993:8
    """,
    "80": "BY:375:9-10",
    "06": """
    HU:36:8-9
    """,
    "0": """
    AE:971:5-12 AF:93:9 AL:355:7-9 AM:374:8 AR:54:10-11 AT:43:4-13 AU/CC/CX:61:7-10 AX:358:6-10
    AZ:994:9 BA:387:8-9 BD:880:6-10 BE:32:8-9 BG:359:6-12 BL/GP/MF:590:9 BO:591:8-9 BR:55:9-11
    CD:243:7-10 CH:41:9 CN:86:7-12 CO:57:8-11 CU:53:6-10 DE:49:5-13 DZ:213:8-9 EC:593:8-11
    EG:20:8-10 EH/MA:212:9 ER:291:7 ET:251:9 FI:358:5-10 FR:33:9 GB/GG:44:7-10 GE:995:9 GF:594:9
    GH:233:8-9 HR:385:7-9 ID:62:7-13 IE:353:7-10 IL:972:7-12 IM/JE:44:10 IN:91:8-13 IQ:964:8-10
    IR:98:6-10 JO:962:8-9 JP:81:8-13 KE:254:7-10 KG:996:9-10 KH:855:8-10 KI:686:5-8 KP:850:8-10
    KR:82:5-13 LA:856:8-10 LB:961:7-8 LI:423:7-9 LK:94:9 LR:231:7-9 LT:370:8 LY:218:9 MC:377:8-9
    MD:373:8 ME:382:8-9 MG:261:9 MK:389:8 MM:95:6-10 MN:976:8-10 MQ:596:9 MW:265:7-9 MY:60:8-10
    NA:264:8-9 NG:234:10-12 NL:31:7-11 NP:977:8-11 NZ:64:8-10 PE:51:8-9 PH:63:6-13 PK:92:8-11
    PM:508:6-9 PS:970:8-10 PY:595:7-11 RE/YT:262:9 RO:40:6-9 RS:381:6-12 RW:250:8-9 SA:966:9-10
    SD:249:9 SE:46:6-9 SI:386:6-8 SK:421:6-9 SL:232:8 SO:252:6-9 SS:211:9 SY:963:8-9 TH:66:8-13
    TR:90:10-13 TW:886:8-9 TZ:255:9 UA:380:9-10 UG:256:9 UY:598:6-12 VE:58:10 VN:84:8-10
    XK:383:8-12 YE:967:7-9 ZA:27:5-9 ZM:260:9 ZW:263:7-9
    """,
}
# How to call abroad, where it is not 00.
ABROAD = {
    "0011": "AU CC CX",
    "001": "GY HK ID KH KR MN SG TH",
    "002": "TW",
    "000": "KE TZ UG",
    "009": "NG",
    "010": "JP",
    "011": "FM MH PW",
    "119": "CU",
    "810": "BY KZ RU TJ TM",
}

MAX_WRITTEN = 64  # characters, with every space and parenthesis
DASHES = "\u2010-\u2015\u2212"
WRITTEN = re.compile(rf"[\d\s()./+{DASHES}-]*")
# Behind a digit, and with a digit behind it. The first sign decides, (?>...) never tries another.
EXTENSION = re.compile(r"(?>\D*\d.*?(?:ext|x|#|;)).*\d", re.IGNORECASE | re.DOTALL)
PAIR = re.compile(r"\([^()]*\)")


class Plan(NamedTuple):
    """How numbers are made in a region."""

    code: str
    shortest: int
    longest: int
    trunk: str
    abroad: str


def plans() -> Iterator[tuple[str, Plan]]:
    """Every region of the table with its plan."""
    exits = {region: prefix for prefix, regions in ABROAD.items() for region in regions.split()}
    for trunk, table in PLANS.items():
        for regions, code, lengths in (entry.split(":") for entry in table.split()):
            shortest, _, longest = lengths.partition("-")
            for region in regions.split("/"):
                abroad = exits.get(region, "011" if code == "1" else "00")
                yield region, Plan(code, int(shortest), int(longest or shortest), trunk, abroad)


def by_code(regions: dict[str, Plan]) -> dict[str, Plan]:
    """One plan for each calling code, wide enough for all regions that share it."""
    codes: dict[str, Plan] = {}
    for plan in regions.values():
        old = codes.get(plan.code, plan)
        shortest, longest = min(plan.shortest, old.shortest), max(plan.longest, old.longest)
        codes[plan.code] = old._replace(shortest=shortest, longest=longest)
    return codes


REGIONS = dict(plans())
CODES = by_code(REGIONS)


def phone(text: str, country: str | None = None) -> Verdict:
    """A number in E.164; `country`, such as DE, is where one without a country code belongs."""
    if reason := written_fault(text):
        return Verdict(text, reason)
    digits = "".join(str(int(character)) for character in text if character.isdecimal())
    home = REGIONS[country] if country else None
    if "+" in text:
        return international(text, digits)
    if home is None:
        return Verdict(text, "no country code, and no default country")
    if digits.startswith(home.abroad):
        return international(text, digits.removeprefix(home.abroad))
    return national(text, digits, home)


def written_fault(text: str) -> str:
    """What is wrong with the way a number is written, or nothing."""
    if len(text) > MAX_WRITTEN:
        return f"longer than {MAX_WRITTEN} characters"
    number = re.sub("^ *tel:", "", text, flags=re.IGNORECASE)
    if not WRITTEN.fullmatch(number):
        extension = EXTENSION.match(number)
        return "an extension, which E.164 has no place for" if extension else "not only a number"
    if not re.search(r"\d", number):
        return "no digits"
    if re.search(r"[()]", PAIR.sub("", number)):
        return "a parenthesis without its pair"
    return "a + that is not in front" if "+" in number.lstrip(" (")[1:] else ""


def international(text: str, digits: str) -> Verdict:
    """The verdict on digits that begin with a country's calling code."""
    for length in (1, 2, 3):  # no calling code is the beginning of another
        if plan := CODES.get(digits[:length]):
            return national(text, digits[length:], plan)
    return Verdict(text, "no country has this calling code")


def national(text: str, digits: str, plan: Plan) -> Verdict:
    """The verdict on digits inside a country, with or without the trunk prefix."""
    # A number may itself begin with 8, but none with 0 or 1 where that is the trunk prefix.
    if not plan.trunk.startswith("8") or len(digits) > plan.longest:
        digits = digits.removeprefix(plan.trunk)
    if plan.trunk in {"0", "1"} and digits.startswith(("0", plan.trunk)):
        return Verdict(text, f"no number begins with {digits[0]} behind +{plan.code}")
    if plan.shortest <= len(digits) <= plan.longest:
        return Verdict(f"+{plan.code}{digits}")
    size = "few" if len(digits) < plan.shortest else "many"
    return Verdict(text, f"too {size} digits for +{plan.code}")


# --- the command line -----------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.validators email ann@example.org "ann@example"
  python -m programs.validators phone --country DE "030 901820" "+44 (0)20 7946 0000"
  python -m programs.validators email --file addresses.txt
  cut -f 3 customers.tsv | python -m programs.validators phone --country US

One line for each: "valid" and the normalised form, or "invalid", the text and the reason, with tabs
between. Empty lines are passed over.
Exit codes: 0 all valid, 1 some are not, or refused, 2 wrong usage, 130 interrupted.
"""


class ValidatorError(Exception):
    """A refused request; the message is one line for the person who asked."""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def utf8(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode()


def region(argument: str) -> str:
    """A region of the command line."""
    if argument.upper() in REGIONS:
        return argument.upper()
    raise argparse.ArgumentTypeError(f"{argument!r} is not a country such as DE")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="Validate e-mail addresses and phone numbers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    commands = parser.add_subparsers(dest="kind", metavar="COMMAND", required=True)
    for kind in ("email", "phone"):
        command = commands.add_parser(kind, help=f"one or many: {kind}")
        command.add_argument("--file", type=Path, help="one on each line")
        command.add_argument("texts", nargs="*", type=utf8, help="without: standard input")
    command.add_argument("--country", type=region, help="of numbers without a country code")
    return parser


def texts(args: argparse.Namespace) -> Iterator[str]:
    """What is to be validated: of the command line, of a file or of standard input."""
    yield from args.texts
    if args.file:
        try:
            with args.file.open("rb") as stream:
                yield from lines(stream)
        except OSError as error:
            raise ValidatorError(f"{args.file}: {error.strerror}") from error
    elif not args.texts:
        if sys.stdin is None:
            raise ValidatorError("standard input is closed")
        yield from lines(sys.stdin.buffer)


def lines(stream: Iterable[bytes]) -> Iterator[str]:
    """The lines that are not empty; a byte that is not UTF-8 stays visible, and is not valid."""
    encoding = "utf-8-sig"  # which drops a byte order mark, of the first line only
    for line in stream:
        if text := line.decode(encoding, errors="backslashreplace").rstrip("\r\n"):
            yield text
        encoding = "utf-8"


def show(verdict: Verdict) -> str:
    """A verdict as a line; of a text that is not valid, the beginning, without control signs."""
    if verdict.valid:
        return f"valid\t{verdict.text}"
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in verdict.text[:100])
    return f"invalid\t{text}\t{verdict.reason}"


def run(args: argparse.Namespace) -> int:
    """Print a verdict on each text."""
    code = 0
    for text in texts(args):
        verdict = email(text) if args.kind == "email" else phone(text, args.country)
        print(show(verdict))
        code = code if verdict.valid else 1
    return code


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return run(build_parser().parse_args(argv))
        finally:
            print(end="", flush=True)  # what is wrong with standard output shows here
    except ValidatorError as error:
        return refuse(error)
    except OSError as error:
        if sys.stdout:  # nothing more can be printed there, not even by the interpreter as it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if isinstance(error, BrokenPipeError) else refuse(error)
    except KeyboardInterrupt:
        return 130


def refuse(error: Exception) -> int:
    """One line on standard error; were that closed, `print` would take standard output."""
    if sys.stderr:
        with suppress(OSError):
            # The name of a file is UTF-8 too, whatever the locale took its bytes for.
            text = str(error).encode(errors="surrogateescape").decode(errors="backslashreplace")
            print(f"{NAME}: {' '.join(text.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
