"""Word by word: what a search for it finds, and what it leaves alone."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.language import language_of
from jobboard.jobs.search import search
from tests.jobs.searching import Post, titles

anyio = pytest.mark.anyio

ENGLISH = "You will work with the team and we offer a friendly place to learn for all of us."
GERMAN = "Wir suchen dich für die Arbeit in unserem Team, und wir bieten dir einen guten Platz."
FRENCH = (
    "Nous recherchons une personne passionnée pour rejoindre notre équipe de développement à Lyon. "
    "Vous participez à la conception des produits, vous écrivez du code lisible et vous aidez vos "
    "collègues. Le poste est ouvert à toutes et à tous, avec ou sans diplôme, dès que possible. "
) * 4
SPANISH = (
    "Buscamos una persona con experiencia para nuestro equipo de desarrollo en Madrid. Trabajarás "
    "con otras personas en productos que utilizan miles de clientes cada día, y tendrás tiempo "
    "para aprender. Ofrecemos un contrato indefinido, horario flexible y un ambiente agradable. "
) * 4
# Title, tags, text.
JOBS: list[tuple[str, list[str], str]] = [
    ("C developer", [], ENGLISH),
    ("C++ developer", ["c++"], ENGLISH),
    ("Games programmer", ["C++17"], ENGLISH),
    ("C# engineer", [], ENGLISH),
    ("F# engineer", ["f#"], ENGLISH),
    ("Chief of staff", [], ENGLISH + " You report to the C-level and the C-Suite."),
    ("Go engineer", ["golang"], ENGLISH),
    ("R programmer", ["r"], ENGLISH),
    ("Chemist", [], ENGLISH + " You do R&D."),
    ("Web engineer", ["asp.net"], ENGLISH),
    ("Backend engineer", [], ENGLISH + " You know .NET and SQL."),
    ("Accountant", [], ENGLISH + " You report net income. See www.example.net for more."),
    ("Front-end wizard", ["node.js"], ENGLISH),
    ("Nodes inspector", [], ENGLISH),
    ("Release manager", [], ENGLISH + " You own our CI/CD."),
    ("Sales/Marketing lead", [], ENGLISH),
    ("IT support", [], ENGLISH),
    ("Phone support", [], ENGLISH + " It is a friendly team."),
    ("Café manager", [], ENGLISH),
    ("Teacher", [], ENGLISH),
    ("Coach", [], ENGLISH + " You teach people how to bank and go back."),
    ("Nursing assistant", [], ENGLISH),
    ("Bäcker (m/w/d)", [], GERMAN),
    ("Köchin", ["küche"], GERMAN),
    ("Krankenpfleger/in", [], GERMAN + " Die Straße ist nah."),
    ("Softwareentwickler", [], GERMAN),
    ("Die cast operator", [], ENGLISH),
    ("Développeur", [], FRENCH),
]
C_PLUS_PLUS = ["C++ developer", "Games programmer"]
FOUND: dict[str, list[str]] = {
    "c": ["C developer"],
    "c developer": ["C developer"],
    "C++": C_PLUS_PLUS,
    "c++": C_PLUS_PLUS,
    "c++ -games": ["C++ developer"],
    '"c++ developer"': ["C++ developer"],
    "C#": ["C# engineer"],
    "c# or f#": ["C# engineer", "F# engineer"],
    "f#": ["F# engineer"],
    "c-level": ["Chief of staff"],
    "go engineer": ["Go engineer"],
    "golang": ["Go engineer"],
    "r": ["R programmer"],
    "r&d": ["Chemist"],
    "R&D": ["Chemist"],
    ".net": ["Backend engineer", "Web engineer"],
    ".NET": ["Backend engineer", "Web engineer"],
    "asp.net": ["Web engineer"],
    "net income": ["Accountant"],
    "node.js": ["Front-end wizard"],
    "Node js": ["Front-end wizard"],
    "nodes": ["Front-end wizard", "Nodes inspector"],
    "ci/cd": ["Release manager"],
    "CI CD": ["Release manager"],
    "marketing": ["Sales/Marketing lead"],
    "sales/marketing": ["Sales/Marketing lead"],
    "front-end": ["Front-end wizard"],
    "front end": ["Front-end wizard"],
    "it": ["IT support"],
    "IT support": ["IT support"],
    "it support": ["IT support"],
    "cafe": ["Café manager"],
    "CAFÉ": ["Café manager"],
    "teachers": ["Teacher"],
    "banker": [],
    "nurse": ["Krankenpfleger/in", "Nursing assistant"],
    '"nurse"': ["Nursing assistant"],
    "nurs*": ["Nursing assistant"],
    "engineering -web -c# -f# -go": ["Backend engineer"],
    "Bäcker": ["Bäcker (m/w/d)"],
    "bäckers": ["Bäcker (m/w/d)"],
    "baecker": ["Bäcker (m/w/d)"],
    "backer": ["Bäcker (m/w/d)"],
    "go back": ["Coach"],
    "köchin": ["Köchin"],
    "kuche": ["Köchin"],
    "Krankenpfleger für Straßen": ["Krankenpfleger/in"],
    "strasse": ["Krankenpfleger/in"],
    "softwareentwickler*": ["Softwareentwickler"],
    "softwareent*": ["Softwareentwickler"],
    "die cast": ["Die cast operator"],
    "Die Softwareentwickler": ["Softwareentwickler"],
    "developpeur": ["Développeur"],
    "développeur or köchin": ["Développeur", "Köchin"],
    "-engineer -developer c*": [],
}


@anyio
async def test_word_by_word(session: AsyncSession, post: Post) -> None:
    for title, tags, text in JOBS:
        await post(title, tags=tags, description=text)
    await session.commit()
    found = {q: sorted(await titles(session, q=q, limit=100)) for q in FOUND}
    assert found == FOUND


SYNONYM_JOBS = [
    "Registered nurse",
    "RN",
    "Software developer",
    "Senior programmer",
    "Sr. fullstack engineer",
    "Full-stack engineer",
    "Human resources lead",
    "DevOps lead",
    "Part time baker",
    "Artist",
    "PM",
    "Project manager",
    "Software for developers of games, by an engineer",
]
SYNONYMS: dict[str, list[str]] = {
    "nurse": ["RN", "Registered nurse"],
    "rn": ["RN", "Registered nurse"],
    "nurses": ["RN", "Registered nurse"],
    '"registered nurse"': ["Registered nurse"],
    "software engineers": [
        "Senior programmer",
        "Software developer",
        "Software for developers of games, by an engineer",
    ],
    "senior software engineer": ["Senior programmer"],
    "full stack": ["Full-stack engineer", "Sr. fullstack engineer"],
    "fullstack": ["Full-stack engineer", "Sr. fullstack engineer"],
    "full-stack": ["Full-stack engineer", "Sr. fullstack engineer"],
    "senior full stack engineer": ["Sr. fullstack engineer"],
    "hr": ["Human resources lead"],
    "dev ops": ["DevOps lead"],
    "art": [],
    "parttime": ["Part time baker"],
    "pm": ["PM", "Project manager"],
    "project manager": ["Project manager"],
    "nurse -registered": ["RN"],
}


@anyio
async def test_synonyms_find_each_other(session: AsyncSession, post: Post) -> None:
    for title in SYNONYM_JOBS:
        await post(title)
    await session.commit()
    assert {q: sorted(await titles(session, q=q)) for q in SYNONYMS} == SYNONYMS


@pytest.mark.parametrize(
    ("title", "text", "language"),
    [
        ("Baker", ENGLISH, "en"),
        ("Software Engineer (m/w/d)", GERMAN, "de"),
        ("Software Engineer", "", "en"),
        ("Bäcker", "Für unsere Backstube suchen wir jemanden.", "de"),
        ("Développeur", FRENCH, "fr"),
        ("Desarrollador", SPANISH, "es"),
        ("招聘", "我们正在招聘一名软件工程师", "und"),
        ("", "", "en"),
        ("Bäcker", GERMAN + "x" * 501, "und"),
    ],
)
def test_the_language_of_an_ad(title: str, text: str, language: str) -> None:
    assert language_of(title, text) == language


@anyio
@pytest.mark.parametrize(
    "q",
    [
        "-" * 500,
        '"' * 499,
        "(" * 500,
        "a*" * 250,
        "*" * 500,
        "&|!<->:*'" * 50,
        "'' \\ ':*A",
        "ab* " * 125,
        "the of and " * 45,
        "c++c#.net" * 50,
        "\N{COMBINING ACUTE ACCENT}" * 500,
        "ẞ" * 500,
        "de:back",
        "or or or",
        "x" * 500,
    ],
)
async def test_whatever_is_typed_has_an_answer(session: AsyncSession, post: Post, q: str) -> None:
    await post("Baker")
    result = await search(session, JobSearch(q=q))
    assert result.total.value <= 1
