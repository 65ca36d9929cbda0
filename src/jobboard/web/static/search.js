// Filters take effect at once, without loading the whole page. Without this file the form does
// the same with its button.

const form = document.getElementById("search");
const parts = ["filters", "results"];
const boxes = ["q", "location"]; // these wait for the button, or for Enter
let running = null;

hideButtons();
document.addEventListener("change", (event) => {
  if (event.target.form === form && !boxes.includes(event.target.name)) show(address());
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(address());
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.chip");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  show(new URL(link.href));
});
window.addEventListener("popstate", () => show(new URL(location.href), { push: false }));

/** The address that the form would lead to, without what is empty or means nothing alone. */
function address() {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) fields.append(name, value);
  if (!fields.has("pay_from") && fields.get("sort") !== "salary") fields.delete("currency");
  if (!fields.has("location")) fields.delete("radius_km");
  const query = fields.toString();
  return new URL(query ? `/?${query}` : "/", location.href);
}

/** Load the page behind `url` and put its filters and results in the place of ours. */
async function show(url, { push = true } = {}) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const results = document.getElementById("results");
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (signal.aborted) return;
    if (push) history.pushState(null, "", url);
    replaceParts(page);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url); // the browser says what is wrong
  } finally {
    if (!signal.aborted) results.removeAttribute("aria-busy");
  }
}

function replaceParts(page) {
  const focused = document.activeElement?.id;
  const open = document.querySelector(".filters")?.open;
  document.title = page.title;
  for (const id of parts) {
    document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
  }
  document.querySelector(".filters").open = open;
  for (const name of [...boxes, "radius_km"]) form.elements[name].value = page.getElementById(name).value;
  hideButtons();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  announce(document.querySelector("#results h1").textContent);
}

/** Say the new count to screen readers. */
function announce(words) {
  document.getElementById("said").textContent = words;
}

function hideButtons() {
  for (const button of document.querySelectorAll("[data-scripted='hide']")) button.hidden = true;
}
