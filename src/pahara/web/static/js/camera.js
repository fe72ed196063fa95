// One camera: its picture as large as it goes, how it is, and what happened lately.
import { $, api, attempt, boot, clock, date, el, number, span, stateOf, w, whenSpoken } from "./app.js";
import { Screen } from "./screen.js";

const key = boot.parameters.key;
const screen = new Screen(key, { width: 1280, fps: 5 });
$("#screen").replaceWith(screen.element);
$("#overlays").addEventListener("change", (event) => { screen.overlays = event.target.checked; });
if ($("#edit")) $("#edit").href = `/cameras/${encodeURIComponent(key)}/edit`;

async function look() {
  const camera = await attempt(() => api(`/cameras/${key}`));
  if (!camera) return;
  $("#name").textContent = camera.name;
  document.title = `${camera.name} · Pahara`;
  screen.image.alt = w("web.wall.picture", { camera: camera.name });
  screen.say(["offline", "failed", "stalled"].includes(camera.state) ? `${w(`web.state.${camera.state}`)}\n${camera.why ?? ""}` : "");
  const facts = [
    ["web.camera.state", stateOf(camera.state)],
    ["web.camera.size", camera.size[0] ? `${camera.size[0]} × ${camera.size[1]}` : "–"],
    ["web.camera.fps", number(camera.fps)],
    ["web.camera.people", String(camera.people)],
    ["web.camera.behaviours", (camera.behaviours ?? []).map((each) => each.title ?? each.name).join(", ") || "–"],
  ];
  if (camera.blind) facts.push(["web.camera.blind", span(Date.now() / 1000 - camera.blind)]);
  $("#facts").replaceChildren(...facts.flatMap(([word, value]) => [el("dt", {}, w(word)), el("dd", {}, value)]));
  const { events } = await api(`/events?camera=${encodeURIComponent(key)}&limit=8`);
  $("#latest").replaceChildren(...(events.length ? events.map((event) => el("li", {}, el("a", { href: `/events/${event.id}` }, event.title), ` · ${date(event.start)} ${clock(event.start)}`)) : [el("li", { class: "soft" }, w("web.camera.none"))]));
}
whenSpoken(look);
setInterval(() => { if (!document.hidden) look(); }, 5000);
