// Parts marked data-live are fetched again while the page is looked at, and replaced where they changed.
const EVERY = 4000;
let timer;

export async function refresh() {
  const parts = document.querySelectorAll("[data-live][id]");
  if (!parts.length) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  // Signed out, or gone: what stands on the page stays, as the last that was known.
  if (!answer.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const fresh = page.getElementById(part.id);
    // Whoever is in the middle of this part (a field, a link) keeps it until the next time.
    if (!fresh || part.contains(document.activeElement) || fresh.innerHTML === part.innerHTML) continue;
    // The element itself stays: screen readers announce only what changes inside of it.
    part.replaceChildren(...document.adoptNode(fresh).childNodes);
  }
  return true;
}

async function tick() {
  let again = true;
  try {
    again = document.hidden || (await refresh());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch says so when the network is away: try again later
  }
  if (again) timer = setTimeout(tick, EVERY);
}

export function keepFresh() {
  if (!document.querySelector("[data-live='poll']")) return;
  timer = setTimeout(tick, EVERY);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    clearTimeout(timer);
    tick();
  });
}
