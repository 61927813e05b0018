// The charts: how they are laid out, which part of time they show, and when they are drawn. Plotly does the drawing.
const NARROW = 560, NEAR = "600px 0px";
const coarse = !matchMedia("(hover: hover) and (pointer: fine)").matches;
const options = { displayModeBar: false, doubleClick: false, showAxisDragHandles: false };

// A column of numbers has nothing to resolve; looking at its ends is enough.
const numeric = (values) => ArrayBuffer.isView(values) || (typeof values[0] === "number" && typeof values[values.length - 1] === "number");

// Colours are names of the style sheet, "$accent"; everything else stays as it is.
const colors = new Map();
const color = (name) => {
  if (!colors.has(name)) colors.set(name, getComputedStyle(root).getPropertyValue("--" + name).trim() || "$" + name);
  return colors.get(name);
};
const resolved = (value) => {
  if (typeof value === "string") return /^\$[a-z-]+$/.test(value) ? color(value.slice(1)) : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return numeric(value) ? value : Array.from(value, resolved);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part)]));
};

// -- layout -----------------------------------------------------------------------------------------------------------

const span = (values, low = Infinity, high = -Infinity) => {
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  return [low, high];
};

// Both ends of an axis: room for what is in view, a little air, and 0 where it must be seen.
const ends = (values, { zero, log }) => {
  let [low, high] = span(values.filter(Number.isFinite));
  if (zero) { low = Math.min(low, 0); high = Math.max(high, 0); }
  if (!(high > low)) { const air = Math.abs(low) * 0.01 || 1; low = (Number.isFinite(low) ? low : 0) - air; high = low + 2 * air; }
  if (log) { const air = Math.log10(high / low) * 0.06; return [Math.log10(low) - air, Math.log10(high) + air]; }
  const air = (high - low) * 0.06;
  return [zero && low === 0 ? 0 : low - air, zero && high === 0 ? 0 : high + air];
};

const visible = (traces, [low, high]) => traces.flatMap(({ x, y }) =>
  Array.from(y.slice(Math.max(0, firstNotBelow(x, low) - 1), firstNotBelow(x, high) + 1)));

const axis = () => ({
  gridcolor: "$grid", linecolor: "$edge", zerolinecolor: "$edge-strong", zeroline: false, automargin: true, fixedrange: true,
  tickfont: { color: "$quiet", size: 12 }, ticks: "", separatethousands: true, exponentformat: "none",
});
const titled = (own) => own?.title ? { ...own, title: { ...own.title, font: { color: "$quiet", size: 12 }, standoff: 8 } } : own;
const label = (text) => ({
  text, x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, yshift: 4, align: "left",
  font: { color: "$quiet", size: 12 },
});

// Bars that lie, with their names on the left and their values at their ends: how far their axis must reach for the texts.
const LETTER = 6.9;
const lying = ({ plot, data: [{ x, text }], layout: { yaxis } }) => {
  const widest = (texts) => texts.length ? Math.max(...texts.map((one) => one.length)) * LETTER + 12 : 0, [low, high] = span(x, 0, 0);
  const left = widest(text.filter((_, i) => x[i] < 0)), right = widest(text.filter((_, i) => x[i] >= 0));
  const across = plot.clientWidth - widest(yaxis.ticktext) - 18, pixel = (high - low || 1) / Math.max(40, across - left - right);
  return [low - left * pixel, high + right * pixel];
};

const laidOut = (chart, seen) => {
  const own = chart.layout, log = chart.log === true, xaxis = { ...axis(), showgrid: false, ...titled(own.xaxis) };
  const yaxis = { ...axis(), showline: false, ...titled(own.yaxis) };
  if (chart.zoom) {
    Object.assign(xaxis, {
      type: "date", range: view, fixedrange: false, rangeslider: { visible: false }, hoverformat: "%-d %b %Y, %H:%M",
      spikecolor: "$edge-strong", spikethickness: 1, spikedash: "solid",
    });
    const values = seen ? seen.values : visible(chart.data, view);
    yaxis.range = own.yaxis?.range ?? ends(values, { zero: own.yaxis?.rangemode === "tozero", log });
  }
  if (chart.data[0].orientation === "h") xaxis.range = lying(chart);
  if (log) Object.assign(yaxis, { type: "log", dtick: yaxis.range[1] - yaxis.range[0] < 1 ? "D1" : undefined });
  const caption = [chart.unit, ...(seen?.remarks ?? [])].filter(Boolean).join("  ·  ");
  return resolved({
    ...own, xaxis, yaxis,
    ...(own.yaxis2 ? { yaxis2: { ...axis(), showgrid: false, showline: false, ...own.yaxis2, range: [-seen.reach, seen.reach] } } : {}),
    width: chart.plot.clientWidth, height: chart.height, margin: { l: 8, r: 10, t: caption ? 24 : 8, b: 8 },
    annotations: caption ? [label(caption)] : [],
    paper_bgcolor: "$surface", plot_bgcolor: "$surface",
    font: { family: getComputedStyle(body).fontFamily, size: 12, color: "$ink" },
    hoverlabel: { bgcolor: "$surface", bordercolor: "$edge-strong", font: { color: "$ink", size: 12 }, align: "left" },
    showlegend: false, dragmode: chart.zoom && !coarse ? "zoom" : false,
  });
};

