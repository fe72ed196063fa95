// One day of one camera: what happened, how busy it was, when nobody watched.
import { $, api, attempt, clock, counted, el, number, span, today, w, whenSpoken } from "./app.js";

const form = $("#asked"), X0 = 26;
let WIDE = 1400, last = null;
const asked = new URLSearchParams(location.search);
form.elements.day.value = asked.get("day") ?? today();

async function look() {
  const cameras = (await attempt(() => api("/cameras"))) ?? [];
  const kept = form.elements.camera.value || asked.get("camera") || cameras[0]?.key;
  form.elements.camera.replaceChildren(...cameras.map((each) => el("option", { value: each.key, selected: each.key === kept }, each.name)));
  const camera = form.elements.camera.value, day = form.elements.day.value;
  if (!camera || !day) return;
  history.replaceState(null, "", `?${new URLSearchParams({ camera, day })}`);
  const told = await attempt(() => api(`/timeline?camera=${encodeURIComponent(camera)}&day=${day}`));
  if (!told) return;
  last = told;
  paint();
  list(told);
  const heat = await attempt(() => api(`/heatmap?camera=${encodeURIComponent(camera)}&since=${told.begin}&until=${told.end}`));
  if (heat) paintHeat(heat, cameras.find((each) => each.key === camera));
}
function paint() { if (!last) return; WIDE = Math.max(560, $("#day").clientWidth - 60); paintDay(last, last.begin, last.end); paintCounts(last, last.begin); }

const x = (utc, begin, end) => X0 + (WIDE * (utc - begin)) / (end - begin);

function paintDay(told, begin, end) {
  const marks = [];
  const every = WIDE > 900 ? 2 : 4;
  for (let hour = 0; hour <= 24; hour += every) { const at = X0 + (WIDE * hour) / 24; marks.push(el("line", { x1: at, x2: at, y1: 8, y2: 112, class: "axis" }), el("text", { x: at, y: 130, "text-anchor": "middle" }, `${String(hour).padStart(2, "0")}:00`)); }
  const most = Math.max(1, ...told.activity);
  const bars = told.activity.map((people, minute) => people > 0 && el("rect", { class: "busy", x: X0 + (WIDE * minute) / 1440, width: WIDE / 1440 + 0.3, y: 100 - (50 * people) / most, height: (50 * people) / most, fill: "var(--warn)" }));
  const blind = told.blind.map((each) => { const a = x(each.begin, begin, end), b = x(each.end, begin, end); return el("rect", { x: a, width: Math.max(1.5, b - a), y: 20, height: 80, fill: "url(#hatch)", stroke: "var(--soft)" }, el("title", {}, `${w(`web.blind.${each.why}`)}: ${clock(each.begin)} – ${each.open ? "…" : clock(each.end)}${each.detail ? ` (${each.detail})` : ""}`)); });
  const near = new Map(); // events that would stand on one another share a mark
  for (const event of told.events) { const at = Math.round(x(event.start, begin, end) / 12); near.set(at, [...(near.get(at) ?? []), event]); }
  const events = [...near.values()].map((some) => link(some, x((some[0].start + some.at(-1).start) / 2, begin, end), told));
  const hatch = svg("defs", {}, svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 6, height: 6, fill: "var(--lane)" }), svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, stroke: "var(--soft)", "stroke-width": 2 })));
  $("#day").replaceChildren(svg("svg", { viewBox: `0 0 ${X0 + WIDE + 30} 140`, width: X0 + WIDE + 30, height: 140, role: "img", "aria-label": w("web.timeline.day") }, hatch, ...marks, ...bars.filter(Boolean), ...blind, ...events));
  const now = Math.min(Date.now() / 1000, end);
  $("#coverage").textContent = now > begin ? w("web.timeline.coverage", { seen: number(Math.max(0, 100 * (1 - told.blind_seconds / (now - begin)))), dark: span(told.blind_seconds) }) : "";
}
function svg(name, attributes, ...children) { const made = document.createElementNS("http://www.w3.org/2000/svg", name); for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value); made.append(...children); return made; }
function link(some, at, told) {
  const [first] = some, said = some.length === 1 ? `${clock(first.start)} ${first.title}` : `${clock(first.start)}–${clock(some.at(-1).start)}: ${counted("web.review.count", some.length)}`;
  const href = some.length === 1 ? `/events/${first.id}` : `/review?${new URLSearchParams({ camera: told.camera, day: told.day, reviewed: "" })}`;
  return svg("a", { href, "aria-label": said }, svg("rect", { x: at - 6, width: 12, y: 0, height: 104, fill: "transparent" }), svg("line", { x1: at, x2: at, y1: 20, y2: 100, stroke: "var(--alarm)", "stroke-opacity": 0.45 }), svg("path", { d: `M${at - 6} 6h12l-6 13z`, fill: "var(--alarm)", stroke: "var(--card)" }), el("title", {}, said));
}

