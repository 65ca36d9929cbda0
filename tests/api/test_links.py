"""The links of the API's schema lead on: Schemathesis makes things and follows them, step by step,
with all of its checks. What was just made is there, and what was thrown away is not."""

from collections import Counter
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis
from schemathesis import Case, Response
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput

from tests.api.fuzzing import excluded, read_schema
from tests.api.goodwill import amend, point_to_things
from tests.api.served import Served
from tests.api.stage import set_up

pytestmark = pytest.mark.slow
# Good requests only: links lead from what was made.
CONFIG = {
    "generation": {"mode": "positive"},
    "phases": {"stateful": {"inference": {"algorithms": []}}},  # our own links, no guesses
}
LED_BY = ("id", "job_id", "transfer_id")
JOURNEYS, STEPS = 8, 6
# Parts of the API that belong together, and what must lead on to something there.
STORIES = {
    r"/(companies|api-keys)": ["POST /companies"],
    r"v1/(companies|jobs)$|/jobs/.id.$": ["POST /companies"],
    r"v1/(companies|jobs)$|/submit|/approve": ["POST /companies", "POST /jobs/{id}/submit"],
    r"/approve|/jobs/.id./applications|v1/applications": [
        "POST /admin/jobs/{id}/approve",
        "POST /applications/{id}/withdraw",
    ],
    r"v1/(resumes|images)": ["POST /images"],
    r"v1/webhooks$|webhooks/.id.(/deliveries|/rotate)?$": ["POST /webhooks"],
    r"v1/tasks": ["POST /tasks"],
    r"v1/transfers": ["POST /transfers"],
    r"/wallets|/transfers/.id.": ["GET /wallets", "POST /admin/wallets/{id}/grants"],
    r"/me/sessions": ["GET /me/sessions"],
    r"auth/register|admin/people": ["POST /auth/register", "GET /admin/people"],
    r"v1/(companies|jobs)$|/reports|/remove|jobs/.id.$": ["POST /jobs/{id}/reports"],
}


def who_plays(case: Case) -> str:
    """The part in a story: candidates apply, admins decide, the rest is the employer's."""
    if "/admin/" in case.path:
        return "admin"
    applies = case.method == "POST" and case.path.endswith(("/applications", "/withdraw"))
    return "candidate" if applies or "/resumes" in case.path else "employer"


def ids(response: Response) -> list[str]:
    """The ids in an answer to which links lead: of the thing, or of those in a list."""
    is_json = response.headers["content-type"][0] == "application/json"
    answer = response.json() if is_json else None
    if not isinstance(answer, dict):
        return []
    things = [answer, *answer.get("items", [])]
    return [thing[name] for thing in things for name in LED_BY if name in thing]


@pytest.mark.parametrize("paths", STORIES)
def test_links_lead_on(server: Served, paths: str) -> None:
    followed = Counter[str]()
    machine = read_schema(CONFIG).include(path_regex=paths).as_state_machine()
    with requests.Session() as http:
        http.trust_env = False

        class Journey(machine):  # ty: ignore[unsupported-base]
            """One story, on a stage of its own."""

            def setup(self) -> None:
                self.stage, self.made = set_up(server), set[str]()

            def before_call(self, case: Case) -> None:
                # Schemathesis begins with any POST, also with a step in the middle of a life.
                if self.made.isdisjoint(case.path_parameters.values()):
                    point_to_things(case, self.stage, who_plays(case))
                amend(case, self.stage, who_plays(case), self.made)
                if case.operation.label == "POST /api/v1/jobs" and isinstance(case.body, dict):
                    case.body["description"] = "You cook."  # else it cannot be handed in

            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                headers = self.stage.headers(who_plays(case))
                return {"base_url": server.address, "session": http, "headers": headers}

            def validate_response(
                self, response: Response, case: Case, *args: Any, **kwargs: Any
            ) -> None:
                if response.status_code in {200, 201}:
                    self.made.update(ids(response))
                case.validate_response(
                    response,
                    excluded_checks=excluded(case),
                    transport_kwargs=kwargs,
                    recorder=self.recorder,
                )

            def step(self, input: StepInput) -> StepOutput:
                output = super().step(input)
                if input.transition is not None and input.is_applied:
                    source = input.transition.id.partition(" -> ")[0]
                    followed[source.replace("/api/v1", "")] += output.response.status_code < 300
                return output

        Journey.run(
            settings=hypothesis(
                max_examples=JOURNEYS,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
        )
    assert not [source for source in STORIES[paths] if not followed[source]], followed
