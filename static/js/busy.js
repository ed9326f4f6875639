// A button whose form is on its way is busy until the next page is there. htmx marks its own.

document.addEventListener("submit", ({ defaultPrevented, submitter }) => {
  if (!defaultPrevented && submitter && submitter.form.method !== "dialog") submitter.ariaBusy = "true";
});
// The way back shows the page as it was left.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[aria-busy]")) button.ariaBusy = null;
});
