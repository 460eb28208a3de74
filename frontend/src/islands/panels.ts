// The steps that are open for one order, one at a time: opening one closes the others and goes to its first field, and
// Escape leaves a field so that keys mean steps again.
export default function (element: HTMLElement): void {
  const panels = [...element.querySelectorAll<HTMLDetailsElement>("details.panel")];
  for (const panel of panels) {
    panel.querySelector("summary")?.addEventListener("click", () => {
      if (panel.open) return; // it is about to close
      for (const other of panels) if (other !== panel) other.open = false;
      // After the details have opened.
      requestAnimationFrame(() => first(panel)?.focus());
    });
  }
  const first = (panel: HTMLElement): HTMLElement | null =>
    panel.querySelector<HTMLElement>(
      ".error-list a, input:not([type=hidden], [type=file]):checked, textarea, input:not([type=hidden], [type=file], [type=radio]), select, form button",
    );

  // An address that names a step opens it; whoever came by key goes on by key.
  const open = panels.find((p) => p.open && location.pathname.endsWith(`/${p.id.replace("panel-", "")}/`));
  if (open) first(open)?.focus();

  element.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.key !== "Escape" || !target.matches("textarea, input, select")) return;
    target.closest("details.panel")?.querySelector("summary")?.focus();
  });
}
