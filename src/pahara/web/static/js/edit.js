// Zones and lines, drawn on the camera's picture; and its rules, tried on the last days before they count.
import { $, api, attempt, boot, clock, date, el, known, number, w, whenSpoken } from "./app.js";
import { fields } from "./form.js";

const key = boot.parameters.key, screen = $("#screen");
const places = { zones: {}, lines: {} }, past = [];
let size = [640, 360], mode = null, begun = [], here = null, behaviours = [], schema = null, pointer = null; // pointer: where the keyboard draws

const image = el("img", { alt: "" });
const sheet = document.createElementNS("http://www.w3.org/2000/svg", "svg");
sheet.setAttribute("class", "places");
sheet.setAttribute("preserveAspectRatio", "none");
sheet.setAttribute("role", "application");
screen.append(image, sheet);

const keep = () => { past.push(structuredClone(places)); if (past.length > 50) past.shift(); $("#undo").disabled = false; $("#save").disabled = false; };
const round = (value) => Math.round(Math.min(1, Math.max(0, value)) * 10000) / 10000;
function spot(event) { const area = sheet.getBoundingClientRect(); return [round((event.clientX - area.left) / area.width), round((event.clientY - area.top) / area.height)]; }
const free = (word, taken) => { let n = 1; while (`${word}-${n}` in taken) n++; return `${word}-${n}`; };
const dot = () => (size[0] / (sheet.clientWidth || size[0])) * (matchMedia("(pointer: coarse)").matches ? 14 : 8); // as large on every screen
const points = (corners) => corners.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ");

function paint() {
  sheet.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  screen.style.aspectRatio = `${size[0]} / ${size[1]}`;
  screen.classList.toggle("drawing", Boolean(mode));
  const made = [], handles = [];
  const choose = (name) => () => { if (!mode) { here = name; paint(); } };
  for (const [name, corners] of Object.entries(places.zones)) {
    const shape = el("polygon", { points: points(corners), class: `zone${here === name ? " here" : ""}`, onpointerdown: choose(name) }, el("title", {}, name));
    made.push(shape, sign(name, corners[0]));
    if (here === name) corners.forEach((corner, i) => handles.push(handle(corner, (moved) => { corners[i] = moved; shape.setAttribute("points", points(corners)); }, () => corners.length > 3 && corners.splice(i, 1))));
  }
  for (const [name, line] of Object.entries(places.lines)) {
    const shape = el("line", { class: `tripwire${here === name ? " here" : ""}`, onpointerdown: choose(name) }, el("title", {}, name));
    const lay = () => { for (const [end, n] of [["from", 1], ["to", 2]]) { shape.setAttribute(`x${n}`, line[end][0] * size[0]); shape.setAttribute(`y${n}`, line[end][1] * size[1]); } };
    lay();
    made.push(shape, arrow(line), sign(name, line.from));
    if (here === name) for (const end of ["from", "to"]) handles.push(handle(line[end], (moved) => { line[end] = moved; lay(); }));
  }
  made.push(...handles);
  if (begun.length) made.push(el("polyline", { points: points(begun), class: mode === "zone" ? "zone here" : "tripwire here" }), ...begun.map(([x, y]) => el("circle", { cx: x * size[0], cy: y * size[1], r: dot() * 0.8, class: "handle" })));
  if (mode && pointer) { const [x, y] = [pointer[0] * size[0], pointer[1] * size[1]], r = dot() * 2; made.push(el("path", { d: `M${x - r} ${y}h${2 * r}M${x} ${y - r}v${2 * r}`, class: "pointer" })); }
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

function sign(name, [x, y]) { const made = el("text", { x: x * size[0] + dot(), y: y * size[1] - dot(), class: "sign" }, name); made.setAttribute("font-size", dot() * 1.7); return made; }

function handle(at, move, drop = null) {
  const made = el("circle", { cx: at[0] * size[0], cy: at[1] * size[1], r: dot(), class: "handle", tabindex: "0", role: "button", "aria-label": `${w("web.edit.corner")} ${Math.round(at[0] * 100)} %, ${Math.round(at[1] * 100)} %` });
  made.addEventListener("pointerdown", (down) => {
    down.stopPropagation();
    keep();
    made.setPointerCapture(down.pointerId);
    const drag = (event) => { const moved = spot(event); move(moved); made.setAttribute("cx", moved[0] * size[0]); made.setAttribute("cy", moved[1] * size[1]); };
    made.addEventListener("pointermove", drag);
    made.addEventListener("lostpointercapture", () => { made.removeEventListener("pointermove", drag); paint(); }, { once: true });
  });
  made.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[event.key];
    if (step) { event.preventDefault(); keep(); move([round(at[0] + step[0]), round(at[1] + step[1])]); const index = [...sheet.querySelectorAll(".handle")].indexOf(made); paint(); sheet.querySelectorAll(".handle")[index]?.focus(); }
    if (event.key === "Delete" && drop) { event.preventDefault(); keep(); drop(); paint(); sheet.querySelector(".handle")?.focus(); }
  });
  return made;
}

