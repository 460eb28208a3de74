/** Say something for a while at the foot of the page, with one thing that can be done about it. */
export function toast(words: string, options: { seconds?: number; label?: string; act?: () => void } = {}): () => void {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.append(words);
  const close = (): void => {
    window.clearTimeout(timer);
    note.remove();
  };
  const timer = window.setTimeout(close, (options.seconds ?? 6) * 1000);
  if (options.label && options.act) {
    const { act } = options;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: options.label });
    button.dataset.key = "z";
    button.addEventListener("click", () => {
      close();
      act();
    });
    note.append(" ", button);
  }
  place?.append(note);
  return close;
}
