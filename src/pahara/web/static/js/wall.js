// The wall: every camera that one may see.
import { $, api, attempt, el, on, stateOf, w, whenSpoken } from "./app.js";
import { Screen, trouble } from "./screen.js";

const tiles = new Map();
const overlays = $("#overlays");
overlays.checked = localStorage.getItem("overlays") !== "off";
overlays.addEventListener("change", () => {
  localStorage.setItem("overlays", overlays.checked ? "on" : "off");
  for (const each of tiles.values()) each.drawn(overlays.checked);
});
const eye = () => el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, el("path", { d: "M4 4h5v2H6v3H4zM15 4h5v5h-2V6h-3zM4 15h2v3h3v2H4zM18 15h2v5h-5v-2h3zM12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z" }));

function tile(camera) {
  const screen = new Screen(camera.key, { overlays: overlays.checked });
  const state = el("span"), name = el("a", { href: `/cameras/${encodeURIComponent(camera.key)}` });
  const own = el("button", { type: "button", class: "quiet icon eye", onclick: () => drawn(!screen.overlays) }, eye());
  const drawn = (wanted) => { screen.overlays = wanted; own.setAttribute("aria-pressed", String(wanted)); };
  drawn(overlays.checked);
  const made = el("article", { class: "tile" }, el("header", {}, name, el("span", { class: "actions" }, state, own)), screen.element);
  $("#wall").append(made);
  return { screen, state, name, own, made, drawn };
}

async function look() {
  const cameras = await attempt(() => api("/cameras"));
  if (!cameras) return;
  $("#empty").hidden = cameras.length > 0;
  for (const key of [...tiles.keys()]) if (!cameras.some((camera) => camera.key === key)) { tiles.get(key).made.remove(); tiles.delete(key); }
  for (const camera of cameras) {
    if (!tiles.has(camera.key)) tiles.set(camera.key, tile(camera));
    const { screen, state, name, own, made } = tiles.get(camera.key);
    name.textContent = camera.name;
    made.setAttribute("aria-label", camera.name);
    own.title = w("web.wall.overlays");
    own.setAttribute("aria-label", `${w("web.wall.overlays")}: ${camera.name}`);
    screen.image.alt = w("web.wall.picture", { camera: camera.name });
    screen.fps = cameras.length > 9 ? 0.5 : cameras.length > 4 ? 1 : 2; // many cameras share one line and one processor
    state.replaceChildren(stateOf(camera.state));
    made.classList.toggle("alerting", (alarmed.get(camera.key) ?? 0) > Date.now());
    screen.told(camera, trouble(camera));
  }
}
const alarmed = new Map(); // camera -> until when its frame is red
on("event", (event) => { if (event.end === null) { alarmed.set(event.camera, Date.now() + 15000); tiles.get(event.camera)?.made.classList.add("alerting"); } });
whenSpoken(look);
setInterval(() => { if (!document.hidden) look(); }, 4000);
