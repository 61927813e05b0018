"use strict";
(() => {
  const root = document.documentElement, body = document.body;
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const coarse = !matchMedia("(hover: hover) and (pointer: fine)").matches;
  body.dataset.drawn = 0;
  body.dataset.errors = "";
  const failed = (what) => { body.dataset.errors += what + "; "; };
  addEventListener("error", (event) => failed(event.message));
  addEventListener("unhandledrejection", (event) => failed(String(event.reason)));

  // A column of numbers has nothing to resolve; looking at its ends is enough.
  const numeric = (values) => typeof values[0] === "number" && typeof values[values.length - 1] === "number";

  // Colours are names of the style sheet, "$accent"; everything else stays as it is.
  const resolver = () => {
    const style = getComputedStyle(root), known = new Map();
    const color = (name) => {
      if (!known.has(name)) known.set(name, style.getPropertyValue("--" + name).trim() || "$" + name);
      return known.get(name);
    };
    const resolve = (value) => {
      if (typeof value === "string") return /^\$[a-z-]+$/.test(value) ? color(value.slice(1)) : value;
      if (Array.isArray(value)) return numeric(value) ? value : value.map(resolve);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolve(part)]));
    };
    return resolve;
  };

  const axis = { gridcolor: "$grid", linecolor: "$edge", zerolinecolor: "$edge", zeroline: false, automargin: true,
    tickfont: { color: "$quiet", size: 12 }, ticks: "" };
  const merged = (chart) => {
    const own = chart.layout, timed = chart.data[0].type !== "bar" && chart.data[0].type !== "waterfall";
    return {
      ...own,
      autosize: true,
      height: chart.height,
      margin: { l: 8, r: 12, t: 8, b: 8 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(body).fontFamily, size: 12, color: "$ink" },
      hoverlabel: { bgcolor: "$surface", bordercolor: "$edge", font: { color: "$ink", size: 12 }, align: "left" },
      showlegend: own.showlegend ?? false,
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: { color: "$quiet", size: 12 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "$quiet", activecolor: "$accent" },
      dragmode: coarse ? false : "zoom",
      xaxis: { ...axis, ...(timed && !own.xaxis ? { type: "date" } : {}), showgrid: false, ...own.xaxis },
      yaxis: { ...axis, ...own.yaxis },
    };
  };
  const options = { displaylogo: false, displayModeBar: coarse ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  // On a narrow page a heat map stands upright, so that its cells stay wide enough to be read.
  const upright = (chart) => {
    const [cells] = chart.data, columns = (rows) => rows[0].map((_, i) => rows.map((row) => row[i]));
    const { xaxis, yaxis } = chart.layout;
    chart.data = [{ ...cells, x: cells.y, y: cells.x, z: columns(cells.z), text: columns(cells.text) }];
    chart.layout = { ...chart.layout, xaxis: { ...xaxis, type: "category" }, yaxis };
    chart.height = 60 + 28 * cells.x.length;
    document.getElementById("plot-" + chart.id).style.height = chart.height + "px";
  };
  if (innerWidth < 600) charts.filter((chart) => chart.data[0].type === "heatmap").forEach(upright);

  const drawn = new Set();
  const draw = (chart, resolve) => {
    const plot = document.getElementById("plot-" + chart.id);
    const layout = merged(chart);
    if (chart.logarithmic) layout.yaxis.type = "log";
    const made = plot.data ? Plotly.react(plot, resolve(chart.data), resolve(layout), options)
      : Plotly.newPlot(plot, resolve(chart.data), resolve(layout), options);
    fitted.observe(plot);
    return made.then(() => { drawn.add(chart.id); body.dataset.drawn = drawn.size; });
  };
  const fitted = new ResizeObserver((changes) => {
    for (const { target } of changes) if (target.data) Plotly.Plots.resize(target);
  });

  // One chart a turn, so that the page can be read and scrolled before all of them are there.
  const drawAll = async () => {
    const resolve = resolver();
    for (const chart of charts) {
      try { await draw(chart, resolve); } catch (error) { failed(chart.id + ": " + error); }
      await new Promise((next) => setTimeout(next));
    }
  };

  const theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  const kept = "backtestkit-theme";
  try { root.dataset.theme = localStorage.getItem(kept) || ""; } catch { /* the page works without a memory */ }
  if (!root.dataset.theme) delete root.dataset.theme;
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem(kept, root.dataset.theme); } catch { /* as above */ }
    name();
    drawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { name(); drawAll(); });
  for (const button of document.querySelectorAll("[data-log]")) {
    const chart = charts.find((one) => one.id === button.dataset.log);
    button.addEventListener("click", () => {
      chart.logarithmic = !chart.logarithmic;
      button.setAttribute("aria-pressed", chart.logarithmic);
      draw(chart, resolver());
    });
  }
  name();
  drawAll();
})();
