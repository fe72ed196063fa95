// The configuration: as forms made from its schema, or as the text that it is, comments and all.
import { $, api, attempt, el, Refused, toast, told as words, w, whenSpoken } from "./app.js";
import { fields, simple } from "./form.js";

let config = null, schema = null, changes = [], tab = "form";

function section(path, raw, value, title) {
  const own = simple(raw, schema.$defs);
  if (!own?.properties) return null;
  const made = fields(own, value, (name, fresh) => { changes = changes.filter((each) => each.path.join("/") !== [...path, name].join("/")); changes.push(fresh === undefined ? { path: [...path, name], remove: true } : { path: [...path, name], value: fresh }); }, { definitions: schema.$defs, skip: ["version"] });
  return made.children.length ? el("section", { class: "card" }, el("h2", {}, title), own.description ? el("p", { class: "soft small" }, own.description) : null, made) : null;
}

function render() {
  if (!config || !schema) return;
  const { data } = config, top = { properties: Object.fromEntries(Object.entries(schema.properties).filter(([, raw]) => !simple(raw, schema.$defs)?.properties)) };
  const made = [section([], top, data, w("web.settings.general"))];
  for (const [name, raw] of Object.entries(schema.properties)) if (name !== "cameras" && simple(raw, schema.$defs)?.properties) made.push(section([name], raw, data[name], name));
  const camera = schema.$defs.Camera;
  for (const [key, value] of Object.entries(data.cameras ?? {})) {
    const card = section(["cameras", key], camera, value, `${w("web.review.camera")}: ${value.name || key}`);
    card?.append(el("p", {}, el("a", { class: "button", href: `/cameras/${encodeURIComponent(key)}/edit` }, w("web.edit.title")), " ", el("button", { type: "button", class: "alarm", onclick: () => removeCamera(key, value.name || key) }, w("web.remove"))));
    made.push(card);
  }
  $("#form").replaceChildren(...made.filter(Boolean));
  if (document.activeElement !== $("#yaml")) $("#yaml").value = config.text;
  $("#problem").hidden = !config.problem;
  $("#problem").textContent = config.problem ? `${w("web.settings.notinforce")} ${config.problem}` : "";
}
async function removeCamera(key, name) { if (confirm(w("web.settings.sure", { name })) && (await attempt(() => api(`/cameras/${encodeURIComponent(key)}`, { method: "DELETE" }), { done: "web.saved" })) !== undefined) load(); }

function show(which) {
  tab = which;
  for (const each of ["form", "text"]) { $(`#tab-${each}`).setAttribute("aria-selected", String(each === which)); $(`#tab-${each}`).tabIndex = each === which ? 0 : -1; $(`#${each}`).hidden = each !== which; }
}
for (const each of ["form", "text"]) {
  $(`#tab-${each}`).addEventListener("click", () => show(each));
  $(`#tab-${each}`).addEventListener("keydown", (event) => { if (event.key === "ArrowRight" || event.key === "ArrowLeft") { show(tab === "form" ? "text" : "form"); $(`#tab-${tab}`).focus(); } });
}
const list = (problems) => $("#problems").replaceChildren(...problems.map((each) => el("li", { class: "wrong" }, `${each.line ? `${w("web.settings.line", { n: each.line })}: ` : ""}${each.said} ${each.hint ?? ""}`)));

$("#check").addEventListener("click", async () => {
  const told = await attempt(() => api("/config/check", { method: "POST", body: { text: $("#yaml").value } }));
  if (told) { list(told.problems); if (told.ok) toast(w("web.settings.good")); }
});
$("#save").addEventListener("click", async () => {
  try {
    const body = tab === "text" ? { text: $("#yaml").value, base_hash: config.hash ?? config.base_hash } : { changes, base_hash: config.hash ?? config.base_hash };
    await api("/config", { method: tab === "text" ? "PUT" : "PATCH", body });
    changes = [];
    list([]);
    toast(w("web.saved"));
    load();
  } catch (problem) {
    if (problem instanceof Refused && problem.detail?.problems) list(problem.detail.problems);
    else toast(problem instanceof Refused ? words(problem) : w("web.offline"), true);
  }
});
async function load() {
  [config, schema] = await Promise.all([attempt(() => api("/config")), schema ?? attempt(() => api("/config/schema"))]);
  render();
}
let loaded = false;
whenSpoken(() => { if (!loaded) { loaded = true; load(); } else render(); });
addEventListener("beforeunload", (event) => { if (changes.length) event.preventDefault(); });
