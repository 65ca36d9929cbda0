"""Credits on the pages: own and companies', limits, featured jobs, and what moderators do."""

import csv
import io

import pytest

from jobboard.accounts.models import Role
from tests.factories.companies import make_company, make_member
from tests.factories.wallets import make_wallet
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


async def test_credits_are_passed_on_and_stand_in_the_statement(town: Town) -> None:
    other, rory = await town.person(Role.EMPLOYER, full_name="Rory Rival")
    client = await make_company(town.session, other, "Mill and Son")
    await make_wallet(town.session, company=town.company.id, holds=10_000)
    erin = await town.browser(town.owner)
    here = f"/employer/companies/{town.company.id}/wallet"
    page = await erin.get(here)
    assert "€100" in page.text
    assert "Grant from this board" in page.text
    sent = {"to": f"http://127.0.0.1:8000/companies/{client.slug}", "amount": "12.50"}
    form = {**page.form(f"{here}/transfers").fields, **sent, "memo": "<b>Ads</b> & more"}
    paid = await erin.follow(await erin.post(f"{here}/transfers", form))
    assert "€12.50 are on their way" in paid.text
    assert "€87.50" in paid.text
    assert "&lt;b&gt;Ads&lt;/b&gt; &amp; more" in paid.html
    again = await erin.post(f"{here}/transfers", form)
    assert (again.status, "sent before" in again.text) == (409, True)
    theirs = await rory.get(f"/employer/companies/{client.id}/wallet")
    assert "Transfer from Bakery" in theirs.text
    assert (await rory.get(here)).status == 404


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"to": "", "amount": "1"}, "This must not be empty."),
        ({"to": "no-such-company", "amount": "1"}, "There is no such company."),
        ({"to": "bakery", "amount": "lots"}, "Write this as a number"),
        ({"to": "bakery", "amount": "0"}, "This must be more than 0."),
        ({"to": "bakery", "amount": "5"}, "The wallet holds 2.00 EUR: 3.00 EUR are missing."),
        ({"to": "01994e61-bbbb-7abc-9def-0a1b2c3d4e5f", "amount": "5"}, "There is nothing here"),
    ],
)
async def test_what_is_wrong_is_said(town: Town, typed: dict[str, str], words: str) -> None:
    user, cam = await town.person()
    await make_wallet(town.session, person=user.id, holds=200)
    page = await cam.submit(await cam.get("/me/wallet"), "/me/wallet/transfers", **typed)
    assert page.status in {404, 409, 422}
    assert words in page.text or page.status == 404


async def test_a_form_without_its_key_is_refused_each_time(town: Town) -> None:
    user, cam = await town.person()
    await make_wallet(town.session, person=user.id, holds=200)
    page = await cam.get("/me/wallet")
    form = {**page.form("/me/wallet/transfers").fields, "to": "bakery", "amount": "1"}
    for key in ({"key": ""}, {"key": " "}):
        refused = await cam.post("/me/wallet/transfers", form | key)
        assert (refused.status, "without its key" in refused.text) == (422, True)
    assert (
        "are on their way" in (await cam.follow(await cam.post("/me/wallet/transfers", form))).text
    )


async def test_the_statement_is_filtered_paged_and_downloaded(town: Town) -> None:
    user, cam = await town.person()
    for number in range(30):
        await make_wallet(town.session, person=user.id, holds=100 + number)
    page = await cam.get("/me/wallet")
    assert page.text.count("Grant from") == 25
    assert "Nothing like that" in (await cam.get("/me/wallet?direction=out")).text
    assert (await cam.get("/me/wallet?since=2020-01-01&until=&kind=")).text.count(
        "Grant from"
    ) == 25
    assert (await cam.get("/me/wallet?kind=nonsense")).status == 422
    download = await cam.get("/me/wallet/statement.csv")
    assert download.headers["content-type"].startswith("text/csv")
    assert "attachment" in download.headers["content-disposition"]
    assert download.html.startswith("\ufeff")  # or Excel garbles every name with an umlaut
    rows = list(csv.DictReader(io.StringIO(download.html.lstrip("\ufeff"))))
    assert (len(rows), rows[0]["number"]) == (30, "30")
    assert (rows[0]["amount"], rows[0]["currency"], rows[-1]["balance"]) == ("1.29", "EUR", "1.00")


