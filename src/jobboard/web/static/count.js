// Tells which jobs were in sight, and that someone left for the site where one applies. Counted
// without names, once a day; not sent at all by who does not want it.

const silent = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
const told = new Set();
const seen = new Set();
let timer = 0;

function tell(name, properties) {
  const body = JSON.stringify({ name, properties });
  const headers = { "Content-Type": "application/json" };
  // `keepalive`: it still leaves when the page does.
  fetch("/api/v1/analytics/events", { method: "POST", keepalive: true, headers, body }).catch(() => {});
}

function tellSeen() {
  clearTimeout(timer);
  timer = 0;
  const ids = [...seen];
  seen.clear();
  // So many at once are taken.
  while (ids.length) tell("impression", { job_ids: ids.splice(0, 100) });
}

const inSight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const id = target.dataset.job;
    if (!isIntersecting || told.has(id)) continue;
    told.add(id);
    seen.add(id);
    timer ||= setTimeout(tellSeen, 2000);
  }
}, { threshold: 0.5 });

function watch() {
  for (const card of document.querySelectorAll("[data-job]")) inSight.observe(card);
}

if (!silent) {
  watch();
  const results = document.getElementById("results");
  if (results) new MutationObserver(watch).observe(results, { childList: true });
  document.addEventListener("visibilitychange", tellSeen);
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("[data-opens]");
    if (link) tell("open", { job_id: link.dataset.opens, referrer: document.referrer.slice(0, 2000) });
  });
}
