// <input data-filter="choices">: type to find among the children of #choices; Enter takes the best, Escape clears.

function rank(text, wanted) {
  if (text.startsWith(wanted)) return 0;
  if (text.split(/[\s_-]+/).some((word) => word.startsWith(wanted))) return 1;
  return text.includes(wanted) ? 2 : 9;
}

function best(input) {
  const wanted = input.value.trim().toLowerCase();
  const choices = [...document.getElementById(input.dataset.filter).children];
  let first = null;
  let lowest = 9;
  for (const choice of choices) {
    const place = wanted ? rank((choice.dataset.name ?? choice.textContent).trim().toLowerCase(), wanted) : 0;
    choice.hidden = place === 9;
    choice.classList.remove("picked");
    if (wanted && place < lowest) [first, lowest] = [choice, place];
  }
  first?.classList.add("picked");
  return first;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) best(event.target);
});
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-filter]")) return;
  if (event.key === "Escape") event.target.value = "";
  if (event.key === "Enter") event.preventDefault();
  if (event.key !== "Escape" && event.key !== "Enter") return;
  const choice = best(event.target);
  if (event.key === "Enter") (choice?.querySelector("input, button, a") ?? choice)?.click();
});
