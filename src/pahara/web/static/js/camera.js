// One camera: its picture as large as it goes, how it is, and what happened lately.
import { $, api, attempt, boot, clock, date, el, number, on, span, stateOf, w, whenSpoken } from "./app.js";
import { Screen, trouble } from "./screen.js";

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
  screen.told(camera, trouble(camera));
  const facts = [
    ["web.camera.state", stateOf(camera.state)],
    ["web.camera.size", camera.size[0] ? `${camera.size[0]} × ${camera.size[1]}` : "–"],
    ["web.camera.fps", number(camera.fps)],
    ["web.camera.people", String(camera.people)],
    ["web.camera.behaviours", camera.behaviours.map(looksFor).join(", ") || "–"],
  ];
  if (camera.blind) facts.push(["web.camera.blind", span(Date.now() / 1000 - camera.blind)]);
  $("#facts").replaceChildren(...facts.flatMap(([word, value]) => [el("dt", {}, w(word)), el("dd", {}, value)]));
  const latest = await attempt(() => api(`/events?camera=${encodeURIComponent(key)}&limit=8`));
  if (!latest) return;
  const { events } = latest;
  $("#latest").replaceChildren(...(events.length ? events.map((event) => el("li", {}, el("a", { href: `/events/${event.id}` }, event.title), ` · ${date(event.start)} ${clock(event.start)}`)) : [el("li", { class: "soft" }, w("web.camera.none"))]));
}
/** "Intrusion · door" for what the configuration calls intrusion-door. */
function looksFor({ name, kind }) {
  const place = name === kind ? "" : name.startsWith(`${kind}-`) ? name.slice(kind.length + 1) : name;
  return place ? `${w(`behaviour.${kind}`)} · ${place}` : w(`behaviour.${kind}`);
}
whenSpoken(look);
on("event", look);
setInterval(() => { if (!document.hidden) look(); }, 5000);
