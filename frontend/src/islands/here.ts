// "Where I stand" and the map, for telephones with script. Both fill the hidden point and choose it.
export default function (element: HTMLElement): void {
  const find = <T extends HTMLElement>(selector: string): T => {
    const found = element.querySelector<T>(selector);
    if (!found) throw new Error(`The page has no ${selector}`);
    return found;
  };
  const lon = find<HTMLInputElement>("[name=lon]");
  const lat = find<HTMLInputElement>("[name=lat]");
  const point = find("[data-point]");
  const status = find("[data-status]");
  const here = find<HTMLButtonElement>("[data-here]");
  const openMap = find<HTMLButtonElement>("[data-map]");
  const map = find(".map");

  const choose = (x: number, y: number): void => {
    lon.value = x.toFixed(6);
    lat.value = y.toFixed(6);
    point.hidden = false;
    find<HTMLInputElement>("[data-point] input").checked = true;
    status.textContent = element.dataset.found ?? "";
  };

  if ("geolocation" in navigator) {
    here.hidden = false;
    here.addEventListener("click", () => {
      status.textContent = element.dataset.asking ?? "";
      navigator.geolocation.getCurrentPosition(
        (position) => choose(position.coords.longitude, position.coords.latitude),
        () => (status.textContent = element.dataset.failed ?? ""),
        { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
      );
    });
  }

  // Old telephones, locked-down browsers and broken lines show no map: the list takes its place.
  const noMap = (): void => {
    map.hidden = true;
    openMap.hidden = true;
    status.textContent = element.dataset.noMap ?? "";
    const list = element.querySelector<HTMLDetailsElement>("details.list");
    if (!list) return;
    list.open = true;
    list.querySelector("summary")?.focus();
  };

  openMap.hidden = false;
  openMap.addEventListener("click", () => {
    openMap.hidden = true;
    if (!document.createElement("canvas").getContext("webgl2")) return noMap();
    map.hidden = false;
    import("../map")
      .then((m) => m.pick(map, choose, lon.value ? [Number(lon.value), Number(lat.value)] : undefined))
      .catch(noMap);
  });
}
