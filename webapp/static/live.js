// Parts marked data-live are fetched again, and replaced where they changed: as soon as the stream that data-changes
// names tells of a change, or every so many seconds (data-live="4") while no stream can be had.
let every = 0;
let timer;
let running = false;
let again = false;
let asked = 0;
let shown = 0;

// Returns "done", "later" (no network, or the portal is starting again) or "over": signed out, or the thing is gone.
// What stands on the page then stays, as the last that was known.
export async function refresh() {
  const turn = ++asked;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  } catch {
    return "later"; // fetch rejects only when the network is away
  }
  if (answer.status >= 500) return "later";
  if (!answer.ok || answer.redirected) return "over";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  // What was asked for later may have come sooner, and is newer.
  if (turn < shown) return "done";
  shown = turn;
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const fresh = page.getElementById(part.id);
    // Whoever is in the middle of this part (a field, a link) keeps it until the next time.
    if (!fresh || part.contains(document.activeElement) || fresh.innerHTML === part.innerHTML) continue;
    // The element itself stays: screen readers announce only what changes inside of it.
    part.replaceChildren(...document.adoptNode(fresh).childNodes);
  }
  return "done";
}

async function tick() {
  const outcome = document.hidden ? "later" : await refresh();
  clearTimeout(timer);
  if (outcome !== "over") timer = setTimeout(tick, every);
}

// What changes while a page is being fetched is fetched after it, once, however much it is.
async function change(source) {
  again = true;
  if (running || document.hidden) return;
  running = true;
  while (again && !document.hidden) {
    again = false;
    if ((await refresh()) === "over") source.close();
  }
  running = false;
}

function listen(address) {
  const source = new EventSource(address);
  let opened = false;
  source.addEventListener("open", () => {
    clearTimeout(timer);
    // After a cut something may have been missed.
    if (opened) change(source);
    opened = true;
  });
  source.addEventListener("changed", () => change(source));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) timer = setTimeout(tick, every);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again) change(source);
  });
  // A page that the browser keeps for "back" must not keep a place on the server.
  addEventListener("pagehide", () => source.close());
}

export function keepFresh() {
  every = 1000 * Number(document.querySelector("[data-live]")?.dataset.live);
  if (!every) return;
  timer = setTimeout(tick, every);
  const address = document.querySelector("[data-changes]")?.dataset.changes;
  if (address) return listen(address);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tick();
  });
}
