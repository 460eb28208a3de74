// The dispatcher's board: the case of the row that has the focus stands beside the list, steps are taken without leaving
// it, and the list refreshes by itself. Moving and selecting is the island "rows"; without script every row is a link and
// every step a page.
import { toast } from "../toast";
import keep from "./keep";

type Row = { number: string; why: string };
type Answer = { words?: string; why?: string; done?: unknown[]; left?: Row[] };
type Held = { body: URLSearchParams; address: string; numbers: string[]; timer: number };

const REFRESH = 20_000;
const HOLD = 10;
/** A press of one of these while the case is still on its way waits for it. */
const KEYS = "domrhsvbugfe";

export default function (root: HTMLElement): void {
  const find = <T extends HTMLElement>(id: string): T => {
    const found = document.getElementById(id);
    if (!found) throw new Error(`The page has no #${id}`);
    return found as T;
  };
  const live = find("live");
  const preview = find("preview");
  const dialog = find<HTMLDialogElement>("ask");
  const left = find("left");
  const say = (name: string, n = 0): string => (root.dataset[name] ?? "").replace("{n}", String(n));
  /** Orders that are on their way out: sent or held, and no longer shown. */
  const leaving = new Set<string>();
  const held = new Set<Held>();
  let shown = "";
  let loading: AbortController | null = null;
  let waiting = "";
  let timer = 0;

  // --- rows

  const rows = (): HTMLTableRowElement[] =>
    [...live.querySelectorAll<HTMLTableRowElement>("tbody tr[data-number]")].filter((r) => !r.hidden);
  const row = (number: string): HTMLTableRowElement | undefined => rows().find((r) => r.dataset.number === number);
  const link = (r: HTMLTableRowElement | undefined): HTMLAnchorElement | null => r?.querySelector<HTMLAnchorElement>(".title a") ?? null;
  const boxes = (): HTMLInputElement[] => rows().flatMap((r) => [...r.querySelectorAll<HTMLInputElement>(".select input")]);
  const button = (): HTMLButtonElement | null => live.querySelector<HTMLButtonElement>("#bulk .bar-of-rows button");

  /** The number of the row that comes after this one, or before it where it is the last. */
  const after = (number: string): string => {
    const all = rows();
    const here = all.findIndex((r) => r.dataset.number === number);
    return (all[here + 1] ?? all[here - 1])?.dataset.number ?? "";
  };
  const go = (number: string): void => {
    const next = row(number) ?? rows()[0];
    if (next) {
      link(next)?.focus();
      next.scrollIntoView({ block: "nearest" });
    } else clear();
  };
  /** What the server does not know of the rows is put on them again after each refresh. */
  const dress = (): void => {
    for (const r of live.querySelectorAll<HTMLTableRowElement>("tbody tr[data-number]")) {
      r.hidden = leaving.has(r.dataset.number ?? "");
      if (r.hidden) for (const box of r.querySelectorAll<HTMLInputElement>("input")) box.checked = false;
      if (r.dataset.number === shown) r.setAttribute("aria-current", "true");
      else r.removeAttribute("aria-current");
    }
    count();
  };
  const count = (): void => {
    const press = button();
    if (!press) return;
    const n = boxes().filter((b) => b.checked).length;
    press.disabled = n === 0;
    press.textContent = n === 0 ? (press.dataset.says ?? "") : say("selected", n);
    if (n) press.append(" ", Object.assign(document.createElement("kbd"), { textContent: "D" }));
  };

  // --- talking to the server

  const ask = async (address: string, options: RequestInit = {}): Promise<Response> => {
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    const answer = await fetch(address, { ...options, headers: { "X-Board": "1", "X-CSRFToken": token } });
    if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in/")) {
      location.assign(`/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`);
      throw new DOMException("signed out", "AbortError");
    }
    return answer;
  };
  const failed = (error: unknown): void => {
    if (!(error instanceof DOMException && error.name === "AbortError")) toast(say("unreached"), { seconds: 20 });
  };
  const tell = (answer: Answer): void => {
    const words = [answer.words, answer.why].filter(Boolean).join(" ");
    if (words) toast(words);
    if (!answer.left?.length) return;
    if (!answer.done?.length && answer.left.length === 1) {
      toast(answer.left[0]?.why ?? "", { seconds: 12 });
      return;
    }
    const list = document.createElement("ul");
    for (const { number, why } of answer.left) {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("a"), { href: `/cases/${number}/`, textContent: number }), ` ${why}`);
      list.append(item);
    }
    const seen = Object.assign(document.createElement("button"), { type: "button", className: "second", textContent: say("seen") });
    seen.addEventListener("click", () => left.replaceChildren());
    const box = Object.assign(document.createElement("div"), { className: "notice wrong" });
    box.append(Object.assign(document.createElement("h2"), { textContent: say("left") }), list, seen);
    left.replaceChildren(box);
  };

  // --- the list refreshes by itself

  const refresh = (): Promise<void> =>
    new Promise((done) => {
      const end = (): void => {
        window.clearTimeout(late);
        live.removeEventListener("htmx:after:swap", end);
        done();
      };
      const late = window.setTimeout(end, 5000);
      live.addEventListener("htmx:after:swap", end);
      live.dispatchEvent(new CustomEvent("refresh"));
    });
  const stale = (): void => {
    const age = live.querySelector("[data-age]");
    if (age && !age.nextElementSibling?.matches("[data-stale]"))
      age.after(Object.assign(document.createElement("strong"), { textContent: ` ${say("stale")}` }));
    age?.nextElementSibling?.setAttribute("data-stale", "");
  };
  live.addEventListener("htmx:before:response", (event) => {
    const raw = (event as CustomEvent).detail.ctx.response.raw as Response;
    if (raw.ok && !raw.redirected) return;
    event.preventDefault(); // a page that asks to sign in, or an error: the list stays and says how old it is
    stale();
  });
  live.addEventListener("htmx:error", stale);
  live.addEventListener("htmx:after:swap", () => {
    dress();
    const r = row(shown);
    const beside = preview.querySelector<HTMLElement>("article");
    // The case beside it has changed: what stands there is no longer what can be acted on.
    if (r && beside && beside.dataset.version !== r.dataset.version && !dialog.open) void load(shown);
  });
  // A list that refreshes by itself is no sign that somebody is there: it does not keep the session.
  let alone = false;
  live.addEventListener("htmx:config:request", (event) => {
    if (alone) (event as CustomEvent).detail.ctx.request.headers["X-Live"] = "1";
    alone = false;
  });
  window.setInterval(() => {
    if (document.hidden || dialog.open) return;
    alone = true;
    live.dispatchEvent(new CustomEvent("refresh"));
  }, REFRESH);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) live.dispatchEvent(new CustomEvent("refresh"));
  });
  live.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    if (target.closest('[data-key="R"]')) {
      event.preventDefault();
      void refresh();
    } else if (!target.closest("a, input, button, label")) link(target.closest<HTMLTableRowElement>("tr[data-number]") ?? undefined)?.focus();
  });
  live.addEventListener("change", count);

  // --- one case beside the list

  const clear = (): void => {
    shown = "";
    preview.replaceChildren();
  };
  const load = async (number: string): Promise<void> => {
    window.clearTimeout(timer);
    loading?.abort();
    const mine = (loading = new AbortController());
    shown = number;
    dress();
    preview.inert = true; // no button of another case can be pressed meanwhile
    try {
      const answer = await ask((preview.dataset.address ?? "").replace("/0/", `/${number}/`), { signal: mine.signal });
      const words = await answer.text();
      if (loading !== mine) return;
      if (answer.ok) preview.innerHTML = words;
      else preview.replaceChildren();
      preview.scrollTop = 0;
      loading = null;
      preview.inert = false;
      const key = waiting;
      waiting = "";
      if (key) preview.querySelector<HTMLElement>(`[data-key="${key}"]`)?.click();
    } catch (error) {
      if (loading !== mine) return;
      loading = null;
      preview.inert = false;
      preview.replaceChildren();
      failed(error);
    }
  };
  const moved = (target: Element | null): void => {
    const number = target?.closest<HTMLElement>("tr[data-number]")?.dataset.number;
    if (!number || number === shown || !preview.getClientRects().length) return;
    window.clearTimeout(timer);
    loading?.abort();
    shown = number;
    preview.inert = true;
    loading = new AbortController();
    timer = window.setTimeout(() => void load(number), 60);
  };
  live.addEventListener("focusin", (event) => moved(event.target as Element));
  // Before any other listener: keys do not reach the buttons of the case that stood here before.
  window.addEventListener(
    "keydown",
    (event) => {
      if (!loading || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
      if (event.key.length !== 1 || !KEYS.includes(event.key) || (event.target as HTMLElement).matches("input:not([type=checkbox]), select, textarea")) return;
      waiting = event.key;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  // --- steps

  const busy = new Set<HTMLFormElement>();
  const act = async (form: HTMLFormElement): Promise<void> => {
    if (busy.has(form)) return;
    busy.add(form);
    const number = shown;
    const next = after(number);
    try {
      const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
      const answer = await ask(form.action, { method: "POST", body });
      if (answer.headers.get("content-type")?.includes("html")) {
        if (answer.status === 422) fill(await answer.text()); // something is to be corrected
        else failed(answer.status);
        return;
      }
      const said = (await answer.json()) as Answer;
      const done = answer.ok && !said.left?.length;
      if (done) sessionStorage.removeItem(`kept:${form.action}`);
      dialog.close();
      tell(said);
      await refresh();
      if (done) go(next);
      else if (row(number)) void load(number);
      else go(next);
    } catch (error) {
      failed(error);
    } finally {
      busy.delete(form);
    }
  };
  const fill = (words: string): void => {
    dialog.innerHTML = words;
    const form = dialog.querySelector("form");
    if (form?.matches("[data-do]")) keep(form);
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector<HTMLElement>("[aria-invalid]") ?? dialog.querySelector<HTMLElement>("[name=lead_unit]"))?.focus();
  };
  const open = async (address: string, options: RequestInit = {}): Promise<void> => {
    try {
      const answer = await ask(address, options);
      if (answer.headers.get("content-type")?.includes("html") && answer.ok) fill(await answer.text());
      else if (answer.headers.get("content-type")?.includes("json")) {
        tell((await answer.json()) as Answer);
        void load(shown);
      } else failed(answer.status);
    } catch (error) {
      failed(error);
    }
  };
  const closed = (): void => {
    dialog.replaceChildren();
    link(row(shown))?.focus();
  };
  dialog.addEventListener("close", closed);

  root.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("[data-do]")) {
      event.preventDefault();
      void act(form);
    } else if (form.matches("[data-hold]")) {
      event.preventDefault();
      hold(form);
    } else if (form.id === "bulk") {
      event.preventDefault();
      void open(form.action, { method: "POST", body: new URLSearchParams(new FormData(form) as unknown as Record<string, string>) });
    }
  });
  root.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    const asks = target.closest<HTMLElement>("[data-ask]");
    const back = target.closest<HTMLAnchorElement>("[data-back]");
    if (asks && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      void open(asks.dataset.ask ?? "");
    } else if (target.closest("dialog [data-close]")) {
      event.preventDefault();
      dialog.close();
    } else if (back) {
      const address = new URL(back.href);
      address.searchParams.set("back", location.pathname + location.search);
      back.href = address.href;
    }
  });

  // --- many at once: held for ten seconds, since a dispatch once made is not undone

  const send = async (it: Held): Promise<void> => {
    window.clearTimeout(it.timer);
    held.delete(it);
    try {
      const answer = await ask(it.address, { method: "POST", body: it.body, keepalive: true });
      if (!answer.ok) throw new Error(String(answer.status));
      tell((await answer.json()) as Answer);
    } catch (error) {
      failed(error);
    }
    for (const number of it.numbers) leaving.delete(number);
    await refresh();
  };
  const hold = (form: HTMLFormElement): void => {
    const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    const numbers = body.getAll("case").map((c) => c.split(":")[0] ?? "");
    const it: Held = { body, address: form.action, numbers, timer: 0 };
    const all = rows().map((r) => r.dataset.number ?? "");
    const here = Math.max(0, all.indexOf(shown));
    const stays = (number: string): boolean => !numbers.includes(number);
    const next = all.slice(here).find(stays) ?? all.slice(0, here).reverse().find(stays) ?? "";
    for (const number of numbers) leaving.add(number);
    dialog.close();
    dress();
    go(next);
    it.timer = window.setTimeout(() => void send(it), HOLD * 1000);
    held.add(it);
    toast(say("holding", numbers.length), {
      seconds: HOLD,
      label: say("undo"),
      act: () => {
        if (!held.delete(it)) return;
        window.clearTimeout(it.timer);
        for (const number of numbers) leaving.delete(number);
        dress();
        go(numbers[0] ?? "");
        toast(say("undone"));
      },
    });
  };

  // --- leaving and coming back

  const place = `board:${location.search}`;
  window.addEventListener("pagehide", () => {
    for (const it of [...held]) void send(it);
    const index = rows().findIndex((r) => r.dataset.number === shown);
    if (index >= 0) sessionStorage.setItem(place, `${index}:${shown}`);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) void refresh();
  });
  dress();
  const [index, number] = (sessionStorage.getItem(place) ?? "").split(":");
  sessionStorage.removeItem(place);
  if (number && document.activeElement === document.body) {
    const there = row(number) ?? rows()[Math.min(Number(index), rows().length - 1)];
    link(there)?.focus();
  } else moved(document.activeElement);
}
