// What every page loads: the styles, htmx, and the islands that a page names in its markup.
import "./styles/main.css";
import "htmx.org";
import "./keys";
import { toast } from "./toast";

type Island = { default: (element: HTMLElement) => void };

// <div data-island="map"> is brought to life by islands/map.ts. Every island improves markup that already works without it.
const islands = import.meta.glob<Island>("./islands/*.ts");

function start(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]:not([data-island-on])")) {
    const load = islands[`./islands/${element.dataset.island}.ts`];
    if (!load) throw new Error(`There is no island called ${element.dataset.island}`);
    element.dataset.islandOn = "";
    void load().then((island) => island.default(element));
  }
}

// What islands/keep.ts held of a form that was sent can go once a page comes back that finds nothing wrong with it. The
// sign-in page is no such page: the session had ended, and what was typed is still to be sent.
const sent = sessionStorage.getItem("kept-sent");
if (sent) {
  const wrong =
    document.querySelector("[data-refused]") ||
    [...document.forms].some((f) => `kept:${f.action}` === sent && f.querySelector(".error, .error-list"));
  if (!wrong && !location.pathname.startsWith("/sign-in/")) sessionStorage.removeItem(sent);
  sessionStorage.removeItem("kept-sent");
}

start(document);
document.addEventListener("htmx:after:swap", () => start(document));

// The server refuses a write without this token; pages carry it once, in a meta element.
document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  const request = (event as CustomEvent).detail.ctx.request;
  if (token) request.headers["X-CSRFToken"] = token;
});


// A session that has ended answers with the page to sign in on, which belongs in no part of another page. What stands
// here stays, and the next page that is opened or form that is sent leads through sign-in and back.
let told = false;
document.addEventListener("htmx:before:response", (event) => {
  const answer = (event as CustomEvent).detail.ctx.response.raw as Response;
  if (!answer.redirected || !new URL(answer.url).pathname.startsWith("/sign-in/")) return;
  event.preventDefault();
  if (!told) toast(document.body.dataset.ended ?? "", { seconds: 20 });
  told = true;
});
