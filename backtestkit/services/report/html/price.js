// What is drawn of a market and its trades, which follows from what is in view: candles as wide as can be seen, and of
// each trade as much as it has room for. Times are ms UTC.
const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const WIDTHS = [1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 10080, 20160, 43200].map((n) => n * MINUTE);
const BAR_PIXELS = 3.6, ROOM = { areas: 26, marks: 7, exits: 3 }, SLOT_PIXELS = [3, 9];

const formatters = new Map();
const written = (value, decimals = 0) => {
  if (!formatters.has(decimals)) {
    formatters.set(decimals, new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
  return formatters.get(decimals).format(value);
};
const signed = (value) => (value > 0 ? "+" : "") + written(value, 2) + "%";
const counted = (n) => written(n) + (n === 1 ? " trade" : " trades");
const days = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const moment = (time, step = MINUTE) => days.format(time) + (step >= DAY ? "" : ", " + new Date(time).toISOString().slice(11, 16));
const widthName = (ms) => ms % DAY === 0 ? ms / DAY + "d" : ms % HOUR === 0 ? ms / HOUR + "h" : ms / MINUTE + "m";
const lasting = (ms) => {
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 60) return minutes + " min";
  if (minutes < 2880) return Math.floor(minutes / 60) + " h" + (minutes % 60 ? " " + minutes % 60 + " min" : "");
  return Math.floor(minutes / 1440) + " d" + (minutes % 1440 >= 60 ? " " + Math.floor(minutes % 1440 / 60) + " h" : "");
};
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// First place in a rising column that is not below `value`.
const firstNotBelow = (column, value) => {
  let low = 0, high = column.length;
  while (low < high) { const middle = (low + high) >> 1; if (column[middle] < value) low = middle + 1; else high = middle; }
  return low;
};

// What is said about a trade when it is pointed at.
const tradeText = (t, i) => {
  const price = (column) => written(column[i], t.decimals[t.symbol[i]]);
  return [
    `<b>${t.side[i] > 0 ? "Long" : "Short"}, ${escaped(t.reasons[t.reason[i]])}: ${t.profit[i]}</b>`,
    `PNL ${escaped(t.amount[i])}, held ${lasting(t.closed[i] - t.opened[i])}`,
    `Entry ${price(t.entry)}, exit ${price(t.exit)}`,
    `Take profit ${price(t.target)}, stop loss ${price(t.stop)}`,
    `${moment(t.opened[i])} to ${moment(t.closed[i])}`,
  ].join("<br>");
};

// As many candles to a bar as make it wide enough to be seen.
const bars = ({ columns: m, width, decimals }, [low, high], pixels) => {
  const first = firstNotBelow(m.x, low - width), last = firstNotBelow(m.x, high), least = (high - low) / pixels * BAR_PIXELS;
  const step = WIDTHS.find((ms) => ms % width === 0 && ms >= least) ?? Math.ceil(least / width) * width;
  const at = [], open = [], top = [], bottom = [], close = [];
  let k = -1;
  for (let i = first; i < last; i++) {
    const start = Math.floor(m.x[i] / step) * step;
    if (at[k] !== start) { k++; at.push(start); open.push(m.open[i]); top.push(m.high[i]); bottom.push(m.low[i]); close.push(m.close[i]); }
    else { top[k] = Math.max(top[k], m.high[i]); bottom[k] = Math.min(bottom[k], m.low[i]); close[k] = m.close[i]; }
  }
  const said = (value) => written(value, decimals);
  const text = at.map((start, i) => `<b>${moment(start, step)} (${widthName(step)})</b><br>Open ${said(open[i])}, close ${said(close[i])}`
    + `<br>High ${said(top[i])}, low ${said(bottom[i])}`);
  const candles = { x: at.map((start) => start + step / 2), open, high: top, low: bottom, close, text };
  return { candles, values: [...top, ...bottom], name: widthName(step) + " bars" };
};

const average = ({ columns: m }, [low, high]) => {
  const first = Math.max(0, firstNotBelow(m.x, low) - 1), last = firstNotBelow(m.x, high) + 1;
  const line = { x: m.x.slice(first, last), y: m.y.slice(first, last) };
  return { average: line, values: Array.from(line.y), name: "" };
};

// Several shapes in one trace: their points one after the other, with a gap behind each.
const shapes = (list, points) => {
  const x = [], y = [];
  for (const i of list) { for (const [a, b] of points(i)) { x.push(a); y.push(b); } x.push(null); y.push(null); }
  return { x, y };
};

// The lane below: the result of each trade where it closed, of several together where they share pixels.
const results = (t, seen, [low, high], pixels) => {
  const [least, most] = SLOT_PIXELS, slots = new Map();
  const wide = (high - low) / pixels * Math.max(least, Math.min(most, pixels / Math.max(1, seen.length) * 0.6));
  for (const i of seen) {
    if (t.closed[i] < low || t.closed[i] > high) continue;
    const place = Math.floor((t.closed[i] - low) / wide), slot = slots.get(place) ?? { up: 0, down: 0, list: [] };
    if (t.pnl[i] > 0) slot.up += t.pnl[i]; else slot.down += t.pnl[i];
    slot.list.push(i);
    slots.set(place, slot);
  }
  const said = ({ up, down, list }) => list.length === 1 ? tradeText(t, list[0])
    : `<b>${counted(list.length)}</b><br>Won ${signed(up)}, lost ${signed(down)}`;
  const side = (key) => {
    const own = [...slots].filter(([, slot]) => slot[key]);
    const x = own.map(([place]) => low + (place + 0.5) * wide), width = own.length ? wide * 0.8 : undefined;
    return { x, y: own.map(([, slot]) => slot[key]), width, text: own.map(([, slot]) => said(slot)) };
  };
  const reach = Math.max(1e-9, ...Array.from(slots.values(), (slot) => Math.max(slot.up, -slot.down))) * 1.1;
  return { gains: side("up"), losses: side("down"), reach };
};

// How much is drawn of each trade, by the room that one has on average.
const detail = (pixels, count) => Object.keys(ROOM).find((kind) => pixels >= count * ROOM[kind]) ?? "results";

// The columns of all traces by their `meta`, the values to make room for, what the lane reaches to, and a remark.
const inView = (market, t, view, pixels, chosen) => {
  const [low, high] = view, price = market.width ? bars(market, view, pixels) : average(market, view), values = price.values;
  market.trades ??= Array.from(t.symbol.keys()).filter((i) => t.symbol[i] === market.place);
  const seen = market.trades.filter((i) => t.closed[i] >= low && t.opened[i] <= high), kind = detail(pixels, seen.length);
  const areas = kind === "areas" ? seen : seen.filter((i) => i === chosen);
  const marked = kind === "areas" || kind === "marks" ? seen : areas, exits = kind === "results" ? areas : seen;
  const area = (level) => shapes(areas, (i) => [
    [t.opened[i], t.entry[i]], [t.opened[i], level[i]], [t.closed[i], level[i]], [t.closed[i], t.entry[i]], [t.opened[i], t.entry[i]],
  ]);
  const paths = (won) => shapes(marked.filter((i) => t.won[i] === won), (i) => [[t.opened[i], t.entry[i]], [t.closed[i], t.exit[i]]]);
  const marks = (list, x, y, marker) => ({
    x: list.map((i) => x[i]), y: list.map((i) => y[i]), text: list.map((i) => tradeText(t, i)), marker,
  });
  const large = kind === "areas" ? { size: 12 } : { size: 9 };
  const small = kind === "areas" ? { size: 10 } : kind === "marks" ? { size: 7.5 } : { size: 5, symbol: "circle" };
  const entries = (side) => marks(marked.filter((i) => t.side[i] === side), t.opened, t.entry, large);
  const ends = (won) => marks(exits.filter((i) => t.won[i] === won), t.closed, t.exit, small);
  const lane = results(t, seen, view, pixels);
  if (seen.includes(chosen)) values.push(t.target[chosen], t.stop[chosen], t.entry[chosen], t.exit[chosen]);
  const hidden = kind === "exits" || kind === "results";
  return {
    columns: {
      candles: price.candles, average: price.average, targets: area(t.target), stops: area(t.stop), paths_won: paths(1),
      paths_lost: paths(0), long: entries(1), short: entries(-1), won: ends(1), lost: ends(0), gains: lane.gains, losses: lane.losses,
    },
    values, reach: lane.reach, remarks: [price.name, market.trades.length ? counted(seen.length) + (hidden ? " (zoom in)" : "") : ""],
  };
};
