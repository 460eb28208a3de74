// The city on a map: outlines and names from our own server, no tiles, so that it works on an intranet.
import {
  type LayerSpecification,
  Map as MapLibre,
  type MapOptions,
  Marker,
  NavigationControl,
  setWorkerUrl,
  type SymbolLayerSpecification,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
// Bundled, MapLibre does not find its worker by itself; a file of our own also satisfies worker-src 'self'.
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

setWorkerUrl(worker);

export type Position = [number, number];
type Geometry = { type: string; coordinates: unknown };
export type Feature = { properties: { level: number; code?: string; name: string }; geometry: Geometry };
export type Outlines = { features: Feature[] };

/** West, south, east and north of the features. */
export function bounds(features: Feature[]): [number, number, number, number] {
  const box: [number, number, number, number] = [180, 90, -180, -90];
  const walk = (node: unknown): void => {
    if (!Array.isArray(node)) return;
    if (typeof node[0] !== "number") return node.forEach(walk);
    const [x, y] = node as Position;
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  };
  for (const feature of features) walk(feature.geometry.coordinates);
  return box;
}

/** A colour of tokens.css. */
export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const fetchOutlines = async (container: HTMLElement): Promise<Outlines> => {
  const answer = await fetch(container.dataset.outlines ?? "");
  if (!answer.ok) throw new Error(`The outlines did not come: ${answer.status}`);
  return (await answer.json()) as Outlines;
};

/** Draw the city in `container`: land, borders, and `above` them more layers of the source "outlines". */
export function draw(
  container: HTMLElement,
  outlines: Outlines,
  options: Partial<MapOptions>,
  above: LayerSpecification[],
): MapLibre {
  const map = new MapLibre({
    container,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    localIdeographFontFamily: "sans-serif",
    ...options,
    style: {
      version: 8,
      sources: { outlines: { type: "geojson", data: outlines as never, promoteId: "code" } },
      layers: [
        { id: "paper", type: "background", paint: { "background-color": colour("--paper") } },
        {
          id: "land",
          type: "fill",
          source: "outlines",
          filter: ["==", ["get", "level"], 6],
          paint: { "fill-color": colour("--deep-tint") },
        },
        {
          id: "townships",
          type: "line",
          source: "outlines",
          filter: ["==", ["get", "level"], 9],
          paint: { "line-color": colour("--line"), "line-width": 0.7 },
        },
        {
          id: "counties",
          type: "line",
          source: "outlines",
          filter: ["==", ["get", "level"], 6],
          paint: { "line-color": colour("--deep"), "line-width": 1.5 },
        },
        ...above,
      ],
    },
  });
  map.getCanvas().setAttribute("aria-label", container.dataset.label ?? "");
  return map;
}

/** Show the city in `container` and call `chosen` with longitude and latitude (WGS 84) whenever a place is touched. */
export async function pick(
  container: HTMLElement,
  chosen: (lon: number, lat: number) => void,
  start?: Position,
): Promise<MapLibre> {
  const outlines = await fetchOutlines(container);
  // Levels are lengths of division codes (6 county, 9 township); 0 is an estate, a point with its name below.
  const name = (level: number, minzoom: number, maxzoom: number, size: number): SymbolLayerSpecification => ({
    id: `name-${level}`,
    type: "symbol",
    source: "outlines",
    minzoom,
    maxzoom,
    filter: ["==", ["get", "level"], level],
    layout: {
      "text-field": ["get", "name"],
      "text-size": size,
      "text-font": ["sans-serif"],
      "text-offset": [0, level === 0 ? 1 : 0],
    },
    paint: { "text-color": colour("--ink"), "text-halo-color": colour("--paper"), "text-halo-width": 1.5 },
  });
  const map = draw(
    container,
    outlines,
    start ? { center: start, zoom: 14 } : { bounds: bounds(outlines.features) },
    [
      {
        id: "estates",
        type: "circle",
        source: "outlines",
        minzoom: 12,
        filter: ["==", ["get", "level"], 0],
        paint: { "circle-radius": 3, "circle-color": colour("--ink-soft") },
      },
      name(6, 0, 10, 14),
      name(9, 10, 24, 13),
      name(0, 13, 24, 12),
    ],
  );
  map.addControl(new NavigationControl({ showCompass: false }));
  const marker = new Marker({ color: colour("--deep") });
  if (start) marker.setLngLat(start).addTo(map);
  const mark = (at: { lng: number; lat: number }): void => {
    marker.setLngLat([at.lng, at.lat]).addTo(map);
    chosen(at.lng, at.lat);
  };
  map.on("click", (event) => mark(event.lngLat));
  // By keyboard the arrow keys move the map, and Enter marks its middle.
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      mark(map.getCenter());
    }
  });
  return map;
}
