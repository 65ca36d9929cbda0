// Keeps a half-written application in this browser until it is sent.

const form = document.getElementById("apply");
const letter = form?.elements.cover_letter;
if (letter) {
  const key = `letter:${form.dataset.draft}`;
  try {
    letter.value ||= localStorage.getItem(key) ?? "";
    letter.addEventListener("input", () => localStorage.setItem(key, letter.value));
    form.addEventListener("submit", () => localStorage.removeItem(key));
  } catch {
    // No storage in this browser: then there are no drafts.
  }
}
