// Who may come in, and who did what.
import { $, api, ask, attempt, clock, date, el, me, w, whenSpoken } from "./app.js";

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
    const rights = (cameras) => save(cameras === null ? { every_camera: true } : { cameras });
    const seen = el("td", { "data-label": w("web.users.cameras") }, user.role === "owner" ? w("web.review.all") : boxes(user.cameras, (event) => rights(ticked(event.target.closest("td")))));
    const off = user.name === me.name ? "" : el("button", { type: "button", class: "quiet", onclick: async () => { if (await ask(w("web.users.sure", { name: user.name }), { action: "web.remove", alarm: true })) { await attempt(() => api(`/users/${user.id}`, { method: "DELETE" })); look(); } } }, w("web.remove"));
    const word = el("button", { type: "button", class: "quiet", onclick: async () => { const fresh = await ask(w("web.users.password", { name: user.name }), { input: { type: "password", minlength: "10", autocomplete: "new-password" } }); if (fresh) save({ password: fresh }); } }, w("web.login.password"));
    return el("tr", {}, el("td", {}, el("b", {}, user.name)), el("td", { "data-label": w("web.users.role") }, choose(user.role, (role) => save({ role }))), seen, el("td", { "data-label": w("web.account.totp") }, user.totp ? w("web.yes") : w("web.no"), user.totp && user.name !== me.name ? el("button", { type: "button", class: "quiet", onclick: () => save({ without_totp: true }) }, w("web.account.totp.off")) : null), el("td", {}, user.name === me.name ? "" : word, off));
  }));
  const { role } = $("#new").elements, kept = role.value || "viewer", chosen = $("#cameras").children.length ? ticked($("#cameras")) : null; // another language loses nothing that was chosen
  role.replaceChildren(...ROLES.map((each) => el("option", { value: each, selected: each === kept }, w(`web.role.${each}`))));
  $("#cameras").replaceChildren(...boxes(chosen));
  last = null;
  $("#audit").replaceChildren();
  more();
}
async function more() {
  const log = await attempt(() => api(`/audit?limit=50${last ? `&before=${last}` : ""}`));
  if (!log) return;
  const { entries } = log;
  $("#audit").append(...entries.map((each) => el("tr", {}, el("td", {}, `${date(each.at)} ${clock(each.at)}`), el("td", {}, each.who), el("td", {}, `${each.action} ${each.object} ${each.detail}`.trim()), el("td", {}, each.address))));
  last = log.next;
  $("#more").hidden = !last;
}
$("#more").addEventListener("click", more);
$("#new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, password, role } = event.target.elements;
  if (await attempt(() => api("/users", { method: "POST", body: { name: name.value, password: password.value, role: role.value, cameras: ticked($("#cameras")) } }), { done: "web.saved" })) { event.target.reset(); look(); }
});
whenSpoken(look);
