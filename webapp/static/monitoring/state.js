// What is shown: the time, how often it is refreshed, and the variables. It lives in the page's address, so that a page
// can be sent to somebody else, and "back" leads to what was shown before.
const RELATIVE = /^now(?:-(\d+)([smhdw]))?$/;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

// Seconds since 1970 of "now-6h", a time in RFC 3339, or seconds or milliseconds since 1970.
export function moment(text) {
  const relative = RELATIVE.exec(text);
  if (relative) return Date.now() / 1000 - (relative[1] ? Number(relative[1]) * SECONDS[relative[2]] : 0);
  if (/^\d{9,10}$/.test(text)) return Number(text);
  if (/^\d{11,13}$/.test(text)) return Number(text) / 1000;
  // The server takes a time without a zone as UTC.
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`) / 1000;
}

export const isRelative = (text) => RELATIVE.test(text);
export const written = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().slice(0, 19) + "Z";

export class State {
  // `root`: the element that says what the dashboard begins with.
  constructor(root) {
    this.begins = { from: root.dataset.begin, to: root.dataset.end };
    this.fixed = JSON.parse(root.dataset.fixed);
    this.read();
  }

  read() {
    const query = new URLSearchParams(location.search);
    this.from = query.get("from") || this.begins.from;
    this.to = query.get("to") || this.begins.to;
    this.refresh = query.get("refresh") || "";
    this.variables = new Map();
    for (const [name, value] of query) {
      if (!name.startsWith("var-") || !value) continue;
      const key = name.slice(4);
      this.variables.set(key, [...(this.variables.get(key) ?? []), value]);
    }
  }

  // The time and, unless `alone`, the variables, as the server takes them.
  query({ alone = false } = {}) {
    const query = new URLSearchParams({ from: this.from, to: this.to });
    if (alone) return query;
    const all = new Map([...this.variables, ...Object.entries(this.fixed).map(([name, value]) => [name, [value]])]);
    for (const [name, values] of all) for (const value of values) query.append(`var-${name}`, value);
    return query;
  }

  // The query of the page's own address.
  address() {
    const query = this.query({ alone: true });
    if (this.refresh) query.set("refresh", this.refresh);
    for (const [name, values] of this.variables) {
      if (!(name in this.fixed)) for (const value of values) query.append(`var-${name}`, value);
    }
    return query;
  }

  // Puts what is shown into the address; a step of its own for "back" when `step`.
  keep(step) {
    history[step ? "pushState" : "replaceState"](null, "", `${location.pathname}?${this.address()}`);
  }

  get isLive() {
    return isRelative(this.to);
  }

  setTime(from, to) {
    this.from = typeof from === "number" ? written(from) : from;
    this.to = typeof to === "number" ? written(to) : to;
  }

  // Moves the time by a part of its length, or (part 0) makes it twice as long; never into the future.
  move(part) {
    const [from, to] = [moment(this.from), moment(this.to)];
    const length = to - from;
    const now = Date.now() / 1000;
    let [begin, end] = part ? [from + part * length, to + part * length] : [from - length / 2, to + length / 2];
    if (end > now) {
      if (part) begin -= end - now;
      end = now;
    }
    this.setTime(begin, end);
  }
}
