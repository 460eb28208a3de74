// A button that only says something for a moment: shows the toast on the style page.
import { toast } from "../toast";

export default function (element: HTMLElement): void {
  const { words = "", label = "", done = "" } = element.dataset;
  element.hidden = false;
  element.addEventListener("click", () => toast(words, { label, act: () => void toast(done) }));
}
