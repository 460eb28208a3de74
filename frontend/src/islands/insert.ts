// Puts the chosen template into the text where the cursor stands; without script the button does it by way of the server.
export default function (element: HTMLElement): void {
  const select = element.querySelector("select");
  const button = element.querySelector("button");
  const into = document.getElementById(element.dataset.into ?? "");
  if (!select || !button || !(into instanceof HTMLTextAreaElement)) return;
  button.type = "button";
  button.addEventListener("click", () => {
    const text = select.selectedOptions[0]?.dataset.text ?? "";
    into.focus();
    const before = into.value.slice(0, into.selectionStart);
    into.setRangeText(before.trim() && !before.endsWith("\n") ? `\n${text}` : text, into.selectionStart, into.selectionEnd, "end");
    into.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
