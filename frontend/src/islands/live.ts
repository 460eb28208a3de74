// Keeps a page up to date by asking politely: the page's own address, once a second, with the tag of what is shown. Most
// answers are "304, nothing new". What has changed is put in place by id; the rest of the page stays as it is.
// A number that can no longer be trusted says so: the server has been away since, updating is paused, the session ended.

const EVERY = 1000;
const UNSEEN = 15_000; // a page that nobody looks at
const PATIENCE = 8000;

export default function (element: HTMLElement): void {
  const find = <T extends HTMLElement>(selector: string): T | null => element.querySelector<T>(selector);
  const clock = find("[data-as-of]");
  const pause = find<HTMLButtonElement>("[data-pause]");
  const notice = find("[data-away]");
  let tag = element.dataset.tag ?? "";
  let paused = false;
  let timer = 0;

  const say = (words: string | undefined): void => {
    element.classList.toggle("stale", words !== undefined);
    if (!notice) return;
    const text = (words ?? "").replace("{time}", clock?.textContent ?? "");
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = words === undefined;
  };

  const renew = (html: string): void => {
    const page = new DOMParser().parseFromString(html, "text/html");
    tag = page.querySelector<HTMLElement>("[data-island=live]")?.dataset.tag ?? "";
    for (const fresh of page.querySelectorAll<HTMLElement>("[data-live][id]")) {
      const old = document.getElementById(fresh.id);
      if (!old || old.outerHTML === fresh.outerHTML) continue;
      const focused = old.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
      const again = focused && [...old.querySelectorAll("a, button")].indexOf(focused);
      const made = document.importNode(fresh, true);
      old.replaceWith(made);
      if (!focused) continue;
      const places = [...made.querySelectorAll<HTMLElement>("a, button")];
      // The same link where it still is, else what now stands in its place: the keyboard is not thrown to the top.
      const same = places.find((a) => a.getAttribute("href") === focused.getAttribute("href"));
      (same ?? places[Math.min(again ?? 0, places.length - 1)])?.focus();
    }
    document.dispatchEvent(new CustomEvent("lucheng:fresh"));
  };

  const ask = async (): Promise<void> => {
    try {
      const answer = await fetch(element.dataset.address ?? location.href, {
        headers: { "If-None-Match": `"${tag}"`, "X-Live": "1" },
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (paused) return;
      if (answer.redirected || answer.status === 403) return say(element.dataset.ended);
      if (answer.status === 200) renew(await answer.text());
      else if (answer.status !== 304) throw new Error(String(answer.status));
      const time = answer.headers.get("X-As-Of");
      if (clock && time) clock.textContent = time;
      say(undefined);
    } catch {
      if (!paused) say(element.dataset.gone);
    }
  };

  const turn = async (): Promise<void> => {
    window.clearTimeout(timer);
    if (paused) return;
    await ask();
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void turn(), document.hidden ? UNSEEN : EVERY);
  };

  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      if (paused) say(element.dataset.paused);
      else void turn();
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void turn();
  });
  timer = window.setTimeout(() => void turn(), EVERY);
}
