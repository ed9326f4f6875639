// Short messages that go by themselves: from the server, from other behaviours, and when a request fails.
// <div class="toast" data-toast="5">: gone after 5 seconds, not while it is pointed at or holds the focus.

const box = document.getElementById("toasts");

function tick() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    if (toast.matches(":hover, :focus-within")) continue;
    const left = Number(toast.dataset.toast) - 1;
    toast.dataset.toast = left;
    const shown = toast.querySelector("[data-left]");
    if (shown) shown.textContent = `(${left} s)`;
    if (left <= 0) toast.remove();
  }
}

export function say(text, tone = "") {
  const toast = document.createElement("div");
  toast.className = `toast ${tone}`;
  toast.dataset.toast = tone ? 8 : 5;
  toast.textContent = text;
  box.append(toast);
}

document.addEventListener("say", ({ detail }) => say(detail));
document.addEventListener("htmx:sendError", () => say("Not sent: the server cannot be reached. Try again.", "bad"));
document.addEventListener("htmx:timeout", () => say("Not sent: the server took too long. Try again.", "bad"));
document.addEventListener("htmx:responseError", ({ detail }) => {
  const words = detail.xhr.getResponseHeader("X-Problem") ?? `The server answered ${detail.xhr.status}.`;
  say(`${words} Nothing was changed.`, "bad");
});
setInterval(tick, 1000);
