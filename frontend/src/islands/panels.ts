// The steps that are open for one order, one at a time: opening one closes the others and goes to its first field, and
// Escape leaves a field so that keys mean steps again.
export default function (element: HTMLElement): void {
  const panels = [...element.querySelectorAll<HTMLDetailsElement>("details.panel")];
  for (const panel of panels) {
    const summary = panel.querySelector("summary");
    summary?.addEventListener("click", (event) => {
      if (panel.open) {
        // Its key goes to its first field; pressed itself, it closes.
        if (event.detail > 0 || document.activeElement === summary) return;
        event.preventDefault();
        first(panel)?.focus();
        return;
      }
      for (const other of panels) if (other !== panel) other.open = false;
      // After the details have opened.
      requestAnimationFrame(() => first(panel)?.focus());
    });
  }
  const first = (panel: HTMLElement): HTMLElement | null =>
    panel.querySelector<HTMLElement>(
      ".error-list a, textarea, input:not([type=hidden], [type=file], [type=radio]), select:not([name=template]), .buttons button",
    );

  // An address that names a step opens it; whoever came by key goes on by key.
  const open = panels.find((p) => p.open && location.pathname.endsWith(`/${p.id.replace("panel-", "")}/`));
  if (open) first(open)?.focus();

  // The number that was asked for is what comes next: Enter calls it where the device can.
  document.addEventListener("htmx:after:swap", () => element.querySelector<HTMLElement>(".number-shown")?.focus());

  element.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.key !== "Escape" || !target.matches("textarea, input, select")) return;
    target.closest("details.panel")?.querySelector("summary")?.focus();
  });
}
