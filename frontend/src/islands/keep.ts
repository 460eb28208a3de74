// What was typed into a form is kept in this tab until it has been sent, so that a session that ended, a browser's back
// button or a mistaken click loses nothing. It goes with the tab; passwords, files and hidden fields are never kept.
type Kept = Record<string, string | boolean>;

export default function (element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const name = `kept:${form.action}`;
  const fields = (): (HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[] =>
    [...form.elements].filter(
      (f): f is HTMLInputElement =>
        (f instanceof HTMLInputElement || f instanceof HTMLTextAreaElement || f instanceof HTMLSelectElement) &&
        f.name !== "" &&
        !["hidden", "password", "file", "submit"].includes(f.type),
    );
  const key = (f: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement): string =>
    f.type === "radio" || f.type === "checkbox" ? `${f.name}=${f.value}` : f.name;

  const kept = JSON.parse(sessionStorage.getItem(name) ?? "null") as Kept | null;
  // The server's answer to what was sent says more than what was kept before it.
  if (kept && !form.querySelector(".error, .error-list")) {
    for (const f of fields()) {
      const value = kept[key(f)];
      if (typeof value === "boolean" && f instanceof HTMLInputElement) f.checked = value;
      else if (typeof value === "string") f.value = value;
    }
  }
  form.addEventListener("input", () => {
    const now: Kept = {};
    for (const f of fields())
      now[key(f)] = f instanceof HTMLInputElement && ["radio", "checkbox"].includes(f.type) ? f.checked : f.value;
    sessionStorage.setItem(name, JSON.stringify(now));
  });
  // main.ts forgets it when the next page shows that it was accepted.
  form.addEventListener("submit", () => sessionStorage.setItem("kept-sent", name));
}
