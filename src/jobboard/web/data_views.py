"""What /admin/data shows of each table, and the verbs behind what can be edited."""

from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from jinja2 import DictLoader
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette_admin.contrib.sqla import Admin, ModelView
from starlette_admin.exceptions import FormValidationError
from starlette_admin.fields import TextAreaField

from jobboard.accounts import service as accounts
from jobboard.accounts.models import Person
from jobboard.accounts.schemas import Actor, FullName
from jobboard.applications.models import Application
from jobboard.audit import service as audit
from jobboard.audit.models import Action, AuditEntry, Subject
from jobboard.companies import service as companies
from jobboard.companies.models import Company, CompanyMember
from jobboard.companies.schemas import CompanyUpdate
from jobboard.errors import DomainError
from jobboard.jobs import service as jobs
from jobboard.jobs.models import Job, JobEvent, JobReport
from jobboard.jobs.schemas import JobUpdate
from jobboard.schema import Input, field_errors
from jobboard.uploads.models import Upload
from jobboard.web.assets import static_url

# The library's frame asks another site for its font; ours is the reader's own.
# Its first page offers to add rows, which nobody can here; and nothing leads out of it.
TEMPLATES = {
    "base.html": '{% extends "@starlette-admin/base.html" %}{% block fonts %}{% endblock %}',
    "layout.html": """{% extends "@starlette-admin/layout.html" %}
{% block sidebar_footer %}
<ul class="navbar-nav"><li class="nav-item">
<a class="nav-link" href="/admin">Back to the board</a>
</li></ul>
{% endblock %}""",
    "index.html": """{% extends "layout.html" %}
{% block content %}
<h2>{{ app_title }}</h2>
<p>What the board keeps, table by table. A pencil stands beside what can be changed; each change is
told to the audit log, and nothing is made or deleted here.</p>
<div class="list-group">
{% for view in views if view|is_model_view %}
{% set address = url_for(__name__ ~ ':list', key=view.key) %}
<a class="list-group-item list-group-item-action" href="{{ address }}">{{ view.menu_label }}</a>
{% endfor %}
</div>
{% endblock %}""",
    # Without "add another": nothing is added.
    "_form_footer.html": """<div class="card-footer"><div class="btn-list justify-content-end">
<a href="{{ back_url(request, view.key) }}" class="{{ cls('form.cancel_button') }}">Cancel</a>
<button type="submit" class="{{ cls('form.save_button') }}">Save</button>
</div></div>""",
}


class View(ModelView):
    """A table to read: nothing is made or deleted, and only `editable` columns change.

    `shown` begins with what a person knows a row by, and ends with ids: a phone shows few columns.
    """

    editable: tuple[str, ...] = ()
    actions = []
    row_actions = ["view", "edit"]
    exporters = []
    importers = []
    page_size = 25

    def __init__(self, model: type[Any], label: str, shown: str, *, icon: str) -> None:
        names = shown.split()
        self.fields: Any = names  # the library makes fields of them
        self.exclude_fields_from_edit = [n for n in names if n not in self.editable]
        searched = {"full_name", "email", "name", "title", "filename", "action", "company_name"}
        self.searchable_fields = [name for name in names if name in searched]
        self.sortable_fields = [n for n in names if n.endswith("at") or n in searched]
        self.fields_default_sort = [("at" if "at" in names else "created_at", True)]
        super().__init__(model, icon=f"fa fa-{icon}", menu_label=label)
        for field in self.fields:  # the library takes all text for long
            if isinstance(field, TextAreaField) and field.name != "description":
                field.rows = 1

    def can_edit(self, request: Request) -> bool:  # noqa: ARG002 - the library asks so
        """Where a column is editable."""
        return bool(self.editable)

    def can_create(self, request: Request) -> bool:  # noqa: ARG002 - the library asks so
        """Nothing comes or goes by this way."""
        return False

    can_delete = can_export = can_import = can_create


