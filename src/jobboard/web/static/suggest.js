// What one may be about to type, below the boxes of the search: ARIA's combobox with a list.
// Without this file one types the rest oneself.

const KINDS = { q: ["title", "skill", "company"], location: ["place"] };
const PAUSE = 120; // ms without a key, after which we ask
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
const said = document.getElementById("said");

for (const name of Object.keys(KINDS)) combobox(document.getElementById(name));

function combobox(box) {
  const list = element("ul", { id: `${box.id}-list`, className: "suggestions", role: "listbox", ariaLabel: "Suggestions", hidden: true });
  let active, running, timer;
  box.after(list);
  Object.assign(box, { autocomplete: "off", role: "combobox", ariaAutoComplete: "list", ariaExpanded: "false" });
  box.setAttribute("aria-controls", list.id);
  box.addEventListener("input", () => {
    close();
    timer = setTimeout(ask, PAUSE);
  });
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && active) box.value = active.dataset.text;
    if (!(event.key in STEPS) && (event.key !== "Escape" || list.hidden)) return;
    event.preventDefault();
    if (event.key === "Escape") close();
    else if (list.hidden) ask();
    else move(STEPS[event.key]);
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", ({ target }) => {
    box.value = target.closest("li").dataset.text;
    box.form.requestSubmit();
  });

  async function ask() {
    const query = new URLSearchParams({ q: box.value.trim().slice(0, 100) });
    for (const kind of KINDS[box.name]) query.append("kind", kind);
    running = new AbortController();
    if (query.get("q")) {
      const asked = fetch(`/api/v1/suggestions?${query}`, { signal: running.signal });
      show(await asked.then((answer) => answer.json()).catch(() => ({}))); // no answer, no suggestions
    }
  }

  function show({ items = [] }) {
    if (document.activeElement !== box || !items.length) return;
    list.replaceChildren(...items.map(({ kind, text }, place) => {
      const line = element("li", { id: `${list.id}-${place}`, role: "option", ariaSelected: "false", textContent: `${text} ` });
      line.dataset.text = text;
      line.append(element("span", { textContent: kind }));
      return line;
    }));
    list.hidden = false;
    box.ariaExpanded = "true";
    said.textContent = items.length === 1 ? "1 suggestion" : `${items.length} suggestions`;
  }

  /** Past either end nothing is chosen: what was typed is as good. */
  function move(step) {
    const lines = [...list.children, undefined];
    const to = lines.indexOf(active) + step;
    if (active) active.ariaSelected = "false";
    active = lines.at(to % lines.length);
    if (active) active.ariaSelected = "true";
    active?.scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", active?.id ?? "");
  }

  function close() {
    clearTimeout(timer);
    running?.abort();
    active = undefined;
    list.hidden = true;
    box.ariaExpanded = "false";
    box.removeAttribute("aria-activedescendant");
  }
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
