"""The pages of webhooks: add one, copy its secret once, try it out, read the log, turn it off."""

import re
from typing import Any

from sqlalchemy import func, update

from jobboard.accounts.models import Role
from jobboard.webhooks.models import DeliveryState, WebhookAttempt, WebhookDelivery
from jobboard.webhooks.schemas import WebhookMade
from tests.factories.webhooks import PUBLIC_URL, make_delivery, make_webhook
from tests.web.conftest import Town

PATH = "/employer/webhooks"
SECRET = r"whsec_[A-Za-z0-9+/]{43}="
FIELDS = {"name": "Careers page", "url": PUBLIC_URL, "events": ["job.published", "job.closed"]}


async def webhook(town: Town, **fields: Any) -> WebhookMade:
    return await make_webhook(town.session, town.settings, town.owner, town.company, **fields)


async def test_a_webhook_is_added_changed_rotated_paused_and_deleted(town: Town) -> None:
    browser = await town.browser(town.owner)
    company = await browser.get(f"/employer/companies/{town.company.id}")
    assert f"{PATH}?company={town.company.id}" in company.html
    page = await browser.get(PATH)
    assert "There are none yet" in page.text
    made = await browser.submit(page, PATH, **FIELDS)
    [secret] = re.findall(SECRET, made.html)
    page = await browser.get(PATH)
    assert secret not in page.html
    [here] = re.findall(rf'href="({PATH}/[0-9a-f-]+)"', page.html)
    page = await browser.get(here)
    assert page.form(here).fields["events"] == FIELDS["events"]
    saved = await browser.follow(await browser.submit(page, here, name="Shop"))
    assert "Saved." in saved.text
    assert "Shop" in saved.text
    rotated = await browser.submit(saved, f"{here}/rotate")
    [other] = re.findall(SECRET, rotated.html)
    assert other != secret
    again = await browser.submit(saved, f"{here}/rotate")
    assert again.status == 409
    assert not re.search(SECRET, again.html)
    paused = await browser.follow(await browser.submit(saved, f"{here}/turn"))
    assert "Paused" in paused.text
    assert not paused.offers(f"{here}/test")
    on = await browser.follow(await browser.submit(paused, f"{here}/turn"))
    assert on.offers(f"{here}/test")
    gone = await browser.follow(await browser.submit(on, f"{here}/delete"))
    assert "“Shop” is deleted." in gone.text


async def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(town: Town) -> None:
    browser = await town.browser(town.owner)
    page = await browser.get(PATH)
    wrong = await browser.submit(page, PATH, **FIELDS | {"url": "https://127.0.0.1/x"})
    assert wrong.status == 422
    assert "does not lead to a public address" in wrong.text
    assert wrong.form(PATH).fields["name"] == ["Careers page"]
    nothing = await browser.submit(wrong, PATH, **FIELDS | {"events": []})
    assert "Choose at least one." in nothing.text
    made = await webhook(town)
    here = f"{PATH}/{made.id}"
    page = await browser.get(here)
    wrong = await browser.submit(page, here, url="https://localhost/", events=["job.closed"])
    assert wrong.status == 422
    assert "https://localhost/" in wrong.html
    nothing = await browser.submit(page, here, events=[])
    assert nothing.status == 422


async def test_a_form_that_is_sent_again_adds_no_second_webhook(town: Town) -> None:
    browser = await town.browser(town.owner)
    page = await browser.get(PATH)
    await browser.submit(page, PATH, **FIELDS)
    again = await browser.submit(page, PATH, **FIELDS)
    assert again.status == 409
    assert "has made its webhook already" in again.text
    assert again.html.count("/test") == 1


async def test_a_test_leads_to_its_result_and_the_page_looks_again_until_it_is_there(
    town: Town,
) -> None:
    made = await webhook(town)
    browser = await town.browser(town.owner)
    here = f"{PATH}/{made.id}"
    sent = await browser.submit(await browser.get(here), f"{here}/test")
    assert sent.location.endswith("?wait=1")
    page = await browser.get(sent.location)
    assert 'http-equiv="refresh"' in page.html
    assert "?wait=2" in page.html
    assert "webhook.test" in page.text
    held = {"claimed_at": func.now(), "due_at": func.now() + func.make_interval(0, 0, 0, 0, 1)}
    await town.session.execute(update(WebhookDelivery).values(attempts=1, **held))
    await town.session.commit()
    page = await browser.get(sent.location)
    assert 'http-equiv="refresh"' in page.html
    assert "Being sent now" in page.text
    last = await browser.get(sent.location.replace("wait=1", "wait=20"))
    assert 'http-equiv="refresh"' not in last.html


async def test_the_log_shows_what_came_back_and_sends_again(town: Town) -> None:
    made = await webhook(town)
    delivery = await make_delivery(town.session, made.id, state=DeliveryState.FAILED, attempts=10)
    town.session.add(
        WebhookAttempt(
            delivery_id=delivery.id,
            took_ms=1234,
            status=500,
            error="It answered 500. A receiver answers 2xx.",
            answer="<script>alert(1)</script>",
        )
    )
    await town.session.commit()
    browser = await town.browser(town.owner)
    here = f"{PATH}/{made.id}"
    one = f"{here}/deliveries/{delivery.id}"
    page = await browser.get(f"{here}?state=failed")
    assert one in page.html
    assert "It answered 500" in page.text
    assert "There are none of these" in (await browser.get(f"{here}?state=delivered")).text
    page = await browser.get(one)
    assert "&lt;script&gt;alert(1)" in page.html
    assert '"type": "job.closed"' in page.text
    assert "1,234 ms" in page.text
    sent = await browser.submit(page, f"{one}/resend")
    assert sent.location == f"{one}?wait=1"
    assert "Waits to be sent again" in (await browser.follow(sent)).text


async def test_who_owns_no_company_is_told_so_and_sees_no_others(town: Town) -> None:
    made = await webhook(town)
    _, browser = await town.person(Role.EMPLOYER)
    page = await browser.get(PATH)
    assert "you own none" in page.text
    assert str(made.id) not in page.html
    assert (await browser.get(f"{PATH}/{made.id}")).status == 404
