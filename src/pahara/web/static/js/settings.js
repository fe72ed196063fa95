// The configuration: as forms made from its schema, or as the text that it is, comments and all.
import { $, api, ask, attempt, el, known, Refused, toast, told as words, w, whenSpoken } from "./app.js";
import { explained, fields, simple, titled } from "./form.js";

let config = null, schema = null, draft = null, tab = "form", changed = false, typed = false;
const opened = new Set(["general"]);

/** Set or take away one value of the draft. */
function put(path, value) {
  let node = draft;
  for (const each of path.slice(0, -1)) node = node[each] ??= {};
  if (value === undefined) delete node[path.at(-1)]; else node[path.at(-1)] = value;
  changed = true;
}
const reach = (path) => path.reduce((node, each) => node?.[each], draft);

/** One folding part of the form, or null where its schema is too deep for one. */
function section(path, raw, title, { at = [path.join(".")], skip = [], before = [], after = [], about = null } = {}) {
  const own = simple(raw, schema.$defs), id = path.join(".") || "general";
  if (!own?.properties) return null;
  const made = fields(own, reach(path), (name, value) => put([...path, name], value), { definitions: schema.$defs, skip: ["version", ...skip], at });
  made.prepend(...before);
  if (!made.children.length && !after.length) return null;
  const whole = el("details", { class: "card", open: opened.has(id), ontoggle: () => (whole.open ? opened.add(id) : opened.delete(id)) }, el("summary", {}, el("h2", {}, title)), about ? el("p", { class: "soft small" }, about) : null, made, ...after);
  return whole;
}

function detector() {
  const names = schema.$defs.DetectorChoice.oneOf[0].anyOf[0].enum, now = typeof draft.detector === "string" ? draft.detector : draft.detector?.model ?? draft.detector?.kind ?? "auto";
  const input = el("select", { name: "detector", onchange: () => put(["detector"], input.value) }, ...[...new Set([...names, now])].map((each) => el("option", { value: each, selected: each === now }, known(`web.choice.${each}`) ?? each)));
  return el("label", {}, titled([""], "detector"), input, el("small", {}, explained([""], "detector", schema.properties.detector.description)));
}

function channels() {
  const kinds = schema.$defs.ChannelChoice.oneOf.map((each) => each.$ref.split("notifier.")[1]);
  const made = Object.entries(draft.notify?.channels ?? {}).map(([name, value]) => {
    const part = section(["notify", "channels", name], schema.$defs[`notifier.${value.kind}`], `${known(`web.channel.${value.kind}`) ?? value.kind} · ${name}`, { at: [`channel.${value.kind}`, "channel"], skip: ["kind"] });
    part?.append(el("p", {}, el("button", { type: "button", class: "alarm", onclick: () => { put(["notify", "channels", name], undefined); render(); } }, w("web.remove"))));
    return part;
  });
  const add = el("select", { "aria-label": w("web.settings.channel"), onchange: () => {
    const kind = add.value;
    if (!kind) return;
    let n = 1;
    while (`${kind}-${n}` in (draft.notify.channels ?? {})) n++;
    put(["notify", "channels", `${kind}-${n}`], { kind });
    opened.add("notify").add(`notify.channels.${kind}-${n}`);
    render();
  } }, el("option", { value: "" }, w("web.settings.channel")), ...kinds.map((kind) => el("option", { value: kind }, known(`web.channel.${kind}`) ?? kind)));
  return [...made, el("p", {}, add)].filter(Boolean);
}

function render() {
  if (!config || !schema) return;
  const top = { properties: Object.fromEntries(Object.entries(schema.properties).filter(([, raw]) => !simple(raw, schema.$defs)?.properties)) };
  const made = [section([], top, w("web.settings.general"), { at: [""], skip: ["signals", "alarm_budget"], before: [detector()] })];
  for (const [name, raw] of Object.entries(schema.properties)) {
    if (["cameras", "defaults"].includes(name) || !simple(raw, schema.$defs)?.properties) continue;
    made.push(section([name], raw, titled([""], name), { about: explained([""], name, simple(raw, schema.$defs).description), after: name === "notify" ? channels() : [] }));
  }
  for (const [key, value] of Object.entries(draft.cameras ?? {})) {
    const card = section(["cameras", key], schema.$defs.Camera, `${w("web.review.camera")}: ${value.name || key}`, { at: ["camera"] });
    card?.append(el("p", { class: "actions" }, el("a", { class: "button", href: `/cameras/${encodeURIComponent(key)}/edit` }, w("web.edit.title")), el("button", { type: "button", class: "alarm", onclick: () => removeCamera(key, value.name || key) }, w("web.remove"))));
    made.push(card);
  }
  $("#form").replaceChildren(...made.filter(Boolean));
  if (!typed) $("#yaml").value = config.text;
  $("#problem").hidden = !config.problem;
  $("#problem").textContent = config.problem ? `${w("web.settings.notinforce")} ${config.problem}` : "";
}
async function removeCamera(key, name) {
  if (!(await ask(w("web.settings.sure", { name }), { action: "web.remove", alarm: true }))) return;
  if ((await attempt(() => api(`/cameras/${encodeURIComponent(key)}`, { method: "DELETE" }), { done: "web.saved" })) !== undefined) load();
}

function show(which) {
  tab = which;
  for (const each of ["form", "text"]) { $(`#tab-${each}`).setAttribute("aria-selected", String(each === which)); $(`#tab-${each}`).tabIndex = each === which ? 0 : -1; $(`#${each}`).hidden = each !== which; }
  $("#check").hidden = which !== "text";
  list([]);
}
for (const each of ["form", "text"]) {
  $(`#tab-${each}`).addEventListener("click", () => show(each));
  $(`#tab-${each}`).addEventListener("keydown", (event) => { if (event.key === "ArrowRight" || event.key === "ArrowLeft") { show(tab === "form" ? "text" : "form"); $(`#tab-${tab}`).focus(); } });
}
$("#yaml").addEventListener("input", () => { typed = true; });
const list = (problems) => $("#problems").replaceChildren(...problems.map((each) => el("li", { class: "wrong" }, `${each.line ? `${w("web.settings.line", { n: each.line })}: ` : ""}${each.said} ${each.hint ?? ""}`)));

$("#check").addEventListener("click", async () => {
  const told = await attempt(() => api("/config/check", { method: "POST", body: { text: $("#yaml").value } }));
  if (told) { list(told.problems); if (told.ok) toast(w("web.settings.good")); }
});
$("#save").addEventListener("click", async () => {
  try {
    await api("/config", { method: "PUT", body: { ...(tab === "text" ? { text: $("#yaml").value } : { data: draft }), base_hash: config.hash } });
    if (tab === "text") typed = false; else changed = false;
    list([]);
    toast(w("web.saved"));
    await load();
  } catch (problem) {
    if (problem instanceof Refused && problem.detail?.problems) list(problem.detail.problems);
    else toast(problem instanceof Refused ? words(problem) : w("web.offline"), true);
  }
});
async function load() {
  const [now, plan] = await Promise.all([attempt(() => api("/config")), schema ?? attempt(() => api("/config/schema"))]);
  if (!now || !plan) return;
  [config, schema] = [now, plan];
  if (!changed) draft = structuredClone(config.data);
  render();
}
show("form");
let loaded = false;
whenSpoken(() => { if (!loaded) { loaded = true; load(); } else render(); });
addEventListener("beforeunload", (event) => { if (changed || typed) event.preventDefault(); });
