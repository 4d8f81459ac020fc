// What every page gets: running times, the account menu, the error summary's focus, and parts that stay up to date.
import { keepFresh } from "./live.js";
import { keepTimes } from "./times.js";

keepTimes();
keepFresh();

document.querySelector("[data-focus]")?.focus();

const menu = document.querySelector("[data-menu]");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A second click on a slow line must not send a form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// The link of an error summary opens the section that its field stands in.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".summary a[href^='#']");
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!field) return;
  event.preventDefault();
  for (let parent = field.closest("details"); parent; parent = parent.parentElement.closest("details")) parent.open = true;
  field.scrollIntoView({ block: "center" });
  if (!field.matches("input, select, textarea")) field.tabIndex = -1;
  field.focus({ preventScroll: true });
});
