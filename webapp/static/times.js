// Relative times and running clocks. The words are those of webapp/pages/formats.py.
const UNITS = [[31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]];

// Clocks of browser and server may differ; both stand in the page's first moments.
const serverNow = Number(document.documentElement.dataset.now) * 1000;
const drift = serverNow ? serverNow - Date.now() : 0;
const now = () => Date.now() + drift;

export function relative(seconds) {
  for (const [size, unit] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
  }
  return "just now";
}

export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

function show() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const words = relative((now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== words) time.textContent = words;
  }
  for (const clock of document.querySelectorAll("[data-since]")) {
    clock.textContent = elapsed((now() - Date.parse(clock.dataset.since)) / 1000);
  }
}

export function keepTimes() {
  show();
  setInterval(show, 1000);
}
