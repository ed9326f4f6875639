// <button data-copy="text" hidden>: copies the text and says so. Without script the button stays hidden.

function reveal() {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    document.dispatchEvent(new CustomEvent("say", { detail: "Copied" }));
  } catch {
    getSelection().selectAllChildren(button.parentElement); // No permission: leave it marked for Ctrl+C.
  }
});
reveal();
document.addEventListener("htmx:afterSettle", reveal);
