// The queue without a mouse, and canned reasons that can be edited. The page works without it.

const items = [...document.querySelectorAll(".queue > *")];
const help = document.querySelector("#keys");
let at = Math.max(0, items.findIndex((item) => `#${item.id}` === location.hash));

function go(step) {
  const next = items[at + step];
  if (!next) return;
  at += step;
  next.querySelector(".full").open = true;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
}

// Nobody decides about a job that is out of sight: the first press brings it back.
function inSight(item) {
  const { top, bottom } = item.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

function decide(name) {
  const form = items[at]?.querySelector(`form.${name}`);
  if (!form) return;
  if (!inSight(items[at])) return go(0);
  const box = form.closest("details");
  if (box) {
    box.open = true;
    form.querySelector("textarea").focus();
  } else {
    form.requestSubmit();
  }
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  a: () => decide("approve"),
  r: () => decide("reject"),
  "?": () => (help.open ? help.close() : help.showModal()),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (help.open && event.key !== "?") return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

document.addEventListener("focusin", (event) => {
  const here = items.indexOf(event.target.closest(".queue > *"));
  if (here >= 0) at = here;
});

// Choosing puts the words into the box below, where they can be changed; the choice itself is
// taken back, so that the words are not sent twice.
for (const select of document.querySelectorAll("select[name=canned]")) {
  select.addEventListener("change", () => {
    const text = select.form.querySelector("textarea");
    text.value = [text.value.trim(), select.selectedOptions[0].dataset.text].filter(Boolean).join("\n\n");
    select.value = "";
    text.focus();
  });
}

for (const button of document.querySelectorAll("[data-shows=keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}
