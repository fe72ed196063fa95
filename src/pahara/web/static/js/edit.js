// Zones and lines, drawn on the camera's picture; and its rules, tried on the last days before they count.
import { $, api, attempt, boot, counted, el, number, w, whenSpoken } from "./app.js";
import { fields } from "./form.js";

const key = boot.parameters.key, screen = $("#screen");
const places = { zones: {}, lines: {} }, past = [];
let size = [640, 360], mode = null, begun = [], here = null, behaviours = [], schema = null;

const image = el("img", { alt: "" });
const sheet = document.createElementNS("http://www.w3.org/2000/svg", "svg");
sheet.setAttribute("class", "places");
sheet.setAttribute("preserveAspectRatio", "none");
screen.append(image, sheet);

const keep = () => { past.push(structuredClone(places)); if (past.length > 50) past.shift(); $("#undo").disabled = false; $("#save").disabled = false; };
const round = (value) => Math.round(Math.min(1, Math.max(0, value)) * 10000) / 10000;
function spot(event) { const area = sheet.getBoundingClientRect(); return [round((event.clientX - area.left) / area.width), round((event.clientY - area.top) / area.height)]; }
const free = (word, taken) => { let n = 1; while (`${word}-${n}` in taken) n++; return `${word}-${n}`; };
const points = (corners) => corners.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ");

function paint() {
  sheet.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  screen.style.aspectRatio = `${size[0]} / ${size[1]}`;
  screen.classList.toggle("drawing", Boolean(mode));
  const made = [];
  for (const [name, corners] of Object.entries(places.zones)) {
    made.push(el("polygon", { points: points(corners), class: `zone${here === name ? " here" : ""}`, onpointerdown: () => { if (!mode) { here = name; paint(); } } }, el("title", {}, name)));
    if (here === name) corners.forEach((corner, i) => made.push(handle(corner, (moved) => { corners[i] = moved; }, () => corners.length > 3 && corners.splice(i, 1))));
  }
  for (const [name, line] of Object.entries(places.lines)) {
    made.push(el("line", { x1: line.from[0] * size[0], y1: line.from[1] * size[1], x2: line.to[0] * size[0], y2: line.to[1] * size[1], class: `tripwire${here === name ? " here" : ""}`, onpointerdown: () => { if (!mode) { here = name; paint(); } } }, el("title", {}, name)), arrow(line));
    if (here === name) for (const end of ["from", "to"]) made.push(handle(line[end], (moved) => { line[end] = moved; }));
  }
  if (begun.length) made.push(el("polyline", { points: points(begun), class: mode === "zone" ? "zone here" : "tripwire here" }), ...begun.map(([x, y]) => el("circle", { cx: x * size[0], cy: y * size[1], r: size[0] / 130, class: "handle" })));
  sheet.replaceChildren(...made);
  $("#help").textContent = w(mode === "zone" ? "web.edit.help.zone" : mode === "line" ? "web.edit.help.line" : "web.edit.help");
  for (const [id, which] of [["#zone", "zone"], ["#line", "line"]]) $(id).setAttribute("aria-pressed", String(mode === which));
  list();
}

/** The side towards which a crossing counts as forward: from the left hand of from→to to its right. */
function arrow(line) {
  const [ax, ay, bx, by] = [line.from[0] * size[0], line.from[1] * size[1], line.to[0] * size[0], line.to[1] * size[1]];
  const long = Math.hypot(bx - ax, by - ay) || 1, r = size[0] / 28, mx = (ax + bx) / 2, my = (ay + by) / 2, nx = (-(by - ay) / long) * r, ny = ((bx - ax) / long) * r;
  return el("path", { d: `M${mx} ${my}l${nx} ${ny}m${-nx * 0.35 - ny * 0.3} ${-ny * 0.35 + nx * 0.3}l${nx * 0.35 + ny * 0.3} ${ny * 0.35 - nx * 0.3}l${-nx * 0.35 + ny * 0.3} ${-ny * 0.35 - nx * 0.3}`, class: "tripwire", fill: "none" });
}

