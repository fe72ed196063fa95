// Who may come in, and who did what.
import { $, api, attempt, clock, date, el, me, w, whenSpoken } from "./app.js";

const ROLES = ["viewer", "operator", "owner"];
let cameras = [], last = null;

function choose(role, change) { return el("select", { "aria-label": w("web.users.role"), onchange: (event) => change(event.target.value) }, ...ROLES.map((each) => el("option", { value: each, selected: each === role }, w(`web.role.${each}`)))); }
function boxes(seen, change) {
  return cameras.map((camera) => el("label", { class: "switch" }, el("input", { type: "checkbox", value: camera.key, checked: seen === null || seen.includes(camera.key), onchange: change }), camera.name));
}
const ticked = (root) => { const all = [...root.querySelectorAll("input[type=checkbox]")]; return all.every((each) => each.checked) ? null : all.filter((each) => each.checked).map((each) => each.value); };

async function look() {
  cameras = (await attempt(() => api("/cameras"))) ?? [];
  const users = (await attempt(() => api("/users"))) ?? [];
  $("#users").replaceChildren(...users.map((user) => {
    const save = async (body) => { await attempt(() => api(`/users/${user.id}`, { method: "PATCH", body }), { done: "web.saved" }); look(); };
    const seen = el("td", {}, user.role === "owner" ? w("web.review.all") : boxes(user.cameras, (event) => save({ cameras: ticked(event.target.closest("td")) })));
    const off = user.name === me.name ? "" : el("button", { type: "button", class: "quiet", onclick: () => confirm(w("web.users.sure", { name: user.name })) && attempt(() => api(`/users/${user.id}`, { method: "DELETE" })).then(look) }, w("web.remove"));
    const word = el("button", { type: "button", class: "quiet", onclick: () => { const fresh = prompt(w("web.users.password", { name: user.name })); if (fresh) save({ password: fresh }); } }, w("web.login.password"));
    return el("tr", {}, el("td", {}, el("b", {}, user.name)), el("td", {}, choose(user.role, (role) => save({ role }))), seen, el("td", {}, user.totp ? "✓" : "–"), el("td", {}, user.name === me.name ? "" : word, off));
  }));
  $("#new").elements.role.replaceChildren(...ROLES.map((role) => el("option", { value: role }, w(`web.role.${role}`))));
  $("#cameras").replaceChildren(...boxes(null));
  last = null;
  $("#audit").replaceChildren();
  more();
}
async function more() {
  const log = await attempt(() => api(`/audit?limit=50${last ? `&before=${last}` : ""}`));
  if (!log) return;
  const entries = log.entries ?? log;
  $("#audit").append(...entries.map((each) => el("tr", {}, el("td", {}, `${date(each.at)} ${clock(each.at)}`), el("td", {}, each.who), el("td", {}, `${each.action} ${each.object} ${each.detail}`.trim()), el("td", {}, each.address))));
  last = entries.at(-1)?.id ?? last;
  $("#more").hidden = entries.length < 50;
}
$("#more").addEventListener("click", more);
$("#new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, password, role } = event.target.elements;
  if (await attempt(() => api("/users", { method: "POST", body: { name: name.value, password: password.value, role: role.value, cameras: ticked($("#cameras")) } }), { done: "web.saved" })) { event.target.reset(); look(); }
});
whenSpoken(look);
