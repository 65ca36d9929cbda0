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
from tests.api.goodwill import amend
from tests.api.served import Served
from tests.api.stage import set_up

pytestmark = pytest.mark.slow
# Good requests only: links lead from what was made.
CONFIG = {
    "generation": {"mode": "positive"},
    "phases": {"stateful": {"inference": {"algorithms": []}}},  # our own links, no guesses
}
JOURNEYS, STEPS = 8, 6
# Parts of the API that belong together, and a link of each that must be among those followed.
STORIES = {
    r"/(companies|api-keys)": "POST /api/v1/companies -> PATCH /api/v1/companies/{id}",
    r"/api/v1/(companies|jobs)$|/jobs/.id.$": "POST /api/v1/companies -> POST /api/v1/jobs",
    r"/api/v1/(resumes|images)": "POST /api/v1/images -> GET /api/v1/images/{id}",
    r"/api/v1/tasks": "POST /api/v1/tasks -> PATCH /api/v1/tasks/{id}",
}


def who_plays(case: Case) -> str:
    """The part in a story: candidates apply, admins decide, the rest is the employer's."""
    if "/admin/" in case.path:
        return "admin"
    applies = case.method == "POST" and case.path.endswith(("/applications", "/withdraw"))
    return "candidate" if applies or "/resumes" in case.path else "employer"


@pytest.mark.parametrize("paths", STORIES)
def test_links_lead_on(server: Served, paths: str) -> None:
    stage, followed = set_up(server), Counter[str]()
    made = set[str]()
    machine = read_schema(CONFIG).include(path_regex=paths).as_state_machine()
    with requests.Session() as http:

        class Journey(machine):  # ty: ignore[unsupported-base]
            """One story."""

            def before_call(self, case: Case) -> None:
                amend(case, stage, who_plays(case), made)

            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                headers = stage.headers(who_plays(case))
                return {"base_url": stage.address, "session": http, "headers": headers}

            def validate_response(
                self, response: Response, case: Case, *args: Any, **kwargs: Any
            ) -> None:
                if response.status_code == 201:
                    made.add(response.json()["id"])
                checks = excluded(case, good=True)
                case.validate_response(
                    response,
                    excluded_checks=checks,
                    transport_kwargs=kwargs,
                    recorder=self.recorder,
                )

            def step(self, input: StepInput) -> StepOutput:
                output = super().step(input)
                if input.transition is not None and input.is_applied:
                    source = input.transition.id.partition(" -> ")[0]
                    followed[f"{source} -> {input.case.operation.label}"] += 1
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
    assert followed[STORIES[paths]] > 0, followed
