// The first start: an owner, a camera that gives pictures, and a place to watch.
import { $, boot, el, Refused, told, w, whenSpoken } from "./app.js";

const ORDER = ["owner", "camera", "test", "place"];
let step = boot.owner ? "camera" : "owner", csrf = boot.me?.csrf, wanted = null, key = null;

function show(which) {
  step = which;
  for (const each of ORDER) $(`#${each}`).hidden = each !== which;
  for (const each of document.querySelectorAll("#steps li")) { const at = ORDER.indexOf(each.dataset.step), now = ORDER.indexOf(which); each.classList.toggle("done", at < now); if (at === now) each.setAttribute("aria-current", "step"); else each.removeAttribute("aria-current"); }
  $(`#${which}`).querySelector("input, button, a")?.focus();
  $("#wrong").hidden = true;
}
async function work(body) {
  $("#wrong").hidden = true;
  try { return await body(); } catch (problem) { $("#wrong").textContent = problem instanceof Refused ? told(problem) : w("web.offline"); $("#wrong").hidden = false; return undefined; }
}
const post = async (path, body) => {
  const answer = await fetch(`/api${path}?lang=${document.documentElement.lang}`, { method: "POST", headers: { "content-type": "application/json", ...(csrf ? { "x-csrf-token": csrf } : {}) }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Refused(answer.status, (await answer.json().catch(() => ({ detail: answer.statusText }))).detail, answer);
  return answer.json();
};

$("#owner").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { code, name, password } = event.target.elements;
  const made = await work(() => post("/setup", { code: code.value, name: name.value, password: password.value, language: document.documentElement.lang }));
  if (made) { csrf = made.csrf; show("camera"); }
});
$("#find").addEventListener("click", async () => {
  $("#find").disabled = true;
  $("#found").replaceChildren(el("li", { class: "soft" }, w("web.setup.finding")));
  const told = await work(() => post("/discover", {}));
  $("#find").disabled = false;
  const found = told ?? [];
  $("#found").replaceChildren(...(found.length ? found.map((each) => el("li", {}, el("button", { type: "button", onclick: () => { const form = $("#address"); form.elements.source.value = each.address; form.elements.name.value = each.name ?? ""; form.elements.source.focus(); } }, `${each.name ?? ""} ${each.address}`))) : [el("li", { class: "soft" }, w("web.setup.nofound"))]));
});
$("#address").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { source, name } = event.target.elements, button = event.target.querySelector("button.main");
  button.disabled = true;
  const seen = await work(() => post("/probe", { source: source.value }));
  button.disabled = false;
  if (!seen) return;
  wanted = { source: source.value, name: name.value };
  $("#picture").replaceChildren(el("img", { src: `data:image/jpeg;base64,${seen.jpeg}`, alt: w("web.wall.picture", { camera: name.value }) }));
  $("#picture").style.aspectRatio = `${seen.size[0]} / ${seen.size[1]}`;
  $("#seen").textContent = `${seen.size[0]} × ${seen.size[1]}${seen.codec ? ` · ${seen.codec}` : ""}${seen.fps ? ` · ${Math.round(seen.fps)} fps` : ""}`;
  show("test");
});
$("#back").addEventListener("click", () => show("camera"));
$("#good").addEventListener("click", async () => {
  const made = await work(() => post("/cameras", { ...wanted, key: slug(wanted.name) }));
  if (!made) return;
  key = made.key ?? slug(wanted.name);
  $("#draw").href = `/cameras/${encodeURIComponent(key)}/edit`;
  show("place");
});
const slug = (name) => name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40) || `camera-${Date.now() % 100000}`;

const code = location.hash.slice(1) || new URLSearchParams(location.search).get("code");
if (code && $("#owner")) { $("#owner").elements.code.value = code; history.replaceState(null, "", "/setup"); }
show(step);
let spoken = false;
whenSpoken(() => { if (!spoken) { spoken = true; $(`#${step}`).querySelector("input, button, a")?.focus(); } });
