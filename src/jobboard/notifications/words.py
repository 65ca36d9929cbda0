"""What stands in somebody's list of news, and where it leads: one line for each kind.

A kind that is not here is only mailed, such as the digest. No line names a person: who is erased
must not live on in the news of others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """`text` and `path`, each with the fields of the data between braces, or made of it."""

    text: str | Callable[[Data], str]
    path: str | Callable[[Data], str]

    def said(self, data: Data) -> tuple[str, str]:
        """The text and the path."""
        return _fill(self.text, data), _fill(self.path, data)


def _fill(template: str | Callable[[Data], str], data: Data) -> str:
    return template.format_map(data) if isinstance(template, str) else template(data)


def _ended(data: Data) -> str:
    jobs = data["jobs"]
    return (
        f"Your job has ended: {jobs[0]['title']}"
        if len(jobs) == 1
        else f"{len(jobs)} of your jobs have ended"
    )


def _found(data: Data) -> str:
    return (
        "A new job that you search for"
        if data["total"] == 1
        else f"{data['total']} new jobs that you search for"
    )


def _moved(data: Data) -> str:
    """To look, for the first time or again, is no answer."""
    said = "looks at your application" if data["stage"] == "viewed" else "answered"
    return f"{data['company']} {said}: {data['title']}"


JOB = "/employer/jobs/{job_id}"
WORDS: dict[str, Line] = {
    "application_received": Line(
        "New application: {title}", "/employer/applications/{application_id}"
    ),
    "application_moved": Line(_moved, "/me/applications/{application_id}"),
    "job_published": Line("Your job is live: {title}", JOB),
    "job_pending": Line("Your job is read once more: {title}", JOB),
    "job_rejected": Line("Please look at your job again: {title}", JOB),
    "job_removed": Line("Your job was removed: {title}", JOB),
    "job_expired": Line(
        _ended,
        lambda data: (
            f"/employer/jobs/{data['jobs'][0]['id']}" if len(data["jobs"]) == 1 else "/employer"
        ),
    ),
    "job_alert": Line(_found, "/me/alerts"),
    "member_joined": Line("A colleague acts for {company} now", "/employer"),
    "webhook_off": Line("Your webhook is off: {name}", "/employer/webhooks/{webhook_id}"),
    "password_changed": Line("Your password was changed", "/me/security"),
    "second_factor_on": Line("Two-step log-in is on", "/me/security"),
    "second_factor_off": Line("Two-step log-in is off", "/me/security"),
    "recovery_code_used": Line("A recovery code was used", "/me/security"),
}
