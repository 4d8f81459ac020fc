// An application's log as it is written. The stream goes on where it was cut, so no line is lost or shown twice. The
// page keeps the newest lines alone and draws once per frame, so that it stays quick however much comes.
const MOST = 2000;
const PER_FRAME = 500;
// Milliseconds between two drawings: laying out takes most of the time, and nobody reads faster.
const PAUSE = 150;
const COLOURS = 5;
const ESCAPES = /\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]/g; // eslint-disable-line no-control-regex

const box = document.getElementById("log");
const list = document.getElementById("log-lines");
const status = document.getElementById("log-status");
const empty = document.getElementById("log-empty");
const dropped = document.getElementById("log-dropped");
const follow = document.getElementById("log-follow");
const colours = new Map();
let waiting = [];
let first = 0; // Index of the first line in `waiting` that is not drawn yet.
let lost = 0;
let source;
let last = "";
let frame = 0;
let fresh = true;

function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

function span(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function drawn(line) {
  const item = document.createElement("li");
  if (line.kind === "note") item.className = "note";
  item.append(span("at", (line.time ?? "").slice(11, 23)), " ");
  if (line.pod) {
    if (!colours.has(line.pod)) colours.set(line.pod, colours.size % COLOURS);
    const pod = span(`pod p${colours.get(line.pod)}`, line.pod.slice(line.pod.lastIndexOf("-") + 1));
    pod.title = `${line.pod}, ${line.container}`;
    item.append(pod, " ");
  }
  item.append(span("text", line.text.replace(ESCAPES, "")));
  return item;
}

// Whoever has scrolled up reads: the box then stays where it is.
function atEnd() {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}

function draw() {
  frame = 0;
  const follows = atEnd();
  const lines = waiting.slice(first, first + PER_FRAME);
  first += lines.length;
  if (first >= waiting.length) {
    waiting = [];
    first = 0;
  }
  const fragment = document.createDocumentFragment();
  for (const line of lines) fragment.append(drawn(line));
  list.append(fragment);
  const over = list.childElementCount - MOST;
  if (over > 0) {
    lost += over;
    for (let count = 0; count < over; count += 1) list.firstElementChild.remove();
  }
  dropped.hidden = lost === 0;
  if (lost) dropped.textContent = `${lost} older lines are not shown any more; the download has all of them.`;
  empty.hidden = list.childElementCount > 0;
  if (follows) box.scrollTop = box.scrollHeight;
  if (waiting.length) schedule();
}

function schedule() {
  frame ||= setTimeout(() => requestAnimationFrame(draw), PAUSE);
}

export function take(lines) {
  if (fresh) {
    // What stood in the page comes again with the stream.
    list.replaceChildren();
    fresh = false;
  }
  for (const line of lines) waiting.push(line);
  const over = waiting.length - first - MOST;
  if (over > 0) {
    // More came than is ever shown: the oldest of them need not be drawn at all.
    lost += over;
    waiting = waiting.slice(first + over);
    first = 0;
  }
  schedule();
}

function open() {
  const address = new URL(box.dataset.stream, location.href);
  if (last) address.searchParams.set("after", last);
  source = new EventSource(address);
  source.addEventListener("open", () => say("New lines appear by themselves."));
  source.addEventListener("message", (message) => {
    last = message.lastEventId;
    take(JSON.parse(message.data).items);
  });
  source.addEventListener("end", () => {
    close();
    follow.hidden = true;
    say("This is all there is.");
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CONNECTING) return say("The connection was lost; trying again.");
    close();
    follow.hidden = true;
    say("New lines cannot come by themselves now; load the page again to see them.");
  });
}

function close() {
  source?.close();
  source = undefined;
}

if (box?.dataset.stream) {
  follow.hidden = false;
  box.scrollTop = box.scrollHeight;
  open();
  follow.addEventListener("click", () => {
    const goes = source !== undefined;
    if (goes) close();
    else open();
    follow.setAttribute("aria-pressed", String(!goes));
    follow.textContent = goes ? "Follow" : "Pause";
    if (goes) say("Paused: new lines wait until you follow again.");
    else box.scrollTop = box.scrollHeight;
  });
}
