// How the machine and every camera are.
import { $, api, attempt, el, number, span, stateOf, w, whenSpoken } from "./app.js";

const figure = (word, value, share = null, bad = false) => {
  const fill = el("i", { class: bad ? "bad" : "" });
  if (share !== null) fill.style.width = `${Math.round(100 * Math.min(1, share))}%`;
  return el("div", { class: "figure" }, el("span", { class: "soft" }, w(word)), el("b", {}, value), share === null ? null : el("div", { class: "bar-of" }, fill));
};
const gigabytes = (bytes) => `${number(bytes / 1e9)} GB`;

const troubled = (told) => Boolean(told.problem) || told.cameras.some((each) => ["offline", "failed", "stalled"].includes(each.state)) || Object.values(told.detectors ?? {}).some(Boolean);
async function look() {
  const told = await attempt(() => api("/stats"));
  if (!told) return;
  $("#well").replaceChildren(troubled(told) ? el("span", { class: "state bad" }, w("web.system.trouble")) : el("span", { class: "state" }, w("web.system.well")));
  const made = [];
  const cpu = told.cpu / Math.max(1, told.cores ?? 1); // of all cores together
  made.push(figure("web.system.cpu", `${number(100 * cpu, 0)} %`, cpu, cpu > 0.9));
  if (told.memory) made.push(figure("web.system.memory", gigabytes(told.memory)));
  if (told.disk) made.push(figure("web.system.disk", `${gigabytes(told.disk.free)} ${w("web.system.free")}`, 1 - told.disk.free / told.disk.total, told.disk.free / told.disk.total < 0.05));
  if (told.store) made.push(figure("web.system.evidence", gigabytes(told.store.evidence_bytes ?? 0)));
  made.push(figure("web.system.running", span(told.running ?? 0)));
  made.push(figure("web.system.backlog", number(told.backlog ?? 0, 0)));
  $("#figures").replaceChildren(...made);
  $("#cameras").replaceChildren(...(told.cameras ?? []).map((each) => el("tr", {}, el("td", {}, el("a", { href: `/cameras/${each.key ?? each.camera}` }, each.name)), el("td", {}, stateOf(each.state), each.why ? el("div", { class: "soft small" }, each.why) : ""), ...[each.fps, each.looks, each.detected, each.dropped, each.reconnects].map((value) => el("td", { class: "number" }, number(value ?? 0))), el("td", { class: "number" }, each.latency ? `${number(1000 * each.latency, 0)} ms` : "–"))));
  const channels = Object.entries(told.channels ?? {});
  $("#channels").replaceChildren(...(channels.length ? channels.map(([name, each]) => el("tr", {}, el("td", {}, name), el("td", {}, ["sent", "waiting", "expired", "dropped"].filter((state) => each[state]).map((state) => `${w(`web.told.${state}`)}: ${number(each[state], 0)}`).join(" · ") || "–"))) : [el("tr", {}, el("td", { class: "soft" }, w("web.system.nochannels")))]));
  const said = [told.problem, ...Object.values(told.detectors ?? {})].filter(Boolean);
  $("#said").hidden = !said.length;
  $("#said").textContent = said.join("\n");
  $("#versions").replaceChildren(...Object.entries(told.versions ?? {}).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
whenSpoken(look);
setInterval(() => { if (!document.hidden) look(); }, 5000);
