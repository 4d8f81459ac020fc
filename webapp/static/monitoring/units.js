// Grafana's units. webapp/monitoring/units.py does the same on the server, and the tests compare the two.
const SI = ["", "k", "M", "G", "T", "P", "E"];
const SMALL = ["", "m", "µ", "n"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DURATIONS = [[31536000, "y"], [604800, "w"], [86400, "d"], [3600, "h"], [60, "min"]];
const MOST_DIGITS = 6;

const withoutZeroSign = (text) => (/^-[0.]+$/.test(text) ? text.slice(1) : text);

export function number(value, decimals = null) {
  if (decimals !== null) return withoutZeroSign(value.toFixed(Math.max(0, Math.min(decimals, MOST_DIGITS))));
  const size = Math.abs(value);
  let places = 0;
  if (size === 0 || size >= 100) places = 0;
  else if (size >= 10) places = 1;
  else if (size >= 1) places = 2;
  else places = Math.min(MOST_DIGITS, 1 - Math.floor(Math.log10(size)));
  const text = value.toFixed(places);
  return withoutZeroSign(text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
}

function scaled(base, prefixes, suffix, small = false) {
  return (value, decimals) => {
    let size = Math.abs(value);
    let place = 0;
    while (size >= base && place < prefixes.length - 1) {
      size /= base;
      place += 1;
    }
    let prefix = prefixes[place];
    if (small && size > 0 && size < 1 && place === 0) {
      let down = 0;
      while (size < 1 && down < SMALL.length - 1) {
        size *= 1000;
        down += 1;
      }
      prefix = SMALL[down];
    }
    const text = number(Math.sign(value) * size, decimals);
    return suffix ? `${text} ${prefix}${suffix}` : `${text}${prefix}`;
  };
}

const plain = (suffix, factor = 1) => (value, decimals) => `${number(value * factor, decimals)}${suffix}`;

function seconds(value, decimals) {
  const size = Math.abs(value);
  for (const [length, suffix] of DURATIONS) {
    if (size >= length) return `${number(value / length, decimals)} ${suffix}`;
  }
  for (const [factor, suffix] of [[1, "s"], [1e3, "ms"], [1e6, "µs"]]) {
    if (size * factor >= 1 || size === 0) return `${number(value * factor, decimals)} ${suffix}`;
  }
  return `${number(value * 1e9, decimals)} ns`;
}

const times = (factor) => (value, decimals) => seconds(value * factor, decimals);

function parts(value, decimals) {
  let left = Math.abs(value);
  if (left < 60) return seconds(value, decimals);
  const found = [];
  for (const [length, suffix] of [...DURATIONS, [1, "s"]]) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count) found.push(`${count}${suffix}`);
    else if (found.length) break;
    if (found.length === 2) break;
  }
  return (value < 0 ? "-" : "") + found.join(" ");
}

function cores(value, decimals) {
  if (Math.abs(value) > 0 && Math.abs(value) < 0.1 && decimals === null) return `${number(value * 1000)} mcores`;
  return `${number(value, decimals)} ${value === 1 ? "core" : "cores"}`;
}

const truth = (yes, no) => (value) => (value ? yes : no);

function iso(value) {
  return new Date(value).toISOString().slice(0, 19).replace("T", " ");
}

const UNITS = {
  none: plain(""),
  short: scaled(1000, SI, ""),
  sishort: scaled(1000, SI, "", true),
  percent: plain("%"),
  percentunit: plain("%", 100),
  bytes: scaled(1024, BINARY, "B"),
  decbytes: scaled(1000, SI, "B"),
  bits: scaled(1024, BINARY, "b"),
  decbits: scaled(1000, SI, "b"),
  Bps: scaled(1000, SI, "B/s"),
  binBps: scaled(1024, BINARY, "B/s"),
  bps: scaled(1000, SI, "b/s"),
  binbps: scaled(1024, BINARY, "b/s"),
  cores,
  ns: times(1e-9),
  µs: times(1e-6),
  ms: times(1e-3),
  s: seconds,
  m: times(60),
  h: times(3600),
  d: times(86400),
  dtdurations: parts,
  dtdurationms: (value, decimals) => parts(value / 1000, decimals),
  reqps: scaled(1000, SI, "req/s"),
  rps: scaled(1000, SI, "rd/s"),
  wps: scaled(1000, SI, "wr/s"),
  ops: scaled(1000, SI, "ops/s"),
  iops: scaled(1000, SI, "io/s"),
  cps: scaled(1000, SI, "c/s"),
  pps: scaled(1000, SI, "p/s"),
  reqpm: scaled(1000, SI, "req/min"),
  hertz: scaled(1000, SI, "Hz"),
  celsius: plain(" °C"),
  bool: truth("True", "False"),
  bool_yes_no: truth("Yes", "No"),
  bool_on_off: truth("On", "Off"),
  dateTimeAsIso: iso,
};

export function written(value, unit = "", decimals = null) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const write = UNITS[unit];
  if (write) return write(value, decimals);
  return `${number(value, decimals)}${unit ? ` ${unit.replace(/^suffix:/, "")}` : ""}`;
}
