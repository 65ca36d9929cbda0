// Keeps a half-written application in this browser until it was sent: until it stands in the list.

const form = document.getElementById("apply");
const letter = form?.elements.cover_letter;
try {
  for (const { dataset } of document.querySelectorAll("[data-sent]")) {
    localStorage.removeItem(`letter:${dataset.sent}`);
  }
  if (letter) {
    const key = `letter:${form.dataset.draft}`;
    letter.value ||= localStorage.getItem(key) ?? "";
    letter.addEventListener("input", () => localStorage.setItem(key, letter.value));
  }
} catch {
  // No storage in this browser: then there are no drafts.
}
