"""The pages: a thin door. Parse, call one function of the core, draw a template.

How a page is made:
- Take what you need from `deps`: SessionDep, SettingsDep, EnginesDep, ViewerDep (who looks, or
  None), ActorDep (must be logged in), FormDep (every POST: checked against forged forms).
- Draw with `rendering.render(request, "area/page.html", private=True, ...)`; `private` for all
  that is not for everyone. Templates extend `base.html` (blocks `title`, `head`, `content`) and
  draw fields with `macros.html`; filters such as `pay`, `age`, `label` are in `formatting`.
- A form is a `forms.Form`: kept as typed, errors beside the fields; see its docstring. After a
  success answer with `deps.redirect(request, "/where", "What happened.")`.
- Everything else is an exception of `jobboard.errors`; `errors.render` draws its page.
- The look is in `static/`: `base.css` (layers, tokens, text), `layout.css` (frame, columns),
  `components.css` (buttons, fields, cards, ...). No inline script or style: the CSP refuses them.
  Scripts are ES modules that make a whole page quicker, linked in the block `head`.
"""

from fastapi import APIRouter

from jobboard.web import (
    accounts,
    admin,
    admin_analytics,
    admin_audit,
    admin_background,
    admin_people,
    admin_synonyms,
    admin_wallets,
    alerts,
    applications,
    assets,
    companies,
    employer,
    employer_analytics,
    employer_applications,
    employer_company,
    employer_jobs,
    employer_keys,
    employer_overdue,
    employer_webhooks,
    files,
    invitations,
    jobs,
    links,
    mail,
    me,
    me_notifications,
    me_privacy,
    me_resumes,
    me_security,
    search,
    site,
    tasks,
    wallet,
)


def routers() -> list[APIRouter]:
    """All pages, and the files that they need."""
    public = [search, jobs, companies, accounts, links, invitations, files, site, assets]
    own = [
        me,
        me_notifications,
        mail,
        alerts,
        me_security,
        me_resumes,
        me_privacy,
        applications,
        tasks,
        wallet,
    ]
    desks = [employer, employer_jobs, employer_analytics, employer_applications]
    company = [employer_company, employer_keys, employer_overdue, employer_webhooks]
    moderation = [admin, admin_people, admin_synonyms, admin_wallets, admin_analytics, admin_audit]
    background = [admin_background]
    return [area.router for area in [*public, *own, *desks, *company, *moderation, *background]]