async def test_a_formula_in_a_memo_stays_text(town: Town) -> None:
    user, cam = await town.person()
    await make_wallet(town.session, person=user.id, holds=100)
    page = await cam.get("/me/wallet")
    typed = {"to": "bakery", "amount": "1", "memo": "=HYPERLINK(1)"}
    assert (await cam.submit(page, "/me/wallet/transfers", **typed)).status == 303
    download = await cam.get("/me/wallet/statement.csv")
    assert "'=HYPERLINK(1)" in download.html


async def test_a_company_features_a_job(town: Town) -> None:
    await make_wallet(town.session, company=town.company.id, holds=10_000)
    await town.job(title="Newer")
    job = await town.job(title="Baker")
    erin = await town.browser(town.owner)
    page = await erin.get(f"/employer/jobs/{job.id}")
    assert "for €5 a day" in page.text
    action = f"/employer/jobs/{job.id}/features"
    done = await erin.follow(await erin.submit(page, action, days="3"))
    assert "The job is featured" in done.text
    assert "Featured until" in done.text
    twice = await erin.follow(await erin.submit(page, action, days="3"))
    assert "sent before" in twice.text
    found = (await town.stranger.get("/")).html
    assert found.count('class="tag featured"') == 1
    assert found.index("Baker") < found.index("Newer")
    wallet = await erin.get(f"/employer/companies/{town.company.id}/wallet")
    assert "€85" in wallet.text
    assert "3 days first in lists: Baker" in wallet.text
    poor = await erin.get(f"/employer/jobs/{job.id}")
    refused = await erin.follow(await erin.submit(poor, action, days="24"))
    assert "are missing" in refused.text


async def test_an_owner_says_what_a_recruiter_may_spend(town: Town) -> None:
    recruiter, rolf = await town.person(Role.EMPLOYER, full_name="Rolf Recruiter")
    erin = await town.browser(town.owner)
    company = f"/employer/companies/{town.company.id}"
    members = f"{company}/members"
    await make_member(town.session, town.company, recruiter)
    assert (await rolf.get(f"{company}/wallet")).status == 404
    job = await town.job(title="Baker")
    assert "Owners of" in (await rolf.get(f"/employer/jobs/{job.id}")).text
    page = await erin.get(company)
    limit = next(f for f in page.forms if f.action == members and "spending_limit" in f.fields)
    saved = await erin.follow(await erin.post(members, {**limit.fields, "spending_limit": "25"}))
    assert "may spend €25 a month" in saved.text
    assert (await rolf.get(f"{company}/wallet")).status == 200
    assert f"{company}/wallet" in (await rolf.get(company)).html
    wrong = await erin.post(members, {**limit.fields, "spending_limit": "much"})
    assert "Write this as a number" in wrong.text


async def test_moderators_grant_freeze_and_reverse(town: Town) -> None:
    user, cam = await town.person(full_name="Cam Candidate")
    _, ali = await town.person(Role.ADMIN)
    wallet = await make_wallet(town.session, person=user.id)
    here = f"/admin/wallets/{wallet.id}"
    listed = await ali.get("/admin/wallets?q=cam")
    assert here in listed.html
    assert "This board: issued" in (await ali.get("/admin/wallets")).text
    page = await ali.get(here)
    granted = await ali.follow(await ali.submit(page, f"{here}/grants", amount="20", memo="Hi"))
    assert "Cam Candidate has €20 more now." in granted.text
    again = await ali.submit(page, f"{here}/grants", amount="20", memo="Hi")
    assert again.status == 409
    frozen = await ali.follow(await ali.submit(granted, f"{here}/frozen"))
    assert "The wallet is frozen." in frozen.text
    shown = await cam.get("/me/wallet")
    assert "A moderator has frozen this wallet" in shown.text
    assert "Pass credits on" not in shown.text
    open_again = await ali.follow(await ali.submit(frozen, f"{here}/frozen"))
    assert "open again" in open_again.text
    action = next(f.action for f in open_again.forms if f.action.endswith("/reverse"))
    back = await ali.follow(await ali.submit(open_again, action))
    assert "The transfer is reversed." in back.text
    assert "€0.00" in back.text
    assert "Given back" in back.text
    assert action not in [form.action for form in back.forms]
    once = await ali.follow(await ali.submit(open_again, action))
    assert "given back before" in once.text
    log = await ali.get("/admin/audit-log")
    for words in ("granted credits to", "froze the wallet of", "reversed a transfer to"):
        assert words in log.text
