// Parts marked data-live are fetched again, and replaced where they changed: every so many seconds while the page is
// looked at (data-live="4"), or when another script asks for it.
let every = 0;
let timer;

// Returns "done", "later" (no network, or the portal is starting again) or "over": signed out, or the thing is gone.
// What stands on the page then stays, as the last that was known.
export async function refresh() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  } catch {
    return "later"; // fetch rejects only when the network is away
  }
  if (answer.status >= 500) return "later";
  if (!answer.ok || answer.redirected) return "over";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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

export function keepFresh() {
  every = 1000 * Number(document.querySelector("[data-live]")?.dataset.live);
  if (!every) return;
  timer = setTimeout(tick, every);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tick();
  });
}