// On a narrow page a heat map stands upright, so that its cells stay wide enough to be read.
const upright = (chart) => {
  const [cells] = chart.data, turned = (rows) => rows[0].map((_, i) => rows.map((row) => row[i]));
  chart.data = [{ ...cells, x: cells.y, y: cells.x, z: turned(cells.z), text: turned(cells.text) }];
  chart.height = 40 + 30 * cells.x.length;
  chart.plot.style.height = chart.height + "px";
};

// -- drawing ----------------------------------------------------------------------------------------------------------

const charts = data.charts;
let view = data.span;
for (const chart of charts) {
  chart.plot = document.getElementById("plot-" + chart.id);
  chart.market = 0;
  if (chart.data[0].type === "heatmap" && chart.plot.clientWidth < NARROW) upright(chart);
}
const chartOf = (id) => charts.find((chart) => chart.id === id);

// The traces of a chart: those of a market are filled with what is in view, points that are trades with what is said of them.
const traces = (chart, seen) => {
  if (!seen) return chart.resolved ??= resolved(chart.data.map((trace) => trace.meta === "trades"
    ? { ...trace, text: trace.customdata.map((i) => tradeText(data.trades, i)) } : trace));
  return chart.data.filter(({ meta }) => seen.columns[meta]).map((look) => {
    const { marker, ...columns } = seen.columns[look.meta];
    return { ...resolved(look), ...columns, ...(marker ? { marker: { ...resolved(look.marker), ...marker } } : {}) };
  });
};

const draw = (chart) => {
  if (!chart.plot.clientWidth) return;
  try {
    const market = chart.markets[chart.market], pixels = Math.max(120, chart.plot.clientWidth - 70);
    if (market) chart.unit = market.currency;
    const seen = market && inView(market, data.trades, view, pixels, chart.chosen), first = !chart.plot.data;
    Plotly.react(chart.plot, traces(chart, seen), laidOut(chart, seen), options).catch((error) => failed(chart.id + ": " + error));
    if (!first) return;
    if (chart.zoom) follow(chart);
    fitted.observe(chart.plot);
    body.dataset.drawn = charts.filter(({ plot }) => plot.data).length;
  } catch (error) { failed(chart.id + ": " + error); }
};

const waiting = new Set();
let frame = null;
const redraw = (list) => {
  for (const chart of list) if (chart.plot.data) waiting.add(chart);
  frame ??= requestAnimationFrame(() => {
    frame = null;
    const now = [...waiting];
    waiting.clear();
    now.forEach(draw);
  });
};
const fitted = new ResizeObserver((changes) => {
  for (const { target } of changes) if (target.clientWidth !== target.layout.width) draw(charts.find(({ plot }) => plot === target));
});

// What is in sight is drawn at once, the rest when it comes near.
const near = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    draw(charts.find(({ plot }) => plot === target));
  }
}, { rootMargin: NEAR });
const drawFirst = () => {
  const tops = new Map(charts.map((chart) => [chart, chart.plot.getBoundingClientRect().top]));
  for (const chart of charts) if (tops.get(chart) < innerHeight) draw(chart); else near.observe(chart.plot);
};
addEventListener("beforeprint", () => { near.disconnect(); charts.filter(({ plot }) => !plot.data).forEach(draw); });

// -- time -------------------------------------------------------------------------------------------------------------

// Look at a part of the span: not less than ten minutes of it, and not beyond its ends. All charts over time follow.
const look = (low, high) => {
  const [first, last] = data.span, wide = Math.min(last - first, Math.max(high - low, 10 * MINUTE));
  const begin = Math.min(Math.max((low + high - wide) / 2, first), last - wide);
  view = [begin, begin + wide];
  redraw(charts.filter((chart) => chart.zoom));
};
const zoomed = (factor) => {
  const [low, high] = view, middle = (low + high) / 2, half = (high - low) / 2 * factor;
  look(middle - half, middle + half);
};
const shifted = (share) => { const [low, high] = view, by = (high - low) * share; look(low + by, high + by); };
const moves = { "<": () => shifted(-0.4), ">": () => shifted(0.4), "+": () => zoomed(0.5), "-": () => zoomed(2), 0: () => look(...data.span) };

// Plotly says where somebody dragged to as dates without a zone, which are UTC.
const instant = (value) => typeof value === "number" ? value : Date.parse(value.includes(" ") ? value.replace(" ", "T") + "Z" : value);
const follow = (chart) => {
  chart.plot.on("plotly_relayout", (change) => {
    const [low, high] = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (low !== undefined && high !== undefined) look(instant(low), instant(high));
  });
  chart.plot.on("plotly_doubleclick", moves[0]);
};
