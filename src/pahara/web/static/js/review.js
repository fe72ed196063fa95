// The review queue: newest first, by mouse, finger or keyboard alone.
import { $, api, attempt, clock, counted, date, el, me, may, on, toast, w, whenSpoken } from "./app.js";

const queue = $("#queue"), filters = $("#filters"), chosen = new Set();
let events = [], next = null, here = -1, anchor = -1, asking = null;

const asked = new URLSearchParams(location.search);
for (const control of filters.elements) if (asked.has(control.name)) control.value = asked.get(control.name);

function question() {
  const told = new URLSearchParams({ limit: "60" });
  for (const { name, value } of filters.elements) {
    if (!value) continue;
    if (name === "day") {
      const begin = new Date(`${value}T00:00:00`);
      told.set("since", begin.getTime() / 1000);
      told.set("until", new Date(begin.getFullYear(), begin.getMonth(), begin.getDate() + 1).getTime() / 1000);
    } else told.set(name, value);
  }
  return told;
}

/** Ask anew. `more`: the following page; `kept`: the same list again, in another language or with news, and nothing that was chosen is lost. */
async function load({ more = false, kept = false } = {}) {
  asking?.abort();
  asking = new AbortController();
  const told = question(), was = events[here]?.id, began = events[anchor]?.id;
  if (more && next) told.set("after", next);
  if (kept) told.set("limit", String(Math.min(200, Math.max(60, events.length))));
  const answer = await attempt(() => api(`/events?${told}`, { signal: asking.signal }));
  if (!answer) return;
  events = more ? [...events, ...answer.events] : answer.events;
  next = answer.next;
  if (kept) {
    for (const id of [...chosen]) if (!events.some((event) => event.id === id)) chosen.delete(id);
    here = Math.max(events.findIndex((event) => event.id === was), events.length ? 0 : -1);
    anchor = events.findIndex((event) => event.id === began);
  } else if (!more) { chosen.clear(); here = events.length ? 0 : -1; anchor = here; }
  render();
}

const at = (id) => events.findIndex((event) => event.id === id);
function shot(event) {
  const { id } = event, film = el("div", { class: "film" });
  film.append(event.has.thumbnail ? el("img", { src: `/api/events/${id}/thumbnail.jpg`, alt: "", loading: "lazy" }) : el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, el("path", { d: "M3 5.5 4.4 4 20 19.6 18.6 21l-3-3H3zM7.5 6H15v4l4-3v10l-.6-.4L15 13z" })));
  const badge = event.verdict ? el("span", { class: `badge ${event.verdict}` }, w(`web.review.${event.verdict}`)) : event.locked ? el("span", { class: "badge" }, w("web.event.locked")) : null;
  return el("div", { class: `shot${event.reviewed ? " seen" : ""}`, role: "option", id: `e-${id}`, "aria-selected": String(chosen.has(id)), onclick: (click) => pick(at(id), click), ondblclick: () => open(at(id)), onpointerenter: (move) => move.pointerType === "mouse" && play(at(id)), onpointerleave: (move) => move.pointerType === "mouse" && rest(at(id)) },
    film, badge, el("div", { class: "said" }, el("b", {}, event.title), el("time", { datetime: new Date(event.start * 1000).toISOString() }, `${date(event.start)} ${clock(event.start)} · ${event.camera_name}`), el("p", {}, event.reason.text)));
}

const drawn = new Map(); // id -> [what it shows, its element]: what did not change stays, with the film that plays in it
function render() {
  const scrolled = scrollY;
  const now = events.map((event) => {
    const shows = JSON.stringify([event.title, event.camera_name, event.reason.text, event.reviewed, event.verdict, event.locked, event.has.thumbnail, document.documentElement.lang]);
    if (drawn.get(event.id)?.[0] !== shows) drawn.set(event.id, [shows, shot(event)]);
    return drawn.get(event.id)[1];
  });
  for (const id of [...drawn.keys()]) if (at(id) < 0) drawn.delete(id);
  const same = now.length === queue.children.length && now.every((each, i) => queue.children[i] === each);
  if (!same) queue.replaceChildren(...now);
  $("#empty").hidden = events.length > 0;
  queue.hidden = events.length === 0;
  $("#more").hidden = !next;
  $("#count").textContent = counted("web.review.count", events.length) + (next ? " +" : "");
  mark();
  if (!same) scrollTo(0, scrolled);
}

function mark() {
  [...queue.children].forEach((child, index) => {
    child.classList.toggle("here", index === here && document.activeElement === queue);
    child.setAttribute("aria-selected", String(chosen.has(events[index].id)));
  });
  if (here >= 0 && queue.children[here]) queue.setAttribute("aria-activedescendant", queue.children[here].id); else queue.removeAttribute("aria-activedescendant");
  $("#bulk").hidden = chosen.size === 0;
  $("#chosen").textContent = counted("web.review.chosen", chosen.size);
}

