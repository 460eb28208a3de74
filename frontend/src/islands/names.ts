// Type to find: while a name is typed, the server offers those that fit, in the browser's own list. What is chosen reads
// "name [code]"; a name or a code typed in full is as good, so the field is whole without this.
export default function (element: HTMLElement): void {
  const input = element as HTMLInputElement;
  const list = document.createElement("datalist");
  list.id = `${input.id || input.name}-names`;
  input.after(list);
  input.setAttribute("list", list.id);
  const several = input.dataset.several !== undefined;
  let waiting = 0;
  let asked = "";

  const offer = async (): Promise<void> => {
    // Of several names, the one that is being typed is the last.
    const cut = several ? Math.max(...["、", "，", ",", ";", "；"].map((c) => input.value.lastIndexOf(c))) + 1 : 0;
    const before = input.value.slice(0, cut);
    const typed = input.value.slice(cut).trim();
    if (!typed || typed.endsWith("]") || typed === asked) return;
    asked = typed;
    const response = await fetch(`${input.dataset.from ?? ""}?q=${encodeURIComponent(typed)}`).catch(() => null);
    if (!response?.ok || asked !== typed) return;
    const { found } = (await response.json()) as { found: string[] };
    list.replaceChildren(
      ...found.map((name) => {
        const option = document.createElement("option");
        option.value = before + name;
        return option;
      }),
    );
  };

  input.addEventListener("input", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void offer(), 150);
  });
}
