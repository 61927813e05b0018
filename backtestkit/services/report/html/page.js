// The page: switches, themes, choices, and the table of trades in pages.
for (const button of document.querySelectorAll("[data-log]")) {
  const chart = chartOf(button.dataset.log);
  button.addEventListener("click", () => {
    chart.log = !chart.log;
    button.setAttribute("aria-pressed", chart.log);
    draw(chart);
  });
}
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => moves[button.dataset.key]());

const still = matchMedia("(prefers-reduced-motion: reduce)");
const show = (chart) => chart.plot.closest("article").scrollIntoView({ block: "center", behavior: still.matches ? "auto" : "smooth" });
const choose = (chart, which) => {
  chart.market = which;
  for (const one of document.querySelectorAll(`[data-choice="${chart.id}"]`)) one.setAttribute("aria-pressed", one.value === String(which));
  draw(chart);
};
for (const button of document.querySelectorAll("[data-choice]")) {
  button.addEventListener("click", () => choose(chartOf(button.dataset.choice), Number(button.value)));
}

// A row that is chosen by a click or with the Enter key.
const onRow = (table, name, action) => {
  const chosen = (event) => {
    const row = event.target.closest(`tr[data-${name}]`);
    if (row && chartOf("price")) action(chartOf("price"), Number(row.dataset[name]));
  };
  table.addEventListener("click", chosen);
  table.addEventListener("keydown", (event) => { if (event.key === "Enter") chosen(event); });
};
const marketOf = (chart, place) => chart.markets.findIndex((market) => market.place === place);
for (const table of document.querySelectorAll("table:has(tr[data-symbol])")) {
  onRow(table, "symbol", (chart, place) => {
    const which = marketOf(chart, place);
    if (which >= 0) { choose(chart, which); show(chart); }
  });
}

const theme = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)"), kept = "backtestkit-theme";
const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
const recolored = () => {
  theme.textContent = dark() ? "Light" : "Dark";
  colors.clear();
  for (const chart of charts) chart.resolved = undefined;
  redraw(charts);
};
try { if (localStorage.getItem(kept)) root.dataset.theme = localStorage.getItem(kept); } catch { /* the page works without a memory */ }
theme.addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  try { localStorage.setItem(kept, root.dataset.theme); } catch { /* as above */ }
  recolored();
});
system.addEventListener("change", recolored);

// -- the trades in pages ----------------------------------------------------------------------------------------------

const table = document.getElementById("trades");
if (table && data.table) {
  const { rows, classes, tones, trades: places, note } = data.table, size = 50;
  const lines = table.querySelector("tbody"), said = document.getElementById("trades-said");
  const buttons = document.querySelectorAll("[data-page]"), last = Math.ceil(rows.length / size) - 1;
  let page = 0;
  const turn = () => {
    const first = page * size, part = rows.slice(first, first + size);
    lines.replaceChildren(...part.map((row, i) => {
      const tr = document.createElement("tr"), place = places[first + i];
      row.forEach((text, j) => {
        const td = tr.insertCell();
        td.textContent = text;
        td.className = classes[j] === "pnl" ? tones[first + i] : classes[j];
      });
      if (place !== null) { tr.dataset.trade = place; tr.tabIndex = 0; }
      return tr;
    }));
    said.textContent = `Showing ${written(first + 1)} to ${written(first + part.length)} of ${note}`;
    for (const button of buttons) button.disabled = Number(button.dataset.page) > 0 ? page === last : page === 0;
  };
  const turns = { "-9": () => 0, "-1": () => page - 1, 1: () => page + 1, 9: () => last };
  for (const button of buttons) button.addEventListener("click", () => { page = turns[button.dataset.page](); turn(); });
  onRow(lines, "trade", (chart, i) => {
    const { symbol, opened, closed } = data.trades, which = marketOf(chart, symbol[i]);
    if (which < 0) return;
    const half = 2.5 * Math.max(closed[i] - opened[i], 30 * MINUTE), middle = (opened[i] + closed[i]) / 2;
    chart.chosen = i;
    look(middle - half, middle + half);
    choose(chart, which);
    show(chart);
  });
  turn();
}

theme.textContent = dark() ? "Light" : "Dark";
drawFirst();