class EditableView(View, ABC):
    """A table of which some columns can be mended, by the core's own verb."""

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Change a row, and tell the audit log which columns."""
        session: AsyncSession = request.state.session
        row = await self.find_by_pk(request, pk)
        given = {name: data[name] for name in self.editable if name in data}
        changed = {n: v for n, v in given.items() if (v or None) != (getattr(row, n) or None)}
        try:
            async with session.begin_nested():
                await self.change(session, request.state.actor, UUID(str(pk)), changed)
        except ValidationError as error:
            problems = field_errors(error.errors())
            raise FormValidationError(
                {each.pointer.strip("/").split("/")[0]: each.message for each in problems}
            ) from None
        except DomainError as error:
            name = error.errors[0].pointer.strip("/") if error.errors else self.editable[0]
            raise FormValidationError({name: error.message}) from None
        if changed:
            self._tell(request, UUID(str(pk)), sorted(changed))
        return row

    def _tell(self, request: Request, row_id: UUID, columns: list[str]) -> None:
        audit.record(
            request.state.session,
            Action.DATA_EDITED,
            person_id=request.state.actor.id,
            subject=(Subject(self.key or ""), row_id),
            details={"columns": columns},
        )

    @abstractmethod
    async def change(
        self, session: AsyncSession, actor: Actor, row_id: UUID, given: dict[str, Any]
    ) -> None:
        """Write what was `given`. Raises ValidationError, DomainError."""


class PersonName(Input):
    """What can be mended about a person."""

    full_name: FullName | None = None


class People(EditableView):
    """People: only a name is mended here; suspending has its own page."""

    editable = ("full_name",)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,  # noqa: ARG002 - the same for every table
        row_id: UUID,
        given: dict[str, Any],
    ) -> None:
        data = PersonName.model_validate(given)
        person = await accounts.get_account(session, row_id)
        accounts.require_not_erased(person)
        person.full_name = data.full_name or person.full_name
        await session.flush()


class Companies(EditableView):
    """Companies, changed as their owners change them."""

    editable = ("name", "website", "description")

    async def change(
        self, session: AsyncSession, actor: Actor, row_id: UUID, given: dict[str, Any]
    ) -> None:
        await companies.change(session, actor, row_id, CompanyUpdate.model_validate(given))


class Jobs(EditableView):
    """Jobs, changed as their companies change them: a live one may go back to the queue."""

    editable = ("title", "location", "description", "apply_url")

    async def change(
        self, session: AsyncSession, actor: Actor, row_id: UUID, given: dict[str, Any]
    ) -> None:
        await jobs.change(session, actor, row_id, JobUpdate.model_validate(given))


def make_app(engine: AsyncEngine, path: str, board_name: str, secret: str) -> Starlette:
    """The library's app, with every page below `path`; `secret` signs its cookies."""
    admin = Admin(
        engine,
        title=f"{board_name} data",
        favicon_url=static_url("icon.svg"),
        base_url=path,
        additional_loaders=[DictLoader(TEMPLATES)],
        secret_key=secret,
        timezone_config=None,
    )
    for view in (
        People(
            Person,
            "People",
            "full_name email role suspended_at suspension_reason created_at id",
            icon="user",
        ),
        Companies(
            Company,
            "Companies",
            "name slug website description former_name created_at id",
            icon="building",
        ),
        View(CompanyMember, "Members", "role created_at company_id person_id", icon="users"),
        Jobs(
            Job,
            "Jobs",
            "title company_name status status_reason location country description apply_url "
            "created_at submitted_at published_at expires_at source id",
            icon="briefcase",
        ),
        View(JobEvent, "Job steps", "step status at reason job_id person_id id", icon="list"),
        View(
            JobReport,
            "Reports",
            "reason note created_at resolved_at job_id resolved_by id",
            icon="flag",
        ),
        View(
            Application,
            "Applications",
            "stage created_at updated_at job_id person_id resume_id id",
            icon="inbox",
        ),
        View(Upload, "Files", "filename kind media_type size created_at person_id id", icon="file"),
        View(
            AuditEntry,
            "Audit log",
            "action at subject_kind details address person_id key_id subject_id request_id id",
            icon="book",
        ),
    ):
        admin.add_view(view)
    app = Starlette()
    admin.mount_to(app)
    return app
