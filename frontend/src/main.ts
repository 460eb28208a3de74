// What every page loads: the styles, htmx, and the islands that a page names in its markup.
import "./styles/main.css";
import "htmx.org";

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

start(document);
document.addEventListener("htmx:after:swap", () => start(document));

// A button that names a key (data-key="F9") is pressed by it.
document.addEventListener("keydown", (event) => {
  const button = document.querySelector<HTMLButtonElement>(`button[data-key="${CSS.escape(event.key)}"]`);
  if (!button || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  button.click();
});

// The server refuses a write without this token; pages carry it once, in a meta element.
document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  const request = (event as CustomEvent).detail.ctx.request;
  if (token) request.headers["X-CSRFToken"] = token;
});
