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
      asked = button;
      button.click();
      asked = null;
    };
  },
  true,
);
