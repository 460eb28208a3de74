// A list of cases by keyboard: j and k go down and up, Enter opens (it is a link), x marks, a marks all. Around a
// table.cases; keys that act on rows are buttons with data-key in the page.
export default function (element: HTMLElement): void {
  const links = (): HTMLAnchorElement[] => [...element.querySelectorAll<HTMLAnchorElement>("table.cases .title a")];
  const row = (): HTMLTableRowElement | null => document.activeElement?.closest("table.cases tr") ?? null;
  const boxes = (): HTMLInputElement[] => [...element.querySelectorAll<HTMLInputElement>("td.select input")];
  const told = (box: HTMLInputElement): boolean => box.dispatchEvent(new Event("change", { bubbles: true }));

  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.matches("textarea, select, input:not([type=checkbox])")) return;
    if (event.key === "j" || event.key === "k") {
      const all = links();
      const here = all.findIndex((a) => a.closest("tr") === row());
      const next = here < 0 ? all[0] : all[here + (event.key === "j" ? 1 : -1)];
      next?.focus();
      next?.closest("tr")?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "x") {
      const box = row()?.querySelector<HTMLInputElement>("td.select input");
      if (!box) return;
      box.checked = !box.checked;
      told(box);
    } else if (event.key === "a") {
      const all = boxes();
      const on = all.some((b) => !b.checked);
      for (const box of all) box.checked = on;
      if (all[0]) told(all[0]);
    } else return;
    event.preventDefault();
  });
}
