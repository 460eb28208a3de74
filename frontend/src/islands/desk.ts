// The operator's desk during a call: the number masked once it is entered, the time of the call, proposals taken over,
// and the draft kept on the server within a second of what is typed.
const PAUSE = 500; // ms after the last key until the draft is kept
const AGAIN = 2000;

/** As the server masks a number in lists; empty while it is no whole number yet. */
function mask(typed: string): string {
  const digits = typed.normalize("NFKC").replace(/[\s\-()（）.·]/g, "").replace(/^(\+86|0086)/, "");
  if (!/^\+?\d{5,20}(x\d{1,6})?$/.test(digits)) return "";
  const base = digits.split("x")[0] ?? "";
  if (/^1\d{10}$/.test(base)) return `${base.slice(0, 3)}****${base.slice(-4)}`;
  const landline = /^(0(?:10|2\d|[3-9]\d\d))\d{7,8}$/.exec(base);
  if (landline) return `${landline[1]}****${base.slice(-3)}`;
  return base.length >= 7 ? `****${base.slice(-3)}` : `****${base.slice(-1)}`;
}

export default function (element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const find = <T extends HTMLElement>(selector: string): T => {
    const found = form.querySelector<T>(selector);
    if (!found) throw new Error(`The desk has no ${selector}`);
    return found;
  };
  const field = (name: string): HTMLInputElement => find<HTMLInputElement>(`[name=${name}]`);
  const typed = (): boolean => ["content", "phone", "name", "contact_address", "address", "answer"].some((n) => field(n).value !== "");

  // The number.
  const phone = field("phone");
  const entry = find("[data-phone] > .field");
  const masked = find("[data-phone] > .masked");
  const hide = (): void => {
    const shown = mask(phone.value);
    find("[data-mask]").textContent = shown;
    masked.hidden = shown === "";
    entry.hidden = shown !== "";
  };
  phone.addEventListener("blur", hide);
  find("[data-correct]").addEventListener("click", () => {
    entry.hidden = false;
    masked.hidden = true;
    phone.focus();
    phone.select();
  });
  if (!entry.querySelector(".error")) hide();

  // The time of the call: from the first key, or from the moment at which it was handed over.
  const timer = find("[data-timer]");
  const started = field("started");
  const two = (n: number): string => String(n).padStart(2, "0");
  const tick = (): void => {
    const seconds = Math.max(0, Math.floor((Date.now() - Number(started.value)) / 1000));
    timer.textContent = `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
  };
  const start = (): void => {
    if (!timer.hidden) return;
    if (!Number(started.value)) started.value = String(Date.now());
    timer.hidden = false;
    tick();
    window.setInterval(tick, 1000);
  };
  if (started.value || phone.value) start();

  // The number that a telephone system handed over does not stay in the address.
  const address = new URL(location.href);
  if (address.searchParams.has("phone")) history.replaceState(null, "", form.dataset.address);

  // The draft. One at a time, the newest last; none once the order is on its way.
  const status = find("[data-kept-at]");
  let waiting = 0;
  let sending = false;
  let sent = false;
  let again = false;
  const later = (pause: number): void => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void keep(), pause);
  };
  // A session that ended, and a new one begun in another window: this page needs the new one's token. False while nobody
  // has signed in.
  const over = find("[data-over]");
  async function renewed(): Promise<boolean> {
    const page = await fetch(form.dataset.address ?? "");
    const token = page.redirected ? null : /name="csrf-token" content="(\w+)"/.exec(await page.text())?.[1];
    over.hidden = Boolean(token);
    if (!token) return false;
    field("csrfmiddlewaretoken").value = token;
    document.querySelector('meta[name="csrf-token"]')?.setAttribute("content", token);
    return true;
  }
  async function keep(): Promise<void> {
    if (sent) return;
    if (sending) {
      again = true;
      return;
    }
    sending = true;
    again = false;
    try {
      const answer = await fetch(form.dataset.keep ?? "", { method: "POST", body: new FormData(form) });
      if (answer.status === 401 || answer.status === 403) later((await renewed()) ? 0 : AGAIN);
      else if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
      else if (answer.ok) {
        const now = new Date();
        status.textContent = `${form.dataset.kept ?? ""} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
        // Loading the page again takes the call up where it was.
        history.replaceState(null, "", `${form.dataset.address ?? ""}?draft=${field("key").value}`);
      }
    } catch {
      status.textContent = form.dataset.lost ?? "";
      later(AGAIN);
    } finally {
      sending = false;
      if (again) later(PAUSE);
    }
  }
  const touched = (): void => {
    start();
    if (typed()) later(PAUSE);
  };
  form.addEventListener("input", touched);
  form.addEventListener("change", touched);
  if (phone.value && !address.searchParams.has("draft")) later(PAUSE);

  // Proposals are taken over without leaving the page. A click on a place says that the operator has chosen it.
  form.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest<HTMLButtonElement>("button[data-take], button[data-use], button[data-to]");
    if (target instanceof HTMLInputElement && target.name === "place") {
      field("taken").value = "1";
      target.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (!button) return;
    event.preventDefault();
    if (button.dataset.to) document.getElementById(button.dataset.to)?.focus();
    else if (button.dataset.take) {
      const matter = find<HTMLSelectElement>("[name=matter]");
      matter.value = button.dataset.take;
      matter.dispatchEvent(new Event("change", { bubbles: true }));
    } else {
      const answer = find<HTMLTextAreaElement>("[name=answer]");
      answer.value = find(`[data-answer="${button.dataset.use ?? ""}"]`).textContent?.trim() ?? "";
      answer.dispatchEvent(new Event("input", { bubbles: true }));
      answer.focus();
    }
  });

  // Enter in a line sends nothing: only the buttons and their keys do. From the number and the name it goes on to what
  // the caller says.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    if (event.target === phone || event.target === field("name")) field("content").focus();
  });

  form.addEventListener("submit", (event) => {
    const by = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
    const answer = field("answer");
    if (by === "answer" && answer.value.trim() === "") {
      event.preventDefault();
      answer.focus();
      return;
    }
    // A second press while the first is on its way does nothing.
    if (sent) event.preventDefault();
    sent = true;
    window.clearTimeout(waiting);
  });
  window.addEventListener("pageshow", () => (sent = false));

  // Where one begins: at what is wrong, else at the number, else at what the caller says.
  // Whoever has begun already is left where they are.
  if (document.activeElement === document.body && !form.querySelector(".error-list"))
    (entry.hidden ? field("content") : phone).focus();
}
