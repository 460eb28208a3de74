// What stands open, on the map: reads the tables named in data-tables (rows with data-key, cells with data-series "open"
// and "overdue") and puts each row where its place lies. The tables stay; where the map cannot load they are all there is.
import type { Map as MapLibre } from "maplibre-gl";
import type { Feature, Position } from "../map";

type Row = { code: string; name: string; href: string; open: number; overdue: number };

function rowsOf(element: HTMLElement): Row[] {
  const tables = (element.dataset.tables ?? "").split(" ").map((id) => document.getElementById(id));
  return tables.flatMap((table) =>
    [...(table?.querySelectorAll<HTMLTableRowElement>("tr[data-key]") ?? [])].map((row) => {
      const number = (series: string): number =>
        Number(row.querySelector<HTMLElement>(`[data-series="${series}"]`)?.dataset.value ?? 0);
      const link = row.querySelector<HTMLAnchorElement>("th a");
      const [open, overdue] = [number("open"), number("overdue")];
      const name = link?.textContent?.trim() ?? "";
      return { code: row.dataset.key ?? "", name, href: link?.href ?? "", open, overdue };
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

function part(className: string, ...content: (string | HTMLElement | true)[]): HTMLElement {
  const made = Object.assign(document.createElement("span"), { className });
  made.append(...content.filter((c) => c !== true));
  if (content.includes(true)) made.setAttribute("aria-hidden", "true");
  return made;
}

type Label = { element: HTMLAnchorElement; at: Position; row: Row };
type Box = { x: number; y: number; w: number; h: number };

const overlap = (a: Box, b: Box): boolean =>
  Math.abs(a.x - b.x) < (a.w + b.w) / 2 + 2 && Math.abs(a.y - b.y) < (a.h + b.h) / 2 + 2;

const put = (label: Label, { x, y, w, h }: Box): void => {
  label.element.style.transform = `translate(${Math.round(x - w / 2)}px, ${Math.round(y - h / 2)}px)`;
};

/** Counties: labels stand in two columns beside the land, each with a line to its place, so that none hides another
    however small and close together the districts of the city are. */
function beside(map: MapLibre, labels: Label[], lines: SVGSVGElement): void {
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const placed = labels.map((label) => ({ label, ...map.project(label.at) })).sort((a, b) => a.x - b.x);
  const half = Math.ceil(placed.length / 2);
  const drawn: SVGElement[] = [];
  for (const [column, left] of [
    [placed.slice(0, half), true],
    [placed.slice(half), false],
  ] as const) {
    const ordered = [...column].sort((a, b) => a.y - b.y);
    const room = height / Math.max(ordered.length, 1);
    ordered.forEach(({ label, x, y }, i) => {
      const [w, h] = [label.element.offsetWidth, label.element.offsetHeight];
      const box = { x: left ? w / 2 + 2 : width - w / 2 - 2, y: (i + 0.5) * room, w, h };
      put(label, box);
      label.element.hidden = false;
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const ends = { x1: left ? box.x + w / 2 : box.x - w / 2, y1: box.y, x2: x, y2: y };
      for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value.toFixed(1));
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 3 })) dot.setAttribute(name, value.toFixed(1));
      drawn.push(line, dot);
    });
  }
  lines.replaceChildren(...drawn);
}

/** Townships, close by: labels stand in their places; where two would overlap, the one with more overdue stays. */
function inPlace(map: MapLibre, labels: Label[], lines: SVGSVGElement): void {
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const kept: Box[] = [];
  lines.replaceChildren();
  for (const label of [...labels].sort((a, b) => b.row.overdue - a.row.overdue || b.row.open - a.row.open)) {
    label.element.hidden = false;
    const { x, y } = map.project(label.at);
    const box = { x, y, w: label.element.offsetWidth, h: label.element.offsetHeight };
    const inside = x > 0 && y > 0 && x < width && y < height;
    if (!inside || kept.some((other) => overlap(box, other))) label.element.hidden = true;
    else {
      kept.push(box);
      put(label, box);
    }
  }
}

export default function (element: HTMLElement): void {
  void start(element).catch((error: unknown) => {
    console.warn(error); // the table stands in its place, and says so
    element.replaceChildren();
    element.hidden = true;
    element.dataset.state = "failed";
    for (const note of document.querySelectorAll<HTMLElement>("[data-map-failed]")) note.hidden = false;
    const table = document.getElementById((element.dataset.tables ?? "").split(" ")[0] ?? "");
    const fold = table?.closest("details");
    if (fold) fold.open = true;
  });
}

async function start(element: HTMLElement): Promise<void> {
  const { bounds, colour, draw, fetchOutlines } = await import("../map");
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
  const over = element.appendChild(Object.assign(document.createElement("div"), { className: "marks" }));
  const lines = over.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  lines.setAttribute("aria-hidden", "true");
  const close = (): boolean => place.length >= 6 || map.getZoom() > home + 1.2;
  let home = map.getZoom();

  const lay = (): void => (close() ? inPlace : beside)(map, [...labels.values()], lines);

  const show = (): void => {
    const rows = rowsOf(element);
    const townships = close();
    const shown = rows.filter((row) => where.has(row.code) && row.code.length > 6 === townships);
    const wanted = new Set(shown.map((row) => row.code));
    for (const [code, label] of labels)
      if (!wanted.has(code)) {
        label.element.remove();
        labels.delete(code);
      }
    for (const row of shown) {
      let label = labels.get(row.code);
      if (!label) {
        const made = over.appendChild(Object.assign(document.createElement("a"), { className: "mark" }));
        label = { element: made, at: where.get(row.code) as Position, row };
        labels.set(row.code, label);
      }
      label.row = row;
      const a = label.element;
      if (a.href !== row.href) a.href = row.href;
      const said = `${row.open} ${row.overdue}`;
      if (a.dataset.said === said) continue;
      a.dataset.said = said;
      // A shape for the eye, a word for the ear, and the number for both.
      a.replaceChildren(
        part("name", row.name),
        part("open", part("shape", "● ", true), part("visually-hidden", `${element.dataset.open} `), String(row.open)),
      );
      if (row.overdue)
        a.append(
          part("overdue", part("shape", "■ ", true), part("visually-hidden", `${element.dataset.overdue} `), String(row.overdue)),
        );
    }
    for (const row of rows.filter((r) => r.code.length === 6))
      map.setFeatureState({ source: "outlines", id: row.code }, { late: row.open ? row.overdue / row.open : 0 });
    lay();
  };
  const fit = (): void => {
    // The labels' columns take their width from the land's.
    const widest = Math.max(0, ...[...labels.values()].map((label) => label.element.offsetWidth));
    const side = close() ? 16 : Math.min(widest, element.clientWidth * 0.27);
    map.fitBounds(bounds(mine), { padding: { left: side, right: side, top: 12, bottom: 12 }, animate: false });
    home = map.getZoom();
    show();
  };
  show();
  fit();
  element.dataset.state = "drawn";
  map.on("move", lay);
  map.on("moveend", show);
  map.on("resize", fit);
  document.addEventListener("lucheng:fresh", show);
}
