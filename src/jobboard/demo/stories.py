"""Who applied where on the demo board, what they wrote, and how far it went."""

from dataclasses import dataclass

from jobboard.applications.models import Stage
from jobboard.demo import people
from jobboard.jobs.models import ReportReason


@dataclass(frozen=True, slots=True)
class Story:
    """An application. `job` counts in `where`: the demo employer's live jobs ("own"), its closed
    ones, or jobs of "others". `notes` are the company's."""

    candidate: str
    where: str
    job: int
    path: tuple[Stage, ...]
    letter: str
    notes: tuple[str, ...] = ()
    resume: bool = False


SENT: tuple[Stage, ...] = ()
READ = (Stage.VIEWED,)
INVITED = (*READ, Stage.INTERVIEW)
OFFERED = (*INVITED, Stage.OFFER)
HIRED = (*OFFERED, Stage.HIRED)
REFUSED = (*READ, Stage.REJECTED)
WITHDRAWN = (Stage.WITHDRAWN,)
STORIES = (
    Story(
        people.CANDIDATE,
        "own",
        0,
        INVITED,
        "Hello,\n\nyour ad says what a week looks like, which is why I am writing to you and not "
        "to three others. I have done similar work for four years and would like to do it in a "
        "smaller team. I could begin on the first of next month.\n\nKind regards\nNoor Lindqvist",
        (
            "Clear letter, and the résumé has no gaps that matter. Let us talk.",
            "Telephone call went well: asks about mornings, could start next month.",
        ),
        resume=True,
    ),
    Story(
        people.CANDIDATE,
        "own",
        2,
        SENT,
        "I am looking for a place closer to home and would be glad of a trial day. My résumé is "
        "attached; ask me about the year abroad, it is the part I learned most in.",
        resume=True,
    ),
    Story(
        people.CANDIDATE,
        "own",
        1,
        REFUSED,
        "Most of this is new to me, but I learn quickly and live two streets away.",
        ("Friendly, but we need someone with a certificate for this one.",),
    ),
    Story(
        people.CANDIDATE,
        "others",
        0,
        OFFERED,
        "I read your ad twice, once for the work and once for the tone, and liked both. Attached "
        "is my résumé; two former colleagues are happy to be called.",
        resume=True,
    ),
    Story(
        people.CANDIDATE,
        "others",
        3,
        WITHDRAWN,
        "I would like to know more about the hours before anything else.",
    ),
    Story(
        "jonah.mbeki@example.org",
        "own",
        0,
        SENT,
        "After six years in one firm I would like to see how others do it. What I can do best is "
        "bring order into a busy morning. May I come by for an hour?",
    ),
    Story(
        "ilse.vantongeren@example.org",
        "own",
        0,
        OFFERED,
        "Your ad was sent to me by someone who used to work with you and misses it. I have nine "
        "years of experience and references from the last two places.",
        (
            "Knows the work inside out. Trial day on Thursday.",
            "Trial day was excellent, everyone would like to work with Ilse. Offer sent.",
        ),
    ),
    Story(
        "beatriz.sarmento@example.org",
        "own",
        0,
        REFUSED,
        "I am moving to your region in summer and looking for a first place there.",
        ("Cannot begin before July, we cannot wait that long.",),
    ),
    Story(
        "marek.dolny@example.org",
        "own",
        1,
        READ,
        "I come from another trade, but what you describe is what I did at the side for years. "
        "I would rather show you than write about it.",
    ),
    Story(
        "aylin.kaya@example.org",
        "own",
        1,
        INVITED,
        "Part of my training was in a house like yours. I am free from the 1st and can start "
        "with fewer hours if that helps.",
        ("Video call on Tuesday at ten. Ask about shifts.",),
    ),
    Story(
        "sunniva.brekke@example.org",
        "own",
        2,
        SENT,
        "Four languages, three jobs, one dog. I would like to stay somewhere for longer now.",
    ),
    Story(
        "peter.holmgaard@example.org",
        "closed",
        0,
        HIRED,
        "I have known your firm as a customer for ten years and would like to see it from inside.",
        ("Starts on the 1st. Contract signed, welcome packet is at the front desk.",),
    ),
    Story(
        "tomasz.wrobel@example.org",
        "closed",
        0,
        REFUSED,
        "I saw your ad on the last day and hope that I am not too late.",
        ("Good, but the place was promised the day before. Keep in mind for the next one.",),
    ),
)
RESUME = [
    "Noor Lindqvist",
    "candidate@example.com",
    "",
    "2022 to today   Shift coordinator, a workshop for ship interiors",
    "2019 to 2022   Assistant, municipal library, lending and events",
    "2018 to 2019   A year in Porto: language school, and work in a café",
    "2015 to 2018   Apprenticeship with final certificate",
    "",
    "Languages: English, German, Swedish; Portuguese for ordering and apologising",
    "Certificates: first aid, forklift, food hygiene",
    "Likes: repairing radios, long walks, choir on Thursdays",
]
REPORTER = "aylin.kaya@example.org"
REPORT = {
    "reason": ReportReason.WRONG,
    "note": "On the telephone they told me a lower wage than the ad says, and another town.",
}
