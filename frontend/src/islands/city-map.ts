// What stands open, on the map: reads the tables named in data-tables (rows with data-key, cells with data-series "open"
// and "overdue") and puts each row where its place lies. The tables stay; where the map cannot load they are all there is.
import type { Map as MapLibre } from "maplibre-gl";
import type { Feature, Marker, Position } from "../map";

type Row = { code: string; name: string; href: string; open: number; overdue: number; words: string };

/** From this zoom on townships are labelled instead of counties. */
const CLOSE = 9.4;

function rowsOf(element: HTMLElement): Row[] {
  const tables = (element.dataset.tables ?? "").split(" ").map((id) => document.getElementById(id));
  return tables.flatMap((table) =>
    [...(table?.querySelectorAll<HTMLTableRowElement>("tr[data-key]") ?? [])].map((row) => {
      const number = (series: string): number =>
        Number(row.querySelector<HTMLElement>(`[data-series="${series}"]`)?.dataset.value ?? 0);
      const link = row.querySelector<HTMLAnchorElement>("th a");
      const [open, overdue] = [number("open"), number("overdue")];
      const words = (element.dataset.words ?? "").replace("{open}", String(open)).replace("{overdue}", String(overdue));
      const name = link?.textContent?.trim() ?? "";
      return { code: row.dataset.key ?? "", name, href: link?.href ?? "", open, overdue, words };
    }),
  );
}

/** The middle of the largest ring: where a label is least likely to stand in a neighbour's land. */
function middle(feature: Feature): Position {
  let best: Position = [0, 0];
  let largest = 0;
  const walk = (node: unknown): void => {
    if (!Array.isArray(node) || !Array.isArray(node[0])) return;
    if (typeof node[0][0] !== "number") return node.forEach(walk);
    const ring = node as Position[];
    let [area, x, y] = [0, 0, 0];
    ring.forEach(([x1, y1], i) => {
      const [x2, y2] = ring[(i + 1) % ring.length] ?? [x1, y1];
      const cross = x1 * y2 - x2 * y1;
      area += cross;
      x += (x1 + x2) * cross;
      y += (y1 + y2) * cross;
    });
    if (Math.abs(area) <= largest) return;
    largest = Math.abs(area);
    best = [x / (3 * area), y / (3 * area)];
  };
  walk(feature.geometry.coordinates);
  return best;
}

type Label = { element: HTMLAnchorElement; marker: Marker; at: Position; code: string };

/** Push labels apart that lie over one another: the districts of a city are small and close together. */
function spread(map: MapLibre, labels: Label[]): void {
  const { clientWidth, clientHeight } = map.getContainer();
  const boxes = labels.map((label) => {
    const { x, y } = map.project(label.at);
    return { label, x, y, x0: x, y0: y, w: label.element.offsetWidth + 4, h: label.element.offsetHeight + 4 };
  });
  for (let round = 0; round < 200; round++) {
    let moved = false;
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1)) {
        const [dx, dy] = [(a.w + b.w) / 2 - Math.abs(a.x - b.x), (a.h + b.h) / 2 - Math.abs(a.y - b.y)];
        if (dx <= 0 || dy <= 0) continue;
        moved = true;
        // The shorter way out; labels are wide and low, so most give way up and down.
        if (dy <= dx) {
          const step = (a.y <= b.y ? dy : -dy) / 2;
          a.y -= step;
          b.y += step;
        } else {
          const step = (a.x <= b.x ? dx : -dx) / 2;
          a.x -= step;
          b.x += step;
        }
      }
    for (const box of boxes) {
      box.x = Math.min(Math.max(box.x, box.w / 2), Math.max(clientWidth - box.w / 2, box.w / 2));
      box.y = Math.min(Math.max(box.y, box.h / 2), Math.max(clientHeight - box.h / 2, box.h / 2));
    }
    if (!moved) break;
  }
  for (const box of boxes) box.label.marker.setOffset([box.x - box.x0, box.y - box.y0]);
}

export default function (element: HTMLElement): void {
  void start(element).catch((error: unknown) => {
    console.warn(error); // the table stands in its place, and says so
    element.replaceChildren();
    element.hidden = true;
    element.dataset.state = "failed";
    for (const note of document.querySelectorAll<HTMLElement>("[data-map-failed]")) note.hidden = false;
  });
}

async function start(element: HTMLElement): Promise<void> {
  const { bounds, colour, draw, fetchOutlines, Marker } = await import("../map");
  const outlines = await fetchOutlines(element);
  element.hidden = false;
  const place = element.dataset.place ?? "";
  const divisions = outlines.features.filter((f) => f.properties.code);
  const mine = divisions.filter((f) => f.properties.code?.startsWith(place));
  if (!mine.length) throw new Error("There are no outlines to draw");
  const late = ["coalesce", ["feature-state", "late"], 0];
  const map = draw(element, outlines, { bounds: bounds(mine), fitBoundsOptions: { padding: 24 }, scrollZoom: false }, [
    {
      id: "late",
      type: "fill",
      source: "outlines",
      filter: ["==", ["get", "level"], 6],
      paint: {
        "fill-color": colour("--overdue"),
        "fill-opacity": ["step", late, 0, 0.001, 0.08, 0.05, 0.16, 0.15, 0.26],
      } as never,
    },
  ]);
  await new Promise<void>((done, failed) => {
    map.once("load", () => done());
    map.once("error", (event) => failed(event.error));
  });

  const where = new Map(divisions.map((f) => [f.properties.code ?? "", middle(f)]));
  const labels = new Map<string, Label>();

  const show = (): void => {
    const close = map.getZoom() >= CLOSE || place.length >= 6;
    const shown = rowsOf(element).filter((row) => where.has(row.code) && (row.code.length > 6) === close);
    const wanted = new Set(shown.map((row) => row.code));
    for (const [code, label] of labels)
      if (!wanted.has(code)) {
        label.marker.remove();
        labels.delete(code);
      }
    for (const row of shown) {
      let label = labels.get(row.code);
      if (!label) {
        const at = where.get(row.code) as Position;
        const made = document.createElement("a");
        made.className = "mark";
        label = { element: made, marker: new Marker({ element: made }).setLngLat(at).addTo(map), at, code: row.code };
        labels.set(row.code, label);
      }
      const a = label.element;
      if (a.href !== row.href) a.href = row.href;
      const words = `${row.name}: ${row.words}`;
      if (a.getAttribute("aria-label") === words) continue;
      a.setAttribute("aria-label", words);
      const part = (className: string, text: string): HTMLElement =>
        Object.assign(document.createElement("span"), { className, textContent: text });
      a.replaceChildren(part("name", row.name), part("open", `● ${row.open}`));
      if (row.overdue) a.append(part("overdue", `■ ${row.overdue}`));
    }
    for (const row of rowsOf(element).filter((r) => r.code.length === 6))
      map.setFeatureState({ source: "outlines", id: row.code }, { late: row.open ? row.overdue / row.open : 0 });
    spread(map, [...labels.values()]);
  };
  show();
  element.dataset.state = "drawn";
  map.on("moveend", show);
  map.on("resize", show);
  document.addEventListener("lucheng:fresh", show);
}
