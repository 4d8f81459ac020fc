// Forms: rows are added and removed in place (without this file the same buttons ask the server), and a size preset
// fills the fields of the limits.
const NUMBERED = ["id", "name", "for", "aria-describedby", "value"];

function renumber(rows) {
  const list = rows.dataset.rows;
  const pattern = new RegExp(`(^|[ :])${list}\\.\\d+`, "g");
  [...rows.children].forEach((row, index) => {
    for (const element of row.querySelectorAll("*")) {
      for (const attribute of NUMBERED) {
        // A field's own value is the user's, even when it looks like a number of ours.
        if (attribute === "value" && element.tagName !== "BUTTON") continue;
        const old = element.getAttribute(attribute);
        if (old) element.setAttribute(attribute, old.replace(pattern, `$1${list}.${index}`));
      }
    }
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-add], [data-remove]");
  if (!button) return;
  const add = button.dataset.add;
  const rows = add ? document.querySelector(`[data-rows="${add}"]`) : button.closest("[data-rows]");
  event.preventDefault();
  if (add) {
    rows.append(document.querySelector(`[data-template="${add}"]`).content.cloneNode(true));
    renumber(rows);
    rows.lastElementChild.querySelector("input, select").focus();
  } else {
    const row = button.closest("[data-row]");
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    renumber(rows);
    (near?.querySelector("[data-remove]") ?? document.querySelector(`[data-add="${rows.dataset.rows}"]`)).focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "size") return;
  for (const key of ["cpu", "memory", "storage", "pods"]) {
    const amount = event.target.dataset[key];
    if (amount) document.getElementById(`quota.${key}`).value = amount;
  }
});
