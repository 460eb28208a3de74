// A figure is a table first; this draws it. What is drawn is read from the table's own cells (data-value), and drawn again
// when they change, when the reader changes to dark, and in black on white for paper.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function read(figure: HTMLElement): EChartsCoreOption {
  const table = figure.querySelector("table") as HTMLTableElement;
  const rows = [...table.querySelectorAll("tbody tr")];
  const labels = rows.map((row) => row.querySelector("th")?.textContent?.trim() ?? "");
  const stacked = figure.dataset.stacked !== undefined;
  const flat = figure.dataset.flat !== undefined;
  const text = { color: colour("--ink-soft"), fontFamily: getComputedStyle(figure).fontFamily, fontSize: 12 };
  const series = [...table.querySelectorAll<HTMLElement>("thead [data-shape]")].map((head) => {
    const tone = colour(`--${head.dataset.tone}`);
    const data = rows.map((row) => {
      const value = row.querySelector<HTMLElement>(`[data-series="${head.dataset.series}"]`)?.dataset.value;
      return value ? Number(value) : null;
    });
    const line = head.dataset.shape === "line";
    return {
      name: head.textContent?.trim() ?? "",
      type: line ? ("line" as const) : ("bar" as const),
      data,
      animation: false,
      ...(stacked ? { stack: "all" } : {}),
      ...(line
        ? { symbol: "circle", symbolSize: 5, lineStyle: { color: tone, type: "dashed", width: 2 }, itemStyle: { color: tone } }
        : {
            barMaxWidth: 22,
            itemStyle: {
              color: tone,
              // Told apart by hatching too, not by colour alone.
              ...(head.dataset.tone === "overdue"
                ? { decal: { symbol: "rect", color: colour("--paper"), dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 } }
                : {}),
            },
          }),
    };
  });
  const names = { type: "category", data: labels, inverse: flat, axisLabel: text, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line") } } };
  const values = { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: colour("--hairline") } } };
  return {
    animation: false,
    grid: { left: 4, right: 12, top: 32, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { ...text, color: colour("--ink") }, itemWidth: 18, itemHeight: 10, selectedMode: false },
    // Drawn on the canvas: the content policy allows no styles in made-up HTML.
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { ...text, color: colour("--ink") } },
    xAxis: flat ? values : names,
    yAxis: flat ? names : values,
    series,
  };
}

export default function (figure: HTMLElement): void {
  const drawing = figure.querySelector<HTMLElement>(".drawing");
  if (!drawing) throw new Error("The figure has no place to draw in");
  drawing.hidden = false;
  const fold = figure.querySelector<HTMLDetailsElement>("details");
  if (fold) fold.open = false;
  const chart = init(drawing, undefined, { renderer: "canvas" });
  const draw = (): void => chart.setOption(read(figure), { notMerge: true });
  draw();
  figure.dataset.state = "drawn";
  new ResizeObserver(() => chart.resize()).observe(drawing);
  document.addEventListener("lucheng:fresh", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let theme: string | undefined;
  window.addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    draw();
  });
  window.addEventListener("afterprint", () => {
    if (theme === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    draw();
  });
}
