// A dashboard's page: what is chosen at its top, and when its panels are asked for anew.
import { ask, Panels } from "./panels.js";
import { isRelative, moment, State } from "./state.js";

const ALL = "$__all";
const REFRESHES = { "15s": 15, "30s": 30, "1m": 60 };
const root = document.getElementById("dashboard");
const toolbar = document.getElementById("toolbar");
const exact = document.getElementById("exact");
const status = document.getElementById("dashboard-status");
const state = new State(root);
const panels = new Panels(root, state, (from, to) => {
  state.setTime(from, to);
  changed({ step: true });
});
let timer;

function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

// Shows in the form what is shown in the panels.
function showState() {
  const select = toolbar.elements.from;
  select.querySelector("[data-custom]")?.remove();
  const offered = [...select.options].some((option) => option.value === state.from) && state.to === "now";
  if (!offered) {
    const words = `${clock(moment(state.from))} to ${state.to === "now" ? "now" : clock(moment(state.to))}`;
    const option = new Option(words, state.from);
    option.dataset.custom = "yes";
    select.append(option);
  }
  select.value = state.from;
  toolbar.elements.refresh.value = state.refresh in REFRESHES ? state.refresh : "";
  const local = (seconds) => new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 16);
  exact.elements.from.value = local(moment(state.from));
  exact.elements.to.value = local(moment(state.to));
  document.getElementById("shown-time").textContent = `${clock(moment(state.from))} to ${clock(moment(state.to))}`;
}

function schedule() {
  clearInterval(timer);
  const seconds = REFRESHES[state.refresh];
  if (!seconds) return;
  timer = setInterval(() => {
    // A time that has ended does not change any more.
    if (!document.hidden && isRelative(state.to)) panels.again();
  }, seconds * 1000);
}

// Asks for the choices, which depend on each other and on the time, and puts them into the form.
async function loadVariables() {
  const places = [...toolbar.querySelectorAll("[data-variable]")];
  if (!places.length) return;
  const answer = await ask(`${root.dataset.base}/variables?${state.query()}`);
  if (answer.failure) {
    say(`What can be chosen is not known: ${answer.failure}`);
    return;
  }
  for (const item of answer.items) {
    const place = places.find((one) => one.dataset.variable === item.name);
    if (!place) continue;
    if (!item.all && item.chosen.length) state.variables.set(item.name, item.chosen);
    if (place.matches("select")) fillSelect(place, item);
    else fillChecks(place, item);
  }
  state.keep(false);
}

function fillSelect(select, item) {
  const all = [...select.options].filter((option) => option.value === ALL);
  const values = [...new Set([...item.chosen.filter(() => !item.all), ...item.options])].sort();
  select.replaceChildren(...all, ...values.map((value) => new Option(value, value)));
  select.value = item.all ? ALL : (item.chosen[0] ?? "");
  select.disabled = select.options.length === 0;
}

function fillChecks(body, item) {
  const chosen = new Set(item.all ? [] : item.chosen);
  const values = [...new Set([...chosen, ...item.options])].sort();
  const checks = values.map((value) => check(item.name, value, value, chosen.has(value)));
  if (body.querySelector(`[value="${ALL}"]`)) checks.unshift(check(item.name, ALL, "All", item.all));
  body.replaceChildren(body.querySelector("legend"), ...checks);
  showPicked(body);
}

function check(name, value, words, checked) {
  const label = document.createElement("label");
  label.className = "check";
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", name: `var-${name}`, value, checked });
  const text = document.createElement("span");
  text.textContent = words;
  label.append(box, text);
  return label;
}

function showPicked(body) {
  const picked = [...body.querySelectorAll("input:checked")].map((box) => box.value);
  const words = !picked.length || picked.includes(ALL) ? "all" : picked.join(", ");
  body.closest("details").querySelector("[data-picked]").textContent = words;
}

// Something was chosen: the address, the form and the panels follow. `step`: "back" leads to what was before.
async function changed({ step = false, variables = true } = {}) {
  state.keep(step);
  showState();
  schedule();
  if (variables) await loadVariables();
  panels.again();
  loadMarks();
}

// What happened in this time is marked on all charts; without that the charts are as good as ever.
async function loadMarks() {
  if (!("marked" in root.dataset)) return;
  const query = state.query();
  query.set("width", root.clientWidth);
  const answer = await ask(`${root.dataset.base}/marks?${query}`);
  panels.setMarks(answer.items ?? []);
}

function readVariables(form) {
  const chosen = new Map();
  for (const [name, value] of new FormData(form)) {
    if (name.startsWith("var-") && value) chosen.set(name.slice(4), [...(chosen.get(name.slice(4)) ?? []), value]);
  }
  state.variables = chosen;
}

toolbar.addEventListener("change", (event) => {
  const { target } = event;
  if (target.name === "refresh") {
    state.refresh = target.value;
    state.keep(false);
    return schedule();
  }
  if (target.name === "from") {
    state.setTime(target.value, "now");
    return changed({ step: true });
  }
  const body = target.closest("fieldset[data-variable]");
  if (body) {
    // "All" and single values exclude each other.
    for (const box of body.querySelectorAll("input")) {
      if (target.value === ALL ? box !== target : box.value === ALL) box.checked = false;
    }
    const all = body.querySelector(`[value="${ALL}"]`);
    if (all && !body.querySelector("input:checked")) all.checked = true;
    showPicked(body);
  }
  readVariables(toolbar);
  return changed({ step: true });
});
// Nothing is sent: croft.js, which keeps forms from being sent twice, need not know of it.
toolbar.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  changed();
});
toolbar.addEventListener("click", (event) => {
  const act = event.target.closest?.("[data-act]")?.dataset.act;
  if (!act) return;
  if (act === "again") return panels.again();
  state.move({ earlier: -0.5, later: 0.5, out: 0 }[act]);
  changed({ step: true });
});
exact.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const [from, to] = ["from", "to"].map((name) => new Date(exact.elements[name].value).getTime() / 1000);
  if (Number.isNaN(from) || Number.isNaN(to)) return;
  state.setTime(from, to);
  changed({ step: true });
});
addEventListener("popstate", () => {
  state.read();
  changed();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && REFRESHES[state.refresh] && state.isLive) panels.again();
});
for (const section of root.querySelectorAll("details.section")) {
  section.addEventListener("toggle", () => panels.begin());
}
// One explanation or list at a time; Escape closes it.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.info[open], details.pick[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest?.("details.info[open], details.pick[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.querySelector("[data-tables]")?.addEventListener("click", (event) => {
  event.target.search = `${state.address()}&view=tables`;
});

panels.onShown = () => say(`Updated at ${new Date().toLocaleTimeString()}.`);
for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
for (const zone of document.querySelectorAll("[data-zone]")) zone.hidden = true;
toolbar.querySelector("[data-show]").hidden = true;
showState();
schedule();
loadVariables().finally(() => {
  panels.ready = true;
  panels.begin();
  loadMarks();
});
