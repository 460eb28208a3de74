// Photographs of a case: a link to each works without script; with it they open large in a dialog, and the arrow keys go
// from one to the next.
export default function (element: HTMLElement): void {
  const links = [...element.querySelectorAll<HTMLAnchorElement>("a")];
  const picture = document.createElement("img");
  const words = document.createElement("p");
  const dialog = document.createElement("dialog");
  dialog.className = "large";
  let at = 0;

  const show = (index: number): void => {
    at = (index + links.length) % links.length;
    const small = links[at]?.querySelector("img");
    picture.src = links[at]?.href ?? "";
    picture.alt = small?.alt ?? "";
    words.textContent = `${small?.alt ?? ""} (${at + 1}/${links.length})`;
    dialog.setAttribute("aria-label", small?.alt ?? "");
  };
  const button = (label: string, act: () => void): HTMLButtonElement => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    made.addEventListener("click", act);
    return made;
  };

  const row = document.createElement("div");
  row.className = "buttons";
  if (links.length > 1)
    row.append(
      button(element.dataset.before ?? "‹", () => show(at - 1)),
      button(element.dataset.next ?? "›", () => show(at + 1)),
    );
  row.append(button(element.dataset.close ?? "×", () => dialog.close()));
  dialog.append(words, picture, row);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") show(at + 1);
    else if (event.key === "ArrowLeft") show(at - 1);
    else return;
    event.preventDefault();
  });
  document.body.append(dialog);

  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab was meant
      event.preventDefault();
      show(index);
      dialog.showModal();
    }),
  );
}
