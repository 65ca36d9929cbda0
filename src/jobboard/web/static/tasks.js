// A due date in the reader's own time zone. Without this file it is in UTC, and the hint says so.

const field = document.getElementById("f-due_at");
const { moment } = field.dataset;
if (moment) field.value = local(new Date(moment));
document.getElementById("f-due_at-hint").textContent = "In your own time";
field.form.addEventListener("submit", () => {
  const at = new Date(field.value);
  field.form.elements.offset.value = Number.isNaN(at.getTime()) ? "" : offset(at);
});

/** Date and time as the field wants them. */
function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** +02:00, as it is there on that day. */
function offset(date) {
  const minutes = -date.getTimezoneOffset();
  const two = (number) => String(Math.trunc(Math.abs(number))).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
