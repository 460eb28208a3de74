// Keys press buttons: a button or link with data-key="F9" (or "d", or "Ctrl+Enter") is pressed by it. A page that has
// such buttons lists them in the dialog that "?" opens; nothing is reachable by key alone.

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));

const named = (event: KeyboardEvent): string =>
  `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;

document.addEventListener("keydown", (event) => {
  // A plain letter belongs to whoever is typing, and to an open dialog.
  if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && typing(event.target)) return;
  const dialog = document.querySelector("dialog[open]");
  const pressed = [...(dialog ?? document).querySelectorAll<HTMLElement>(`[data-key="${CSS.escape(named(event))}"]`)];
  // Buttons that are not shown (in closed details too) do nothing, save the one that opens this very list.
  const button = pressed.find((b) => b.dataset.dialog !== undefined || b.checkVisibility());
  if (!button || event.defaultPrevented) return;
  event.preventDefault();
  button.click();
});

/** Lists what can be pressed on this page. */
function list(into: HTMLElement): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-key]")]
    .filter((b) => b.dataset.dialog !== "keys" && (b.checkVisibility() || b.dataset.keyAlways !== undefined))
    .flatMap((b) => {
      const key = document.createElement("dt");
      const words = document.createElement("dd");
      key.append(Object.assign(document.createElement("kbd"), { textContent: b.dataset.key ?? "" }));
      words.textContent = b.dataset.says ?? b.textContent?.trim() ?? "";
      return [key, words];
    });
  into.replaceChildren(...rows);
}

// A button with data-dialog="keys" opens <dialog id="keys">; a form with method="dialog" in it closes it.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-dialog]") : null;
  const dialog = button && document.getElementById(button.dataset.dialog ?? "");
  if (!(dialog instanceof HTMLDialogElement)) return;
  const keys = dialog.querySelector<HTMLElement>("[data-keys]");
  if (keys) list(keys);
  dialog.showModal();
});

for (const button of document.querySelectorAll<HTMLElement>('[data-dialog="keys"]'))
  button.hidden = document.querySelectorAll("[data-key]").length < 2;
