// "Where I stand" on a form of its own: the telephone's position is sent once and not kept.
export default function (element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const button = form.querySelector<HTMLButtonElement>("button");
  const status = form.querySelector<HTMLElement>("[role=status]");
  if (!button || !status || !("geolocation" in navigator)) return;
  (button.parentElement as HTMLElement).hidden = false;
  button.addEventListener("click", () => {
    status.textContent = form.dataset.asking ?? "";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        (form.elements.namedItem("lon") as HTMLInputElement).value = coords.longitude.toFixed(6);
        (form.elements.namedItem("lat") as HTMLInputElement).value = coords.latitude.toFixed(6);
        form.submit();
      },
      () => (status.textContent = form.dataset.failed ?? ""),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
    );
  });
}
