// A long select becomes a field in which one types: every option that holds the words, or one of the words by which
// people name it (data-terms), is listed below. The select stays in the form, hidden; without script it is used as it is.
let made = 0;

export default function (element: HTMLElement): void {
  const select = element.querySelector("select");
  const label = element.querySelector("label");
  if (!select || !label) return;
  const id = `pick-${(made += 1)}`;
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const said = document.createElement("span");
  // What leads to the select (its label, an error) leads to the field that stands in its place.
  Object.assign(input, { type: "text", id: select.id, autocomplete: "off" });
  select.id = id;
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": `${id}-list`,
    "data-pick": "",
  }))
    input.setAttribute(name, value);
  for (const name of ["aria-describedby", "aria-invalid"]) {
    const value = select.getAttribute(name);
    if (value) input.setAttribute(name, value);
  }
  Object.assign(list, { id: `${id}-list`, className: "pick", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", label.firstChild?.textContent?.trim() ?? "");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  select.hidden = true;
  select.after(input, list, said);

  const options = [...select.options].filter((o) => o.value !== "");
  const group = (o: HTMLOptionElement): string =>
    o.parentElement instanceof HTMLOptGroupElement ? o.parentElement.label : "";
  const shown = (): string => (select.value ? (select.selectedOptions[0]?.text ?? "") : "");
  let active = -1;

  /** How well an option fits what was typed; 0 where it does not. */
  function fit(o: HTMLOptionElement, words: string): number {
    const name = o.text.toLowerCase();
    if (name.startsWith(words) || o.value.startsWith(words)) return 4;
    if (name.includes(words)) return 3;
    if ((o.dataset.terms ?? "").toLowerCase().includes(words)) return 2;
    return group(o).toLowerCase().includes(words) ? 1 : 0;
  }

  function close(): void {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(to: number): void {
    const rows = [...list.querySelectorAll<HTMLElement>("[role=option]")];
    if (!rows.length) return;
    active = (to + rows.length) % rows.length;
    rows.forEach((row, i) => row.setAttribute("aria-selected", String(i === active)));
    input.setAttribute("aria-activedescendant", rows[active]!.id);
    rows[active]!.scrollIntoView({ block: "nearest" });
  }

  function open(words: string): void {
    const fitting = options
      .map((o) => [words ? fit(o, words) : 1, o] as const)
      .filter(([n]) => n > 0)
      .sort((a, b) => b[0] - a[0])
      .slice(0, words ? 30 : options.length);
    list.replaceChildren(
      ...fitting.map(([, o], i) => {
        const row = document.createElement("li");
        Object.assign(row, { id: `${id}-${i}` });
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", "false");
        row.dataset.value = o.value;
        const where = document.createElement("span");
        Object.assign(where, { className: "soft", textContent: group(o) });
        row.append(o.text, " ", where);
        return row;
      }),
    );
    list.hidden = fitting.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = fitting.length ? `${fitting.length} ${element.dataset.some ?? ""}` : (element.dataset.none ?? "");
    if (words) mark(0);
    else active = -1;
  }

  function take(value: string): void {
    select!.value = value;
    close();
    select!.dispatchEvent(new Event("change", { bubbles: true }));
  }

  input.addEventListener("input", (event) => {
    event.stopPropagation(); // half a word decides nothing
    const words = input.value.trim().toLowerCase();
    if (words) open(words);
    else take("");
  });
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open("");
      mark(event.key === "ArrowDown" ? active + 1 : active < 0 ? -1 : active - 1);
    } else if (event.key === "Enter" && !list.hidden) {
      const row = list.querySelectorAll<HTMLElement>("[role=option]")[active];
      if (row) take(row.dataset.value ?? "");
    } else if (event.key === "Escape" && !list.hidden) {
      input.value = shown();
      close();
    } else return;
    event.preventDefault();
  });
  // Leaving the field keeps what is marked only where it was chosen; words that chose nothing go.
  input.addEventListener("blur", () => {
    close();
    input.value = shown();
  });
  list.addEventListener("mousedown", (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
    event.preventDefault();
    if (row) take(row.dataset.value ?? "");
  });
  select.addEventListener("change", () => (input.value = shown()));
  input.value = shown();
}
