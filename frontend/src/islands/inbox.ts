// The unit's inbox: the order in focus is shown beside the list, and keys act on it. Around the form of rows and the
// preview; buttons with data-open lead to a step of the order in focus, those with data-act act on what is ticked.
import { toast } from "../toast";

export default function (element: HTMLElement): void {
  const beside = element.querySelector<HTMLElement>("aside");
  const wide = window.matchMedia("(min-width: 75rem)");
  let current: HTMLTableRowElement | null = null;
  let timer = 0;
  let asked: AbortController | null = null;

  const link = (): HTMLAnchorElement | null => current?.querySelector<HTMLAnchorElement>(".title a") ?? null;
  const choose = (): void => void toast(element.dataset.choose ?? "");

  async function show(address: string): Promise<void> {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${address}preview/`, { signal: asked.signal, redirect: "error" });
      if (!beside || !answer.ok) return;
      beside.innerHTML = await answer.text();
    } catch {
      // Gone to another order meanwhile, or no line: the row itself still opens.
    }
  }

  element.addEventListener("focusin", (event) => {
    const row = (event.target as HTMLElement).closest<HTMLTableRowElement>("table.cases tbody tr");
    if (!row || row === current) return;
    current?.classList.remove("current");
    current = row;
    row.classList.add("current");
    if (!beside || !wide.matches) return;
    beside.hidden = false;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void show(link()?.pathname ?? ""), 120);
  });

  for (const button of element.querySelectorAll<HTMLButtonElement>("[data-open], [data-next]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const all = [...element.querySelectorAll<HTMLAnchorElement>("table.cases .title a")];
      if (button.dataset.next !== undefined) {
        const here = link();
        all[here ? all.indexOf(here) + 1 : 0]?.focus();
        return;
      }
      const address = link()?.pathname;
      if (address) location.assign(`${address}${button.dataset.open}/`);
      else choose();
    });
  }

  // With nothing ticked, what is pressed is meant for the order in focus.
  element.querySelector("form")?.addEventListener("submit", (event) => {
    if (element.querySelector("td.select input:checked")) return;
    const box = current?.querySelector<HTMLInputElement>("td.select input");
    if (box) box.checked = true;
    else {
      event.preventDefault();
      choose();
    }
  });

  if (wide.matches) element.querySelector<HTMLAnchorElement>("table.cases .title a")?.focus({ preventScroll: true });
}
