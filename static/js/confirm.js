// <button data-confirm="Drop both projects?">: asks once more before the form goes.

const dialog = document.createElement("dialog");
const question = document.createElement("p");
const buttons = document.createElement("form");
buttons.method = "dialog";
buttons.className = "row end section";
for (const [value, text, style] of [["no", "Cancel", ""], ["yes", "Go ahead", "primary"]]) {
  const button = document.createElement("button");
  button.value = value;
  button.textContent = text;
  button.className = style;
  buttons.append(button);
}
dialog.append(question, buttons);
document.body.append(dialog);

let asked = null;

// Part of the page may have been renewed while the question stood there: the same button is another element then.
function standing(button) {
  const isSame = (other) => other.dataset.confirm === button.dataset.confirm && other.form?.action === button.form?.action;
  return button.isConnected ? button : [...document.querySelectorAll("[data-confirm]")].find(isSame);
}

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[data-confirm]");
    if (!button || button === asked) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    question.textContent = button.dataset.confirm;
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      asked = standing(button);
      if (asked) asked.click();
      else document.dispatchEvent(new CustomEvent("say", { detail: "Nothing was done: that is no longer on the page." }));
      asked = null;
    };
  },
  true,
);