sheet.addEventListener("pointerdown", (event) => {
  if (!mode) return;
  event.preventDefault();
  pointer = null;
  put(spot(event));
});
function put(at) {
  if (mode === "zone" && begun.length > 2 && Math.hypot(at[0] - begun[0][0], at[1] - begun[0][1]) < 0.02) return finish();
  begun.push(at);
  if (mode === "line" && begun.length === 2) return finish();
  paint();
}
sheet.addEventListener("keydown", (event) => {
  if (!mode) return;
  const far = event.shiftKey ? 0.01 : 0.05, step = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
  if (!step && event.key !== " ") return;
  event.preventDefault();
  pointer ??= [0.5, 0.5];
  if (step) { pointer = [round(pointer[0] + step[0]), round(pointer[1] + step[1])]; paint(); } else put(pointer);
});
sheet.addEventListener("dblclick", () => mode === "zone" && begun.length > 2 && finish());
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && (mode || here)) { mode = null; begun = []; here = null; paint(); }
  if (event.key === "Enter" && mode === "zone" && begun.length > 2) { event.preventDefault(); finish(); }
});
function finish() {
  keep();
  if (mode === "zone") { here = free("zone", places.zones); places.zones[here] = begun.filter(([x, y], i) => !i || Math.hypot(x - begun[i - 1][0], y - begun[i - 1][1]) > 0.004); }
  else { here = free("line", places.lines); places.lines[here] = { from: begun[0], to: begun[1] }; }
  begun = []; mode = null; pointer = null;
  sheet.removeAttribute("tabindex");
  paint();
  rules();
  sheet.querySelector(".handle")?.focus({ preventScroll: true });
}
for (const which of ["zone", "line"]) $(`#${which}`).addEventListener("click", () => { mode = mode === which ? null : which; begun = []; here = null; pointer = null; if (mode) { sheet.setAttribute("tabindex", "0"); sheet.focus({ preventScroll: true }); } paint(); });
$("#undo").addEventListener("click", () => { const before = past.pop(); if (before) { places.zones = before.zones; places.lines = before.lines; } $("#undo").disabled = !past.length; paint(); rules(); });

function list() {
  const row = (kind, name) => el("li", { class: "place" }, el("span", { "aria-hidden": "true" }, kind === "zones" ? "▱" : "⟋"), el("input", { value: name, "aria-label": w("web.edit.name"), maxlength: "80", onfocus: () => { here = name; }, onchange: (event) => rename(kind, name, event.target.value.trim()) }), el("button", { type: "button", class: "quiet", "aria-label": `${w("web.remove")} ${name}`, onclick: () => { keep(); delete places[kind][name]; paint(); rules(); } }, "✕"));
  const rows = [...Object.keys(places.zones).map((name) => row("zones", name)), ...Object.keys(places.lines).map((name) => row("lines", name))];
  if (!$("#places").contains(document.activeElement) || document.activeElement.tagName !== "INPUT") $("#places").replaceChildren(...(rows.length ? rows : [el("li", { class: "soft" }, w("web.edit.none"))]));
}
function rename(kind, old, name) {
  if (!name || name === old || name in places[kind]) return paint();
  keep();
  places[kind] = Object.fromEntries(Object.entries(places[kind]).map(([each, value]) => [each === old ? name : each, value]));
  for (const rule of behaviours) for (const word of ["zone", "line"]) if (rule[word] === old) { rule[word] = name; changed(); }
  here = name;
  document.activeElement?.blur();
  paint();
  rules();
}
/** Rules as a file would say them: what was not chosen is left out. */
const said = () => behaviours.map((rule) => Object.fromEntries(Object.entries(rule).filter(([name, value]) => !(name === "name" && value === "") && !(name === "alarm" && !Object.keys(value).length))));
/** Places and rules belong together: a rule names its place, so what was changed of both is saved at once. */
async function save() {
  const moved = !$("#save").disabled, ruled = !$("#keep").disabled, path = `/cameras/${encodeURIComponent(key)}`;
  const work = moved ? () => api(`${path}/places`, { method: "PUT", body: { zones: places.zones, lines: places.lines, ...(ruled ? { behaviours: said() } : {}) } }) : () => api(`${path}/behaviours`, { method: "PUT", body: { behaviours: said() } });
  if ((await attempt(work, { done: "web.saved" })) === undefined) return;
  past.length = 0;
  $("#save").disabled = $("#keep").disabled = $("#undo").disabled = true;
  rules();
}
$("#save").addEventListener("click", save);
$("#keep").addEventListener("click", save);

// --- rules ---

