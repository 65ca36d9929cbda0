// News as it comes: the number at the bell. Without it the number is that of the page's load.

const bell = document.getElementById("bell");
const number = document.getElementById("unread");
const said = document.getElementById("bell-said");
const waiting = document.querySelector("a[href='/admin'] .number");
const SILENCE = 60_000; // the server says something every 20 s
let since = "";
let tries = 0;
let alarm = 0;

function show(place, count) {
  place.textContent = new Intl.NumberFormat("en").format(count);
  place.hidden = count === 0;
}

function hear(socket, { data }) {
  clearTimeout(alarm);
  alarm = setTimeout(() => socket.close(), SILENCE);
  const message = JSON.parse(data);
  if (message.pending !== undefined && waiting) show(waiting, message.pending);
  if (message.unread === undefined) return;
  if (message.since > since) since = message.since;
  show(number, message.unread);
  for (const { id, text } of message.items) {
    if (id > since) since = id;
    if (tries || message.type === "news") said.textContent = text;
  }
  const more = document.getElementById("more-news");
  if (more && message.items.length) more.hidden = false;
  tries = 0;
}

async function connect() {
  try {
    const body = new URLSearchParams({ csrf_token: bell.dataset.token });
    const answer = await fetch("/me/notifications/ticket", { method: "POST", body, redirect: "error" });
    if (answer.status === 401 || answer.status === 403) return; // logged out
    const { ticket } = await answer.json();
    const asked = new URLSearchParams(since ? { ticket, since } : { ticket });
    const socket = new WebSocket(`/ws?${asked}`);
    socket.onmessage = (event) => hear(socket, event);
    socket.onclose = ({ code }) => { if (code !== 4401 && code !== 4429) later(); };
  } catch {
    later();
  }
}

// Twice as long each time up to two minutes, and everybody differently: not all at once.
function later() {
  clearTimeout(alarm);
  tries += 1;
  setTimeout(connect, Math.min(120_000, 1000 * 2 ** tries) * (0.5 + Math.random()));
}

if (bell) connect();