function paintCounts(told, begin) {
  const hours = new Array(24).fill(0);
  for (const event of told.events) hours[Math.min(23, Math.max(0, Math.floor((event.start - begin) / 3600)))]++;
  const most = Math.max(1, ...hours), wide = Math.max(280, $("#counts").clientWidth), step = wide / 24;
  $("#counts").replaceChildren(el("svg", { viewBox: `0 0 ${wide} 170`, role: "img", "aria-label": `${w("web.timeline.counts")}: ${hours.flatMap((n, hour) => (n ? [`${hour}:00 ${n}`] : [])).join(", ")}` },
    el("line", { x1: 0, x2: wide, y1: 140, y2: 140, class: "axis" }), ...hours.flatMap((n, hour) => [
      n ? el("rect", { x: hour * step + step * 0.12, width: step * 0.76, y: 140 - (118 * n) / most, height: (118 * n) / most, fill: "var(--accent)", rx: 3 }, el("title", {}, `${hour}:00 · ${n}`)) : null,
      n ? el("text", { x: (hour + 0.5) * step, y: 134 - (118 * n) / most, "text-anchor": "middle" }, String(n)) : null,
      hour % 3 === 0 ? el("text", { x: (hour + 0.5) * step, y: 158, "text-anchor": "middle" }, String(hour).padStart(2, "0")) : null])));
}

function paintHeat(heat, camera) {
  if (!camera.size[0]) { $("#heat").replaceChildren(el("div", { class: "dark" }, w(`web.state.${camera.state}`))); return; }
  const canvas = el("canvas", { role: "img", "aria-label": w("web.timeline.heat") }), small = document.createElement("canvas");
  small.width = heat.width; small.height = heat.height;
  const pen = small.getContext("2d"), pixels = pen.createImageData(heat.width, heat.height), flat = heat.cells.flat(), most = Math.max(1e-9, ...flat);
  flat.forEach((value, i) => { const share = Math.sqrt(value / most); pixels.data.set([255, 220 - 190 * share, 90 - 80 * share, value ? 60 + 180 * share : 0], 4 * i); });
  pen.putImageData(pixels, 0, 0);
  $("#heat").replaceChildren(el("img", { src: `/api/cameras/${encodeURIComponent(camera.key)}/latest.jpg?width=640`, alt: "" }), canvas);
  const ratio = camera.size[0] / camera.size[1];
  $("#heat").style.aspectRatio = String(ratio);
  canvas.width = 640; canvas.height = Math.round(640 / ratio);
  const big = canvas.getContext("2d");
  big.imageSmoothingEnabled = true; big.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function list(told) {
  $("#events").replaceChildren(...(told.events.length ? told.events.toReversed().map((event) => el("li", {}, el("a", { href: `/events/${event.id}` }, `${clock(event.start)} ${event.title}`), ` ${event.reason?.text ?? ""}`)) : [el("li", { class: "soft" }, w("web.camera.none"))]));
}
form.addEventListener("change", (event) => { if (event.target.name === "day" && !event.target.value) event.target.value = today(); look(); });
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("click", (event) => {
  const step = Number(event.target.closest("[data-step]")?.dataset.step);
  if (!step) return;
  const [year, month, day] = form.elements.day.value.split("-").map(Number), moved = new Date(year, month - 1, day + step);
  form.elements.day.value = `${moved.getFullYear()}-${String(moved.getMonth() + 1).padStart(2, "0")}-${String(moved.getDate()).padStart(2, "0")}`;
  look();
});
let resized = null;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(paint, 150); });
whenSpoken(look);