function pick(index, click = {}) {
  here = index;
  if (click.shiftKey && anchor >= 0) range(anchor, index);
  else if (click.ctrlKey || click.metaKey) { toggle(index); anchor = index; }
  else { if (click.detail === 1) toggle(index); anchor = index; }
  queue.focus({ preventScroll: true });
  mark();
}
const toggle = (index) => { const { id } = events[index]; chosen.has(id) ? chosen.delete(id) : chosen.add(id); };
function range(a, b) { chosen.clear(); for (let i = Math.min(a, b); i <= Math.max(a, b); i++) chosen.add(events[i].id); }
const open = (index) => { location.href = `/events/${events[index].id}`; };

function play(index) {
  const event = events[index], film = queue.children[index]?.firstChild;
  if (!event?.has.clip || !film || $("video", film)) return;
  const video = el("video", { src: `/api/events/${event.id}/clip.mp4`, muted: true, autoplay: true, loop: true, playsinline: true });
  video.muted = true;
  film.append(video);
}
function rest(index) { const video = queue.children[index] && $("video", queue.children[index]); if (video) { video.removeAttribute("src"); video.load(); video.remove(); } }

async function judge(change) {
  const ids = chosen.size ? [...chosen] : here >= 0 ? [events[here].id] : [];
  if (!ids.length || !may("review")) return;
  const answer = await attempt(() => api("/events/review", { method: "POST", body: { ids, ...change } }));
  if (answer === undefined) return;
  asking?.abort();
  toast(counted("web.review.saved", ids.length));
  const gone = filters.elements.reviewed.value === "false";
  const stay = here;
  events = events.map((event) => (ids.includes(event.id) ? { ...event, ...change } : event)).filter((event) => !(gone && ids.includes(event.id)));
  chosen.clear();
  here = Math.min(stay, events.length - 1);
  if (events.length < 20 && next) await load({ more: true });
  else render();
  queue.focus({ preventScroll: true });
  mark();
}

async function take() {
  const ids = chosen.size ? [...chosen] : here >= 0 ? [events[here].id] : [];
  const answer = await attempt(() => api("/events/export", { method: "POST", body: { ids }, raw: true }));
  if (!answer) return;
  const url = URL.createObjectURL(await answer.blob());
  el("a", { href: url, download: answer.headers.get("content-disposition")?.match(/filename="([\w.-]+)"/)?.[1] ?? "pahara-case.zip" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const acts = { real: () => judge({ reviewed: true, verdict: "real" }), fine: () => judge({ reviewed: true, verdict: "fine" }), reviewed: () => judge({ reviewed: true }), export: take, none: () => { chosen.clear(); mark(); } };
$("#bulk").addEventListener("click", (event) => acts[event.target.closest("[data-do]")?.dataset.do]?.());

function columns() { const top = queue.children[0]?.offsetTop; let n = 0; for (const child of queue.children) { if (child.offsetTop !== top) break; n++; } return Math.max(1, n); }
queue.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
  if (step !== undefined && events.length) {
    event.preventDefault();
    rest(here);
    if (event.shiftKey && anchor < 0) anchor = here;
    here = Math.max(0, Math.min(events.length - 1, here + step));
    if (event.shiftKey) range(anchor, here); else anchor = here;
    mark();
    queue.children[here].scrollIntoView({ block: "nearest" });
    if (here > events.length - 6 && next) load({ more: true });
    return;
  }
  if ((event.key === "Home" || event.key === "End") && events.length) { event.preventDefault(); rest(here); here = anchor = event.key === "Home" ? 0 : events.length - 1; mark(); queue.children[here].scrollIntoView({ block: "nearest" }); return; }
  const act = { " ": () => ($("video", queue.children[here] ?? document.createElement("i")) ? rest(here) : play(here)), Enter: () => here >= 0 && open(here), r: acts.reviewed, f: acts.fine, t: acts.real, Escape: () => { rest(here); acts.none(); } }[event.key];
  if (act) { event.preventDefault(); act(); }
});
queue.addEventListener("focus", mark);
queue.addEventListener("blur", mark);
filters.addEventListener("change", () => {
  const told = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
  history.replaceState(null, "", `?${told}`);
  load();
});
filters.addEventListener("submit", (event) => event.preventDefault());
$("#more").addEventListener("click", () => load({ more: true }));

async function choices() {
  const cameras = (await attempt(() => api("/cameras"))) ?? [];
  const kinds = new Map();
  for (const camera of cameras) for (const each of camera.behaviours ?? []) kinds.set(each.kind, w(`behaviour.${each.kind}`));
  for (const kind of ["offline", "detector_failed", "camera_failed", "disk_full"]) kinds.set(kind, w(`behaviour.${kind}`));
  fill(filters.elements.camera, cameras.map((camera) => [camera.key, camera.name]));
  fill(filters.elements.kind, [...kinds]);
}
function fill(select, options) {
  const kept = select.value || asked.get(select.name) || "";
  select.replaceChildren(select.options[0], ...options.map(([value, name]) => el("option", { value }, name)));
  select.value = kept;
}

let spoken = false;
whenSpoken(async () => { await choices(); await load({ kept: spoken }); spoken = true; });
// News wait a little, so that a busy minute asks once; what one is looking at stays under one's finger.
let due = null;
for (const kind of ["event", "review"]) on(kind, () => { due ??= setTimeout(() => { due = null; if (spoken) load({ kept: true }); }, 1500); });
if (!me) location.href = "/login";