function handle(at, move, drop = null) {
  const made = el("circle", { cx: at[0] * size[0], cy: at[1] * size[1], r: size[0] / 100, class: "handle", tabindex: "0", role: "button", "aria-label": `${w("web.edit.corner")} ${Math.round(at[0] * 100)} %, ${Math.round(at[1] * 100)} %` });
  made.addEventListener("pointerdown", (down) => {
    down.stopPropagation();
    keep();
    made.setPointerCapture(down.pointerId);
    const drag = (event) => { const moved = spot(event); move(moved); made.setAttribute("cx", moved[0] * size[0]); made.setAttribute("cy", moved[1] * size[1]); };
    made.addEventListener("pointermove", drag);
    made.addEventListener("pointerup", () => { made.removeEventListener("pointermove", drag); paint(); }, { once: true });
  });
  made.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[event.key];
    if (step) { event.preventDefault(); keep(); move([round(at[0] + step[0]), round(at[1] + step[1])]); const index = [...sheet.querySelectorAll(".handle")].indexOf(made); paint(); sheet.querySelectorAll(".handle")[index]?.focus(); }
    if (event.key === "Delete" && drop) { keep(); drop(); paint(); }
  });
  return made;
}

sheet.addEventListener("pointerdown", (event) => {
  if (!mode) return;
  event.preventDefault();
  const at = spot(event);
  if (mode === "zone" && begun.length > 2 && Math.hypot(at[0] - begun[0][0], at[1] - begun[0][1]) < 0.02) return finish();
  begun.push(at);
  if (mode === "line" && begun.length === 2) return finish();
  paint();
});
sheet.addEventListener("dblclick", () => mode === "zone" && begun.length > 2 && finish());
addEventListener("keydown", (event) => {
  if (event.key === "Escape") { mode = null; begun = []; here = null; paint(); }
  if (event.key === "Enter" && mode === "zone" && begun.length > 2) finish();
});
function finish() {
  keep();
  if (mode === "zone") { here = free("zone", places.zones); places.zones[here] = begun.filter(([x, y], i) => !i || Math.hypot(x - begun[i - 1][0], y - begun[i - 1][1]) > 0.004); }
  else { here = free("line", places.lines); places.lines[here] = { from: begun[0], to: begun[1] }; }
  begun = []; mode = null;
  paint();
}
for (const which of ["zone", "line"]) $(`#${which}`).addEventListener("click", () => { mode = mode === which ? null : which; begun = []; here = null; paint(); });
$("#undo").addEventListener("click", () => { const before = past.pop(); if (before) { places.zones = before.zones; places.lines = before.lines; } $("#undo").disabled = !past.length; paint(); });

function list() {
  const row = (kind, name) => el("li", { class: "place" }, el("span", { "aria-hidden": "true" }, kind === "zones" ? "▱" : "⟋"), el("input", { value: name, "aria-label": w("web.edit.name"), maxlength: "80", onfocus: () => { here = name; }, onchange: (event) => rename(kind, name, event.target.value.trim()) }), el("button", { type: "button", class: "quiet", "aria-label": `${w("web.remove")} ${name}`, onclick: () => { keep(); delete places[kind][name]; paint(); } }, "✕"));
  const rows = [...Object.keys(places.zones).map((name) => row("zones", name)), ...Object.keys(places.lines).map((name) => row("lines", name))];
  if (!$("#places").contains(document.activeElement) || document.activeElement.tagName !== "INPUT") $("#places").replaceChildren(...(rows.length ? rows : [el("li", { class: "soft" }, w("web.edit.none"))]));
}
function rename(kind, old, name) {
  if (!name || name === old || name in places[kind]) return paint();
  keep();
  places[kind] = Object.fromEntries(Object.entries(places[kind]).map(([each, value]) => [each === old ? name : each, value]));
  for (const rule of behaviours) for (const word of ["zone", "line"]) if (rule[word] === old) rule[word] = name;
  here = name;
  document.activeElement?.blur();
  paint();
}
$("#save").addEventListener("click", async () => {
  const saved = await attempt(() => api(`/cameras/${encodeURIComponent(key)}/places`, { method: "PUT", body: { zones: places.zones, lines: places.lines } }), { done: "web.saved" });
  if (saved !== undefined) { $("#save").disabled = true; past.length = 0; $("#undo").disabled = true; rules(); }
});

// --- rules ---

