// The panels: each asks for what it shows once it is seen, a few at a time, and says what is wrong when it gets nothing.
import { canDraw, Chart } from "./chart.js";

const AT_ONCE = 4;
const TRIES = 5;
const PAUSE_MS = 1200;

export class Panels {
  // `root`: the dashboard; `state`: what is shown; `zoom(from, to)`: asked for by dragging on a chart.
  constructor(root, state, zoom) {
    Object.assign(this, { root, state, zoom });
    this.running = 0;
    this.waiting = [];
    this.seen = new Set();
    this.stale = new Set();
    this.charts = new Map();
    this.hidden = new Map();
    this.round = 0;
    this.marks = [];
    this.observer = new IntersectionObserver((entries) => this.look(entries), { rootMargin: "250px" });
    for (const panel of root.querySelectorAll("[data-panel]")) {
      this.stale.add(panel);
      this.observer.observe(panel);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  setMarks(marks) {
    this.marks = marks;
    for (const chart of this.charts.values()) chart.setMarks(marks);
  }

  look(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.seen.add(target);
      else this.seen.delete(target);
    }
    this.begin();
  }

  // Asks anew for all panels that can be seen; the others when they are.
  again() {
    this.round += 1;
    this.waiting = [];
    for (const panel of this.root.querySelectorAll("[data-panel]")) this.stale.add(panel);
    this.begin();
  }

  begin() {
    if (!this.ready) return;
    for (const panel of this.seen) {
      if (!this.stale.delete(panel)) continue;
      this.waiting.push(panel);
      panel.setAttribute("aria-busy", "true");
    }
    while (this.running < AT_ONCE && this.waiting.length) {
      const panel = this.waiting.shift();
      this.running += 1;
      this.load(panel, this.round).finally(() => {
        this.running -= 1;
        this.begin();
      });
    }
  }

  async load(panel, round) {
    const query = this.state.query();
    query.set("width", Math.max(100, Math.round(panel.clientWidth)));
    const answer = await ask(`${this.root.dataset.base}/panels/${panel.dataset.panel}?${query}`);
    // Something else is wanted by now.
    if (round !== this.round) return;
    panel.removeAttribute("aria-busy");
    if (answer.failure) this.fail(panel, answer.failure);
    else this.show(panel, answer);
    this.onShown?.();
  }

  show(panel, { html, chart }) {
    const body = panel.querySelector("[data-body]");
    const kept = focusIn(body);
    const before = this.charts.get(panel);
    this.charts.delete(panel);
    body.innerHTML = html;
    for (const link of body.querySelectorAll("a[data-keep]")) this.keepRefresh(link);
    const place = body.querySelector("[data-chart]");
    if (place && chart && canDraw()) this.draw(panel, place, chart, before);
    else place?.remove();
    before?.destroy();
    if (kept) body.querySelector(kept)?.focus({ preventScroll: true });
  }

  // `before`: the chart that was there, if any.
  draw(panel, place, data, before) {
    const swatches = [...panel.querySelectorAll(".legend .swatch")];
    const drawn = new Chart(place, data, swatches.map((swatch) => getComputedStyle(swatch).backgroundColor), this.zoom);
    drawn.setMarks(this.marks);
    this.charts.set(panel, drawn);
    const hidden = this.hidden.get(panel) ?? new Set();
    this.hidden.set(panel, hidden);
    for (const button of panel.querySelectorAll("[data-series]")) {
      const index = Number(button.dataset.series);
      const { name } = data.curves[index];
      // What was hidden stays so when the values come anew.
      if (hidden.has(name)) button.setAttribute("aria-pressed", String(drawn.toggle(index)));
      button.addEventListener("click", () => {
        const shown = drawn.toggle(index);
        button.setAttribute("aria-pressed", String(shown));
        if (shown) hidden.delete(name);
        else hidden.add(name);
      });
    }
    if (before) drawn.follow(before);
  }

  // Colours are read again when the theme changes.
  redraw() {
    for (const [panel, chart] of this.charts) {
      const pressed = panel.querySelectorAll("[data-series]");
      for (const button of pressed) button.setAttribute("aria-pressed", "true");
      chart.colours = [...panel.querySelectorAll(".legend .swatch")].map((swatch) => getComputedStyle(swatch).backgroundColor);
      for (const button of pressed) {
        if (!chart.shown[Number(button.dataset.series)]) button.setAttribute("aria-pressed", "false");
      }
      chart.draw();
    }
  }

  fail(panel, words) {
    this.charts.get(panel)?.destroy();
    this.charts.delete(panel);
    const said = document.createElement("p");
    said.className = "panel-failure";
    said.textContent = words;
    panel.querySelector("[data-body]").replaceChildren(said);
  }

  // Whoever goes to another dashboard wants it refreshed as this one is.
  keepRefresh(link) {
    if (this.state.refresh) link.search += `${link.search ? "&" : "?"}refresh=${this.state.refresh}`;
  }
}

// Returns the answer's JSON, or { failure: words }. Too many at once are asked for again after a moment.
export async function ask(address) {
  for (let attempt = 1; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
    } catch {
      return { failure: "The portal cannot be reached now." };
    }
    if (answer.status === 429 && attempt < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
      continue;
    }
    if (answer.redirected || answer.status === 401) return { failure: "Your session has ended; load the page again to sign in." };
    if (answer.ok) return answer.json();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { failure: page.querySelector("main p")?.textContent ?? `The portal answered ${answer.status}.` };
  }
}

// Returns a selector for the element in `body` that has the focus, so that it has it again in what takes its place.
function focusIn(body) {
  const active = document.activeElement;
  if (!body.contains(active)) return "";
  if (active.dataset.series) return `[data-series="${active.dataset.series}"]`;
  return active.className ? `.${active.classList[0]}` : "";
}
