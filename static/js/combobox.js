// <input list="classes" data-combobox>: the page's datalist as a list one can type into and walk through by keys.
// Without script the browser's own datalist does the work.

let counter = 0;

function enhance(input) {
  const names = [...input.list.options].map((option) => option.value);
  input.removeAttribute("list");
  const list = document.createElement("ul");
  list.id = `combo-${++counter}`;
  list.setAttribute("role", "listbox");
  list.hidden = true;
  const box = document.createElement("div");
  box.className = "combo";
  input.replaceWith(box);
  box.append(input, list);
  for (const [name, value] of [["role", "combobox"], ["autocomplete", "off"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]])
    input.setAttribute(name, value);

  let marked = -1;

  function mark(index) {
    marked = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const option = list.children[index];
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function show(open) {
    list.hidden = !open || !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
  }

  function fill() {
    const wanted = input.value.trim().toLowerCase();
    const starts = names.filter((name) => name.toLowerCase().startsWith(wanted));
    const holds = names.filter((name) => !starts.includes(name) && name.toLowerCase().includes(wanted));
    list.replaceChildren(
      ...[...starts, ...holds].slice(0, 50).map((name, at) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${at}`;
        option.setAttribute("role", "option");
        option.textContent = name;
        return option;
      }),
    );
    mark(wanted && starts.length ? 0 : -1); // A new name that only holds another one stays as typed.
  }

  function take(option) {
    input.value = option.textContent;
    show(false);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  input.addEventListener("focus", () => { fill(); show(true); });
  input.addEventListener("input", () => { fill(); show(true); });
  input.addEventListener("blur", () => show(false));
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // Keep the focus in the field.
    const option = event.target.closest("li");
    if (option) take(option);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden && event.key !== "ArrowDown") return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) { fill(); show(true); }
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((marked + step + list.children.length) % list.children.length);
    } else if (event.key === "Enter" && marked >= 0 && list.children[marked].textContent !== input.value) {
      event.preventDefault();
      take(list.children[marked]);
    } else if (event.key === "Tab" && marked >= 0) take(list.children[marked]);
    else if (event.key === "Escape") show(false);
  });
}

function enhanceAll() {
  for (const input of document.querySelectorAll("input[list][data-combobox]")) enhance(input);
}

enhanceAll();
document.addEventListener("htmx:afterSettle", enhanceAll);
