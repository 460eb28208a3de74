// The tracking code, copied or handed to the telephone's own share sheet. Paper shows what stands folded on the screen.
import { toast } from "../toast";

/** Copy on pages without TLS too, as on an intranet, where the clipboard of today is closed. */
async function copy(words: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(words);
  const field = document.createElement("textarea");
  field.value = words;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not copied");
}

export default function (element: HTMLElement): void {
  const { code = "", address = "", title = "", copied = "" } = element.dataset;
  const button = element.querySelector<HTMLButtonElement>("[data-copy]");
  const share = element.querySelector<HTMLButtonElement>("[data-share]");
  if (button) {
    button.hidden = false;
    // Where nothing can be copied the code is marked, to be copied by hand.
    const mark = (): void => window.getSelection()?.selectAllChildren(element.querySelector(".code-big") as Node);
    button.addEventListener("click", () => void copy(code).then(() => toast(copied), mark));
  }
  if (share && "share" in navigator) {
    share.hidden = false;
    // Closing the share sheet again is no error.
    share.addEventListener("click", () => void navigator.share({ title, text: code, url: address }).catch(() => undefined));
  }
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll<HTMLDetailsElement>("details:not(.action)")) folded.open = true;
  });
}
