// A button that opens the browser's own print dialog; without script there is the browser's menu.
export default function (element: HTMLElement): void {
  element.hidden = false;
  element.addEventListener("click", () => window.print());
}
