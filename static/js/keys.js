// A key is a click on the element that carries it: <button data-key="3">.
//
// A key pressed while an answer is on its way waits, together with the item that was on the screen when it
// was pressed. When the page has changed, it acts only on something that belongs to that very item, so a key
// can never label the next one.

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox], [type=submit], [type=button])";
const onTheirWay = new Set();
const waiting = [];
let leaving = false;

const itemOf = (element) => element.dataset.keyItem ?? element.closest("[data-item]")?.dataset.item;
const shownItem = () => document.querySelector("[data-item]")?.dataset.item;
const say = (text) => document.dispatchEvent(new CustomEvent("say", { detail: text }));

function topmost() {
  return [...document.querySelectorAll("dialog[open], [popover]:popover-open")].at(-1) ?? document;
}

function bearers() {
  return [...topmost().querySelectorAll("[data-key]")].filter((bearer) => bearer.checkVisibility() && !bearer.disabled);
}

function find(key) {
  return bearers().find((bearer) => bearer.dataset.key === key);
}

function activate(element) {
  if (element.matches(TYPING)) {
    element.focus();
    element.select?.();
    return;
  }
  if (!element.popoverTargetElement) element.classList.add("picked"); // An opened sheet may be closed again.
  element.click();
}

// Enter acts for the page only where it would do nothing else.
function isActing({ key, target }) {
  if (key === "Enter") return !target.closest("a, button, summary, input, [tabindex='0']") || target.matches("[type=radio]");
  return key.length === 1 && key !== " ";
}

function press(key) {
  if (onTheirWay.size) {
    waiting.push({ key, item: shownItem() });
    return true;
  }
  const element = find(key);
  if (element) activate(element);
  return Boolean(element);
}

function catchUp() {
  while (waiting.length && !onTheirWay.size) {
    const { key, item } = waiting.shift();
    const element = find(key);
    if (!element) continue;
    const owner = itemOf(element);
    if (owner === undefined || owner === item) activate(element);
    else say(`“${key}” was pressed for the item before, so it was not used here`);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.matches?.(TYPING) || event.target.isContentEditable) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?" && showKeymap()) event.preventDefault();
  else if (!isActing(event) || leaving) return;
  else if (event.repeat) event.preventDefault(); // A key held down must not run through a queue.
  else if (press(event.key)) event.preventDefault();
});

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (!detail.elt.closest("[data-background]")) onTheirWay.add(detail.xhr);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (onTheirWay.delete(detail.xhr)) catchUp();
});
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method !== "dialog") leaving = true;
});
window.addEventListener("pageshow", () => (leaving = false));

function label(element) {
  if (element.dataset.keyLabel) return element.dataset.keyLabel;
  const copy = element.cloneNode(true);
  copy.querySelectorAll("kbd, small").forEach((part) => part.remove());
  return copy.textContent.trim() || element.getAttribute("aria-label") || "";
}

function showKeymap() {
  const dialog = document.getElementById("keymap");
  const list = dialog?.querySelector("[data-keymap]");
  if (!list || dialog.open) return false;
  const rows = new Map();
  for (const element of bearers()) if (!rows.has(element.dataset.key)) rows.set(element.dataset.key, label(element));
  rows.set("?", "This list");
  list.replaceChildren(
    ...[...rows].flatMap(([key, text]) => {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      const term = document.createElement("dt");
      term.append(cap);
      const meaning = document.createElement("dd");
      meaning.textContent = text;
      return [term, meaning];
    }),
  );
  dialog.showModal();
  return true;
}

function revealOpeners() {
  for (const opener of document.querySelectorAll("[data-keymap-open]")) opener.hidden = false;
}

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-keymap-open]");
  if (!opener) return;
  opener.closest("[popover]")?.hidePopover();
  showKeymap();
});
document.addEventListener("htmx:afterSettle", revealOpeners);
revealOpeners();
