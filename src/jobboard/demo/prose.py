"""Writes an ad's description from what the vocabulary deals, in one of several layouts."""

from random import Random

from jobboard.demo.deck import Deck
from jobboard.demo.vocabulary import Employer, Occupation, Variant, Vocabulary
from jobboard.jobs.models import EmploymentType, Workplace

PARTS = {
    "opening": ("intro", "about", "duties", "hours", "needs", "scene", "offers", "next"),
    "people": ("about", "intro", "scene", "duties", "needs", "offers", "hours", "next"),
    "brief": ("intro", "duties", "needs", "hours", "about", "offers", "next"),
    "day": ("intro", "scene", "duties", "hours", "needs", "about", "offers", "next"),
    "offer": ("intro", "hours", "offers", "duties", "needs", "scene", "next"),
}
FEWER_HOURS = ("15 to 20", "18 to 24", "20", "20 to 25", "25", "20 to 30", "30")
MONTHS = {
    EmploymentType.TEMPORARY: ("five", "six", "eight", "twelve"),
    EmploymentType.CONTRACT: ("four", "six", "nine"),
    EmploymentType.INTERNSHIP: ("six", "nine", "twelve"),
}


class Writer:
    """Keeps the decks, so that two ads of one occupation share as little as possible."""

    def __init__(self, rng: Random, words: Vocabulary) -> None:
        phrases = words.phrases
        self._rng = rng
        self._phrases = {
            name: Deck(lines, rng) for name, lines in phrases.items() if isinstance(lines, list)
        }
        self._hours = {
            EmploymentType(kind): Deck(lines, rng) for kind, lines in phrases["hours"].items()
        }
        self._places = {
            Workplace(place): Deck(lines, rng) for place, lines in phrases["workplace"].items()
        }
        self._layouts = Deck(list(PARTS.values()), rng)
        self._own = {
            (key, part): Deck(getattr(occupation, part), rng)
            for key, occupation in words.occupations.items()
            for part in ("intros", "duties", "needs", "scenes")
        }
        self._offers = {
            key: Deck(employer.offers, rng) for key, employer in words.employers.items()
        }

    def describe(
        self,
        employer: Employer,
        occupation: Occupation,
        variant: Variant,
        workplace: Workplace,
        city: str,
    ) -> str:
        """Markdown of some 200 to 300 words."""
        parts = {
            "intro": self._own[occupation.key, "intros"].deal(),
            "about": self._rng.choice(employer.about),
            "duties": self._duties(occupation),
            "hours": self._terms(employer, variant, workplace),
            "needs": self._needs(occupation, variant),
            "scene": self._scene(occupation),
            "offers": self._listed("offers", self._offered(employer, variant)),
            "next": self._next(employer, variant),
        }
        text = "\n\n".join(parts[name] for name in self._layouts.deal())
        return text.replace("{company}", employer.name).replace("{city}", city)

    def _phrase(self, name: str) -> str:
        return self._phrases[name].deal()

    def _listed(self, name: str, items: list[str], *, led: float = 0.0) -> str:
        """A heading and a list, with a sentence between them in `led` of the cases."""
        lines = [f"## {self._phrase(f'headings_{name}')}", ""]
        if self._rng.random() < led:
            lines += [self._phrase(f"leads_{name}"), ""]
        return "\n".join([*lines, *(f"- {item}" for item in items)])

    def _duties(self, occupation: Occupation) -> str:
        duties = self._own[occupation.key, "duties"].hand(3)
        return self._listed("duties", [*duties, self._phrase("any_duties")], led=0.4)

    def _needs(self, occupation: Occupation, variant: Variant) -> str:
        needs = self._own[occupation.key, "needs"].hand(2)
        if variant.employment_type is not EmploymentType.VOLUNTEER:
            needs.append(self._phrase("any_needs"))
        return self._listed("needs", needs, led=0.3)

    def _scene(self, occupation: Occupation) -> str:
        scene = self._own[occupation.key, "scenes"].deal()
        heading = f"## {self._phrase('headings_scene')}\n\n" if self._rng.random() < 0.6 else ""
        return heading + scene

    def _offered(self, employer: Employer, variant: Variant) -> list[str]:
        if variant.employment_type is EmploymentType.VOLUNTEER:
            return self._phrases["offers_volunteer"].hand(3)
        return [*self._offers[employer.key].hand(2), self._phrase("any_offers")]

    def _terms(self, employer: Employer, variant: Variant, workplace: Workplace) -> str:
        """Hours, length of the contract, and where the desk stands."""
        kind = variant.employment_type
        terms = (
            self._hours[kind]
            .deal()
            .format(
                hours=employer.hours,
                part=self._rng.choice(FEWER_HOURS),
                months=self._rng.choice(MONTHS.get(kind, ("six",))),
            )
        )
        if workplace is Workplace.ONSITE:
            return terms
        return f"{terms} {self._places[workplace].deal()}"

    def _next(self, employer: Employer, variant: Variant) -> str:
        volunteers = variant.employment_type is EmploymentType.VOLUNTEER
        elsewhere = "next_elsewhere" if employer.applies_elsewhere else "next"
        way = self._phrase("next_volunteer" if volunteers else elsewhere)
        lines = [f"## {self._phrase('headings_next')}", "", way]
        if self._rng.random() < 0.5:
            lines += ["", self._phrase("welcome")]
        return "\n".join(lines)
