// A terminal in the page: what is typed goes to the container as bytes, what it prints comes back as bytes; words of
// the portal's own come as text.
/* global Terminal, FitAddon */
const form = document.getElementById("shell-form");
const box = document.getElementById("terminal");
const hint = document.getElementById("shell-hint");
const status = document.getElementById("shell-status");
const openButton = document.getElementById("shell-open");
const closeButton = document.getElementById("shell-close");
const encoder = new TextEncoder();
const COLOURS = { background: "#111513", foreground: "#e5ebe7", cursor: "#82cfa7", selectionBackground: "#3a5a49" };
// The server refuses larger messages; a large paste goes in pieces.
const PIECE = 16 * 1024;
let terminal;
let fit;
let socket;

// The terminal writes its styles into <style> elements, which the page's policy refuses. The same text in a style sheet
// that a script owns is allowed, without any exception to the policy; an element that shows nothing takes its place.
function adoptStyles() {
  const create = document.createElement.bind(document);
  document.createElement = (name, options) => {
    if (String(name).toLowerCase() !== "style") return create(name, options);
    const element = create("template");
    const sheet = new CSSStyleSheet();
    document.adoptedStyleSheets.push(sheet);
    Object.defineProperty(element, "textContent", { set: (text) => sheet.replaceSync(text), get: () => "" });
    return element;
  };
}

function say(words) {
  status.textContent = words;
}

function send(data) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  for (let start = 0; start < bytes.length; start += PIECE) socket.send(bytes.subarray(start, start + PIECE));
}

function makeTerminal() {
  adoptStyles();
  terminal = new Terminal({ cursorBlink: true, fontSize: 14, scrollback: 5000, screenReaderMode: true, theme: COLOURS });
  fit = new FitAddon.FitAddon();
  terminal.loadAddon(fit);
  box.hidden = hint.hidden = false;
  terminal.open(box);
  terminal.onData(send);
  terminal.onBinary((text) => send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ columns: cols, rows }));
  });
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.key !== "Escape" || !event.shiftKey) return true;
    if (event.type === "keydown") (closeButton.hidden ? openButton : closeButton).focus();
    return false;
  });
  new ResizeObserver(() => fit.fit()).observe(box);
}

function ended(words) {
  say(words);
  closeButton.hidden = true;
  openButton.hidden = false;
  socket = undefined;
}

async function open() {
  openButton.removeAttribute("aria-busy");
  delete form.dataset.sent;
  if (!terminal) makeTerminal();
  terminal.reset();
  fit.fit();
  say("Opening…");
  // Renews a session whose time is nearly over: a socket cannot.
  await fetch(location.href, { cache: "no-store" }).catch(() => undefined);
  const address = new URL(form.dataset.socket, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(address);
  socket = opened;
  opened.binaryType = "arraybuffer";
  let words = "";
  opened.addEventListener("open", () => {
    const [pod, container] = form.elements.target.value.split("/");
    const size = { columns: terminal.cols, rows: terminal.rows };
    opened.send(JSON.stringify({ csrf: form.dataset.csrf, pod, container, shell: form.elements.shell.value, ...size }));
  });
  opened.addEventListener("message", (message) => {
    if (typeof message.data !== "string") return terminal.write(new Uint8Array(message.data));
    const word = JSON.parse(message.data);
    if (word.type === "ready") {
      say(`Open in ${form.elements.target.value.replace("/", ", container ")}.`);
      openButton.hidden = true;
      closeButton.hidden = false;
      terminal.focus();
    } else {
      words = `Closed: ${word.text}.`;
    }
  });
  opened.addEventListener("close", () => {
    if (socket === opened) ended(words || "The connection was closed. Load the page again if it cannot be opened.");
  });
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open();
  });
  closeButton.addEventListener("click", () => socket?.close());
}
