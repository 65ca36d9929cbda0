// Copies the address of a job. Without this file there is no button for it.

const share = document.getElementById("share");
if (share && navigator.clipboard) {
  const words = share.querySelector("span");
  const before = words.textContent;
  share.hidden = false;
  share.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(share.dataset.address);
      words.textContent = "Link copied";
    } catch {
      words.textContent = share.dataset.address;
    }
    setTimeout(() => { words.textContent = before; }, 3000);
  });
}
