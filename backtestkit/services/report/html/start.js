// Before everything else: what goes wrong is kept where it can be seen, and the data of the page is unpacked.
const root = document.documentElement, body = document.body;
body.dataset.drawn = 0;
body.dataset.errors = "";
const failed = (what) => { body.dataset.errors += what + "; "; };
addEventListener("error", (event) => failed(event.message));
addEventListener("unhandledrejection", (event) => failed(String(event.reason)));

// Columns come as the bytes of numbers, or as a row of evenly spaced ones.
const unpacked = (value) => {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return typeof value[0] === "object" ? value.map(unpacked) : value;
  if ("count" in value) return Float64Array.from({ length: value.count }, (_, i) => value.from + i * value.step);
  const bytes = value.f64 ?? value.i32;
  if (bytes !== undefined) {
    const raw = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)).buffer;
    return value.f64 !== undefined ? new Float64Array(raw) : Float64Array.from(new Int32Array(raw), (one) => one / value.scale);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unpacked(part)]));
};
const data = unpacked(JSON.parse(document.getElementById("data").textContent));
