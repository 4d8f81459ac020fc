// Buttons that copy the text of the element they name. Browsers allow it on HTTPS and on localhost; elsewhere the
// buttons stay hidden, and the text is there to be selected.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here"; // the browser's own refusal
    }
    setTimeout(() => (button.textContent = words), 2000);
  });
}
