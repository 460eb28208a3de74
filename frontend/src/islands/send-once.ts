// A second press of the button while the first is on its way does nothing. The server would make no second case anyway.
export default function (element: HTMLElement): void {
  const form = element as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  // Coming back with the back button, the form may be sent again.
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}
