// One's own account.
import { $, api, attempt, boot, chime, clock, date, el, may, me, setWish, w, whenSpoken, wish } from "./app.js";

const ORDER = ["viewer", "operator", "owner"];
const again = () => location.reload(); // a changed account has a new session, and this page the old one's key

$("#out").addEventListener("click", async () => { await attempt(() => api("/logout", { method: "POST" })); location.href = "/login"; });
$("#password").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { old, new: fresh } = event.target.elements;
  if (await attempt(() => api("/me/password", { method: "POST", body: { old: old.value, new: fresh.value } }), { done: "web.saved" })) again();
});
$("#others").addEventListener("click", async () => { if ((await attempt(() => api("/me/sessions", { method: "DELETE" }), { done: "web.saved" })) !== undefined) look(); });

async function totp() {
  const box = $("#totp");
  if (me.totp) {
    const word = el("input", { type: "password", autocomplete: "current-password", "aria-label": w("web.login.password"), placeholder: w("web.login.password") });
    box.replaceChildren(el("p", {}, w("web.account.totp.on")), el("form", { class: "row", onsubmit: async (event) => { event.preventDefault(); if (await attempt(() => api("/me/totp/off", { method: "POST", body: { password: word.value } }))) again(); } }, word, el("button", {}, w("web.account.totp.off"))));
    return;
  }
  box.replaceChildren(el("button", { type: "button", onclick: async () => {
    const offer = await attempt(() => api("/me/totp/new", { method: "POST" }));
    if (!offer) return;
    const code = el("input", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "7", "aria-label": w("web.login.code"), placeholder: "123456" });
    box.replaceChildren(el("p", {}, w("web.account.totp.add")), el("code", { class: "secret" }, offer.secret), el("p", {}, el("a", { href: offer.address }, w("web.account.totp.open"))),
      el("form", { class: "row", onsubmit: async (event) => { event.preventDefault(); if (await attempt(() => api("/me/totp", { method: "POST", body: { secret: offer.secret, code: code.value } }))) again(); } }, code, el("button", { class: "main" }, w("web.save"))));
    code.focus();
  } }, w("web.account.totp.turn")));
}

async function look() {
  const [sessions, tokens] = await Promise.all([attempt(() => api("/me/sessions")), attempt(() => api("/me/tokens"))]);
  $("#sessions").replaceChildren(...(sessions ?? []).map((each) => el("li", {}, each.this ? el("b", {}, w("web.account.this")) : "", ` ${short(each.agent)} · ${each.address} · ${date(each.last)} ${clock(each.last)}`)));
  $("#tokens").replaceChildren(...(tokens ?? []).map((each) => el("li", { class: "place" }, el("span", {}, `${each.name} · ${w(`web.role.${each.role}`)}${each.last ? ` · ${date(each.last)}` : ""}`), el("button", { type: "button", class: "quiet", onclick: async () => { await attempt(() => api(`/me/tokens/${each.id}`, { method: "DELETE" })); look(); } }, w("web.remove")))));
}
const short = (agent) => agent.match(/(Firefox|Edg|Chrome|Safari)/)?.[1]?.replace("Edg", "Edge") ?? (agent.slice(0, 30) || "?");

$("#token").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, role } = event.target.elements;
  const made = await attempt(() => api("/me/tokens", { method: "POST", body: { name: name.value, role: role.value } }));
  if (!made) return;
  event.target.reset();
  $("#made").hidden = false;
  $("#made").replaceChildren(w("web.account.token.once"), el("code", { class: "secret" }, made.token));
  look();
});
// How this browser tells: on the screen after one has agreed, with a sound only where one wants it.
const show = $("#show"), sound = $("#sound"), able = "Notification" in window && isSecureContext;
$("#telling").hidden = !may("watch");
show.checked = able && wish("show") && Notification.permission === "granted";
sound.checked = wish("sound");
show.disabled = !able;
function state() { $("#permission").textContent = !able ? w("web.tell.unable") : Notification.permission === "denied" ? w("web.tell.denied") : ""; }
show.addEventListener("change", async () => {
  if (show.checked && Notification.permission !== "granted") await Notification.requestPermission();
  show.checked = show.checked && Notification.permission === "granted";
  setWish("show", show.checked);
  state();
});
sound.addEventListener("change", () => { setWish("sound", sound.checked); if (sound.checked) chime(); });

let offered = false;
whenSpoken(() => {
  const { role } = $("#token").elements, kept = role.value || "viewer";
  role.replaceChildren(...ORDER.slice(0, ORDER.indexOf(boot.me.role) + 1).map((each) => el("option", { value: each, selected: each === kept }, w(`web.role.${each}`))));
  if (!offered || me.totp || !$("#totp input")) { offered = true; totp(); } // a secret that is being entered stays
  state();
  look();
});
