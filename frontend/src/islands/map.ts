export default function (element: HTMLElement): void { element.textContent = ""; }
