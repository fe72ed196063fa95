// The wall: every camera that one may see.
import { $, api, attempt, el, on, span, stateOf, w, whenSpoken } from "./app.js";
import { Screen } from "./screen.js";

const tiles = new Map();
const overlays = $("#overlays");
overlays.checked = localStorage.getItem("overlays") !== "off";
overlays.addEventListener("change", () => {
  localStorage.setItem("overlays", overlays.checked ? "on" : "off");
  for (const { screen } of tiles.values()) screen.overlays = overlays.checked;
});

function tile(camera) {
  const screen = new Screen(camera.key, { overlays: overlays.checked });
  const state = el("span"), name = el("a", { href: `/cameras/${camera.key}` });
  const own = el("input", { type: "checkbox", checked: true, title: w("web.wall.overlays"), "aria-label": w("web.wall.overlays"), onchange: () => { screen.overlays = own.checked && overlays.checked; } });
  const made = el("article", { class: "tile" }, el("header", {}, name, el("span", { class: "actions" }, state, own)), screen.element);
  $("#wall").append(made);
  return { screen, state, name, made };
}

async function look() {
  const cameras = await attempt(() => api("/cameras"));
  if (!cameras) return;
  $("#empty").hidden = cameras.length > 0;
  for (const key of [...tiles.keys()]) if (!cameras.some((camera) => camera.key === key)) { tiles.get(key).made.remove(); tiles.delete(key); }
  for (const camera of cameras) {
    if (!tiles.has(camera.key)) tiles.set(camera.key, tile(camera));
    const { screen, state, name, made } = tiles.get(camera.key);
    name.textContent = camera.name;
    screen.image.alt = w("web.wall.picture", { camera: camera.name });
    state.replaceChildren(stateOf(camera.state));
    made.classList.toggle("alerting", Boolean(camera.alerting));
    const away = camera.blind ? span(Date.now() / 1000 - camera.blind) : "";
    screen.say(["offline", "failed", "stalled"].includes(camera.state) ? `${w(`web.state.${camera.state}`)} ${away ? `· ${away}` : ""}\n${camera.why ?? ""}` : "");
  }
}
whenSpoken(look);
setInterval(() => { if (!document.hidden) look(); }, 4000);
on("camera", look);