const open = new Set(); // rules that stand open
function add(rule) { open.add(rule); behaviours.push(rule); changed(); rules(); }
function rules() {
  const names = { zone: ["everywhere", ...Object.keys(places.zones)], line: Object.keys(places.lines) };
  const made = behaviours.map((rule, index) => {
    const own = schema?.$defs?.[`behaviour.${rule.kind}`];
    const title = `${w(`behaviour.${rule.kind}`).replace(/^behaviour\./, "")}${rule.zone ?? rule.line ? ` · ${rule.zone ?? rule.line}` : ""}`;
    const part = el("details", { class: "rule", open: open.has(rule), ontoggle: () => (part.open ? open.add(rule) : open.delete(rule)) }, el("summary", {}, title, el("button", { type: "button", class: "quiet", "aria-label": `${w("web.remove")} ${rule.kind}`, onclick: (event) => { event.preventDefault(); behaviours.splice(index, 1); changed(); rules(); } }, "✕")), known(`behaviour.${rule.kind}.about`) ? el("p", { class: "soft small" }, w(`behaviour.${rule.kind}.about`)) : null, own ? fields(own, rule, (name, value) => { if (value === undefined) delete rule[name]; else rule[name] = value; changed(); }, { skip: ["kind", "alarm"], choices: names, definitions: schema.$defs, at: [`behaviour.${rule.kind}`, "behaviour"] }) : el("code", {}, JSON.stringify(rule)));
    return part;
  });
  const kinds = (schema?.$defs?.BehaviourChoice?.oneOf ?? []).map((each) => each.$ref?.split("behaviour.")[1]).filter(Boolean);
  const offer = el("select", { "aria-label": w("web.edit.addrule"), onchange: (event) => { if (!event.target.value) return; const kind = event.target.value, own = schema.$defs[`behaviour.${kind}`]; const rule = { kind }; for (const word of own.required ?? []) if (names[word]?.length) rule[word] = names[word].find((each) => each !== "everywhere") ?? names[word][0]; add(rule); } }, el("option", { value: "" }, w("web.edit.addrule")), ...kinds.map((kind) => el("option", { value: kind }, w(`behaviour.${kind}`).replace(/^behaviour\./, ""))));
  const idle = (kind, word, rule, said) => Object.keys(places[kind]).filter((name) => !behaviours.some((each) => each[word] === name)).map((name) => el("button", { type: "button", onclick: () => add({ kind: rule, [word]: name }) }, w(said, { place: name })));
  $("#rules").replaceChildren(...made, ...idle("zones", "zone", "intrusion", "web.edit.offer.zone"), ...idle("lines", "line", "crossing", "web.edit.offer.line"), offer);
}
const changed = () => { $("#keep").disabled = false; $("#tried").replaceChildren(); };
$("#try").addEventListener("click", async () => {
  $("#try").disabled = true;
  $("#tried").textContent = w("web.edit.trying");
  const told = await attempt(() => api("/backtest", { method: "POST", body: { camera: key, behaviours: said(), zones: places.zones, lines: places.lines, days: 7 } }));
  $("#try").disabled = false;
  if (!told) { $("#tried").replaceChildren(); return; }
  const each = (mark, event) => el("li", {}, `${mark} `, mark === "−" ? el("a", { href: `/events/${event.id}` }, event.title) : event.title, ` ${date(event.start)} ${clock(event.start)} · ${event.reason.text}`);
  $("#tried").replaceChildren(el("p", {}, w("web.edit.tried", { before: told.before, after: told.after, removed: told.removed_count, added: told.added_count })),
    told.missed_confirmed ? el("p", { class: "wrong" }, w("web.edit.missed", { n: told.missed_confirmed })) : el("p", { class: "soft" }, w("web.edit.nonemissed")),
    told.complete ? "" : el("p", { class: "soft" }, w("web.edit.partly", { n: number(told.hours) })),
    el("ul", { class: "list small" }, ...told.removed.slice(0, 8).map((event) => each("−", event)), ...told.added.slice(0, 8).map((event) => each("+", event)), ...told.warnings.map((warning) => el("li", { class: "soft" }, warning))));
});

async function load() {
  const [camera, config, plan] = await Promise.all([attempt(() => api(`/cameras/${encodeURIComponent(key)}`)), attempt(() => api("/config")), attempt(() => api("/config/schema"))]);
  if (!camera || !config || !plan) return;
  schema = plan;
  const own = config.data.cameras[key] ?? {};
  places.zones = structuredClone(own.zones ?? {});
  places.lines = structuredClone(own.lines ?? {});
  behaviours = structuredClone(own.behaviours ?? config.data.defaults?.behaviours ?? []);
  $("#name").textContent = camera.name;
  image.alt = w("web.wall.picture", { camera: camera.name });
  rules();
  picture(camera);
}
/** A camera that was added just now has no picture for a moment. */
function picture(camera) {
  if (camera.size[0]) { size = camera.size; image.src = `/api/cameras/${encodeURIComponent(key)}/latest.jpg?width=1280`; }
  else setTimeout(async () => { const now = await attempt(() => api(`/cameras/${encodeURIComponent(key)}`)); if (now) picture(now); }, 1000);
  paint();
}
addEventListener("resize", paint);
let loaded = false;
whenSpoken(() => { if (!loaded) { loaded = true; load(); } else { paint(); rules(); } });
addEventListener("beforeunload", (event) => { if (!$("#save").disabled || !$("#keep").disabled) event.preventDefault(); });
