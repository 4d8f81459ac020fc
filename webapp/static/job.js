// A job's events as they come. The browser reconnects by itself and names the last event it has, so no line is lost
// or shown twice. The lines are those of webapp/jobs/lines.py.
import { refresh } from "./live.js";

const ENDINGS = { ok: "Done: ", changed: "Changed: ", skipped: "Not needed: " };
const WORDS = { ...ENDINGS, failed: "Failed: ", stopped: "Failed: " };
const ENDS = { succeeded: "Succeeded", failed: "Failed", cancelled: "Cancelled" };
const list = document.querySelector("[data-stream]");
const status = document.getElementById("stream-status");

function offset(event) {
  const seconds = Math.max(0, (Date.parse(event.createdAt) - Date.parse(list.dataset.created)) / 1000);
  const whole = Math.floor(seconds);
  if (whole < 60) return `+${seconds.toFixed(1)} s`;
  return `+${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

function mark(item, kind) {
  item.className = `e-${kind}`;
  item.querySelector(".kind-word").textContent = WORDS[kind] ?? "";
}

function add(event) {
  const task = [...list.children].findLast((item) => item.classList.contains("e-task"));
  if (task && event.kind in ENDINGS && task.querySelector(".text").textContent === event.text) {
    mark(task, event.kind);
    const seconds = event.data?.duration ?? 0;
    if (seconds >= 0.05) task.querySelector(".took").textContent = `${seconds.toFixed(1)} s`;
    return;
  }
  if (!event.text) return; // The result: the page shows it in a form of its own.
  if (task && event.kind === "failed") mark(task, "stopped");
  const item = document.getElementById("event-line").content.firstElementChild.cloneNode(true);
  mark(item, event.kind);
  // The message that comes with the end is shown above the lines.
  item.querySelector(".text").textContent = ENDS[event.data?.state] ?? event.text;
  item.querySelector(".at").textContent = offset(event);
  list.append(item);
}

function take(event) {
  if (event.number <= Number(list.dataset.last)) return;
  const following = innerHeight + scrollY >= document.documentElement.scrollHeight - 120;
  list.dataset.last = event.number;
  add(event);
  if (following) scrollTo({ top: document.documentElement.scrollHeight });
}

// The page's own answer shows what a state brings along: buttons, message, links, times.
async function showState(tries = 8) {
  if ((await refresh()) === "later" && tries > 1) setTimeout(showState, 1000, tries - 1);
}

function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

if (list) {
  const source = new EventSource(`${list.dataset.stream}?after=${list.dataset.last}`);
  source.addEventListener("open", () => say("New lines appear by themselves."));
  source.addEventListener("message", (message) => {
    const event = JSON.parse(message.data);
    take(event);
    if (event.kind !== "state") return;
    if (event.data?.state in ENDS) {
      source.close();
      say("");
    }
    showState();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CONNECTING) return say("The connection was lost; trying again.");
    // The server has nothing more to send (the job has ended), or nobody is signed in any more.
    say("Load the page again to see new lines.");
    showState(1);
  });
}

// Its place in the queue changes with other jobs, which this one's events do not tell of.
async function watchQueue() {
  if (!document.querySelector("[data-waiting]")) return;
  if (document.hidden || (await refresh()) !== "over") setTimeout(watchQueue, 2000);
}
setTimeout(watchQueue, 2000);
