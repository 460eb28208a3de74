// The three questions by keyboard while talking: a digit answers the question at hand and goes on to the next, Backspace
// goes back. The digit stands before each answer. Letters and digits belong to whoever is typing a note.
export default function (element: HTMLElement): void {
  const questions = [...element.querySelectorAll<HTMLFieldSetElement>("fieldset[data-question]")];
  const rest = element.querySelector<HTMLElement>("textarea");
  let at = Math.max(
    0,
    questions.findIndex((q) => !q.querySelector(":checked")),
  );

  const mark = (): void =>
    questions.forEach((q, index) => (index === at ? q.setAttribute("data-asked", "") : q.removeAttribute("data-asked")));
  const go = (to: number): void => {
    at = Math.max(0, Math.min(questions.length, to));
    mark();
    const next = questions[at];
    if (next) (next.querySelector<HTMLInputElement>(":checked") ?? next.querySelector<HTMLInputElement>("input"))?.focus();
    else rest?.focus();
  };
  for (const [index, question] of questions.entries())
    question.addEventListener("focusin", () => {
      at = index;
      mark();
    });

  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    if (event.key === "Backspace") {
      event.preventDefault();
      go(at - 1);
      return;
    }
    const answer = questions[at]?.querySelector<HTMLInputElement>(`input[data-digit="${CSS.escape(event.key)}"]`);
    if (!answer) return;
    event.preventDefault();
    answer.checked = true;
    answer.dispatchEvent(new Event("input", { bubbles: true }));
    go(at + 1);
  });
  mark();
}
