// Points on the map of the city, each with the page that it leads to. The list of the same page holds the same.
import { Popup } from "maplibre-gl";
import { bounds, colour, draw, type Feature, fetchOutlines, type Position } from "../map";

type Place = { geometry: { coordinates: Position }; properties: { name: string; href: string } };

export default async function (element: HTMLElement): Promise<void> {
  const note = document.querySelector<HTMLElement>("[data-needs-script]");
  try {
    const [outlines, answer] = await Promise.all([fetchOutlines(element), fetch(element.dataset.points ?? "")]);
    if (!answer.ok) throw new Error(`The points did not come: ${answer.status}`);
    const points = (await answer.json()) as { features: Place[] };
    element.hidden = false;
    const around = points.features.length ? (points.features as unknown as Feature[]) : outlines.features;
    const map = draw(element, outlines, { bounds: bounds(around), fitBoundsOptions: { padding: 40, maxZoom: 14 } }, []);
    map.on("load", () => {
      map.addSource("points", {
        type: "geojson",
        data: points as never,
        cluster: true,
        clusterRadius: 36,
        clusterMaxZoom: 13,
      });
      map.addLayer({
        id: "points",
        type: "circle",
        source: "points",
        paint: {
          "circle-radius": ["case", ["has", "point_count"], 14, 6],
          "circle-color": colour("--deep"),
          "circle-stroke-color": colour("--paper"),
          "circle-stroke-width": 1.5,
        },
      });
      map.addLayer({
        id: "counts",
        type: "symbol",
        source: "points",
        filter: ["has", "point_count"],
        layout: { "text-field": ["get", "point_count_abbreviated"], "text-size": 12, "text-font": ["sans-serif"] },
        paint: { "text-color": colour("--paper") },
      });
    });
    map.on("click", "points", (event) => {
      const feature = event.features?.[0];
      if (!feature) return;
      if (feature.properties.point_count) {
        map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2 });
        return;
      }
      const link = document.createElement("a");
      link.href = feature.properties.href;
      link.textContent = feature.properties.name;
      new Popup({ closeButton: false }).setLngLat(event.lngLat).setDOMContent(link).addTo(map);
    });
    if (note) note.hidden = true;
  } catch {
    element.hidden = true;
    if (note) note.textContent = element.dataset.failed ?? "";
  }
}