let fresh = -1; // the rule just added stands open
function rules() {
  const names = { zone: ["everywhere", ...Object.keys(places.zones)], line: Object.keys(places.lines) };
  const made = behaviours.map((rule, index) => {
    const own = schema?.$defs?.[`behaviour.${rule.kind}`];
    const title = `${w(`behaviour.${rule.kind}`).replace(/^behaviour\./, "")}${rule.zone ?? rule.line ? ` · ${rule.zone ?? rule.line}` : ""}`;
    return el("details", { class: "rule", open: index === fresh }, el("summary", {}, title, el("button", { type: "button", class: "quiet", "aria-label": `${w("web.remove")} ${rule.kind}`, onclick: (event) => { event.preventDefault(); behaviours.splice(index, 1); changed(); rules(); } }, "✕")), own ? fields(own, rule, (name, value) => { if (value === undefined) delete rule[name]; else rule[name] = value; changed(); }, { skip: ["kind", "alarm"], choices: names, definitions: schema.$defs }) : el("code", {}, JSON.stringify(rule)));
  });
  const kinds = (schema?.$defs?.BehaviourChoice?.oneOf ?? []).map((each) => each.$ref?.split("behaviour.")[1]).filter(Boolean);
  const add = el("select", { "aria-label": w("web.edit.addrule"), onchange: (event) => { if (!event.target.value) return; const kind = event.target.value, own = schema.$defs[`behaviour.${kind}`]; const rule = { kind }; for (const word of own.required ?? []) if (names[word]?.length) rule[word] = names[word].find((each) => each !== "everywhere") ?? names[word][0]; fresh = behaviours.push(rule) - 1; changed(); rules(); } }, el("option", { value: "" }, w("web.edit.addrule")), ...kinds.map((kind) => el("option", { value: kind }, w(`behaviour.${kind}`).replace(/^behaviour\./, ""))));
  $("#rules").replaceChildren(...made, add);
}
const changed = () => { $("#keep").disabled = false; $("#tried").replaceChildren(); };
$("#try").addEventListener("click", async () => {
  $("#try").disabled = true;
  $("#tried").textContent = w("web.edit.trying");
  const told = await attempt(() => api("/backtest", { method: "POST", body: { camera: key, behaviours, days: 7 } }));
  $("#try").disabled = false;
  if (!told) { $("#tried").replaceChildren(); return; }
  const many = (value) => (Array.isArray(value) ? value.length : value ?? 0);
  $("#tried").replaceChildren(el("p", {}, w("web.edit.tried", { before: many(told.before), after: many(told.after), removed: many(told.removed), added: many(told.added) })),
    many(told.missed_confirmed) ? el("p", { class: "wrong" }, w("web.edit.missed", { n: many(told.missed_confirmed) })) : el("p", { class: "soft" }, w("web.edit.nonemissed")),
    el("ul", { class: "list small" }, ...(Array.isArray(told.removed) ? told.removed.slice(0, 8).map((each) => el("li", {}, "− ", el("a", { href: `/events/${each.id}` }, each.title ?? each.id))) : []), ...(Array.isArray(told.added) ? told.added.slice(0, 8).map((each) => el("li", {}, `+ ${each.title ?? each.kind ?? ""} ${each.reason?.text ?? ""}`)) : [])));
});
$("#keep").addEventListener("click", async () => { if ((await attempt(() => api(`/cameras/${encodeURIComponent(key)}/behaviours`, { method: "PUT", body: { behaviours } }), { done: "web.saved" })) !== undefined) $("#keep").disabled = true; });

async function load() {
  const [camera, config, plan] = await Promise.all([attempt(() => api(`/cameras/${encodeURIComponent(key)}`)), attempt(() => api("/config")), attempt(() => api("/config/schema"))]);
  if (!camera || !config || !plan) return;
  schema = plan;
  const own = config.data.cameras[key] ?? {};
  places.zones = structuredClone(own.zones ?? {});
  places.lines = structuredClone(own.lines ?? {});
  behaviours = structuredClone(own.behaviours ?? config.data.defaults?.behaviours ?? []);
  if (camera.size?.[0]) size = camera.size;
  $("#name").textContent = camera.name;
  image.src = `/api/cameras/${encodeURIComponent(key)}/latest.jpg?width=1280`;
  rules();
  paint();
}
let loaded = false;
whenSpoken(() => { if (!loaded) { loaded = true; load(); } else { paint(); rules(); } });
addEventListener("beforeunload", (event) => { if (!$("#save").disabled || !$("#keep").disabled) event.preventDefault(); });
export { counted, number };
