// One event: what it looks like, why it fired, and what people say of it.
import { $, api, attempt, boot, clock, date, el, number, span, w, whenSpoken } from "./app.js";
import { draw } from "./screen.js";

const id = boot.parameters.event_id;
let event = null, shown = null, saved = null;

async function look() {
  event = await attempt(() => api(`/events/${id}`));
  if (!event) return;
  $("#title").textContent = `${event.title} · ${event.camera_name}`;
  document.title = `${event.title} · Pahara`;
  $("#when").textContent = `${date(event.start)}, ${clock(event.start)}${event.end ? ` – ${clock(event.end)} · ${span(event.end - event.start)}` : ` · ${w("web.event.ongoing")}`}`;
  $("#reason").textContent = event.reason.text;
  $("#gauge").replaceChildren(gauge(event.reason));
  const facts = [["web.review.camera", el("a", { href: `/cameras/${event.camera}` }, event.camera_name)], ["web.event.score", number(event.peak, 2)]];
  if (event.reason.place) facts.push(["web.event.place", event.reason.place]);
  facts.push(["web.event.rule", event.behaviour]);
  $("#facts").replaceChildren(...facts.flatMap(([word, value]) => [el("dt", {}, w(word)), el("dd", {}, value)]));
  const kept = ["clip", "snapshot"].find((kind) => event.has[kind]) ?? "none";
  if (shown !== kept) { shown = kept; film(); }
  track();
  $("#near").replaceChildren(near());
  const words = $("#words");
  if (words.tagName === "TEXTAREA") { if (saved === null || words.value === saved) words.value = event.note; saved = event.note; } else words.textContent = event.note || "–";
  $("#told").replaceChildren(...((event.deliveries ?? []).length ? event.deliveries.map((each) => el("li", {}, `${each.channel}: ${w(`web.told.${each.state}`)}${each.why ? ` (${each.why})` : ""}`)) : [el("li", { class: "soft" }, w("web.event.nobody"))]));
  for (const button of document.querySelectorAll("#actions [data-do]")) {
    const pressed = { real: event.verdict === "real", fine: event.verdict === "fine", lock: event.locked }[button.dataset.do];
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
  }
}

function film() {
  const screen = $("#screen");
  screen.replaceChildren();
  if (event.has.clip) screen.append(el("video", { src: `/api/events/${id}/clip.mp4`, controls: true, playsinline: true, poster: event.has.snapshot ? `/api/events/${id}/snapshot.jpg` : null }));
  else if (event.has.snapshot) screen.append(el("img", { src: `/api/events/${id}/snapshot.jpg`, alt: w("web.event.picture") }));
  else screen.append(el("div", { class: "dark" }, w("web.event.gone")));
}

/** What was measured against its limit, as a bar; the numbers stand beside it for those who cannot see it. */
function gauge(reason) {
  if (!(reason.limit > 0) || reason.measured === null) return el("div");
  const whole = Math.max(reason.measured, reason.limit) * 1.25, percent = (value) => `${Math.min(100, (100 * value) / whole)}%`;
  const fill = el("div", { class: "fill" }), limit = el("div", { class: "limit" });
  fill.style.width = percent(reason.measured);
  limit.style.left = percent(reason.limit);
  const unit = reason.unit ? ` ${w(`web.unit.${reason.unit}`).replace(/^web\.unit\./, "")}` : "";
  return el("div", { class: "gauge" }, el("div", { class: "track" }, fill, limit), el("p", {}, el("span", {}, `${w("web.event.measured")} ${number(reason.measured)}${unit}`), el("span", {}, `${w("web.event.limit")} ${number(reason.limit)}${unit}`)));
}

function track() {
  const box = $("#track");
  if (!event.track?.length) { box.replaceChildren(el("p", { class: "soft" }, w(event.subject.length ? "web.event.notrack" : "web.event.scene"))); return; }
  const canvas = el("canvas", event.has.snapshot ? { "aria-hidden": "true" } : { role: "img", "aria-label": w("web.event.track") }), image = el("img", { src: event.has.snapshot ? `/api/events/${id}/snapshot.jpg` : null, alt: w("web.event.track") });
  const [wide, tall] = event.size ?? [16, 9];
  const screen = el("div", { class: "screen" }, event.has.snapshot ? image : null, canvas);
  screen.style.aspectRatio = `${wide} / ${tall}`;
  box.replaceChildren(screen);
  const now = event.track.reduce((best, each) => (Math.abs(each[0] - event.start) < Math.abs(best[0] - event.start) ? each : best)); // [t, x, y, w, h]: the foot point
  const frame = [now[1] - now[3] / 2, now[2] - now[4], now[1] + now[3] / 2, now[2]];
  const paint = () => draw(canvas, { size: [wide, tall], tracks: [{ id: event.subject?.[0] ?? "", alert: true, box: frame, trail: event.track.map(([, x, y]) => [x, y]) }] });
  requestAnimationFrame(paint);
  addEventListener("resize", paint);
}

/** Scores around the event, with the line at which it fires: how near other moments came. */
function near() {
  const scores = (event.scores ?? []).filter(([, score]) => score !== null);
  if (scores.length < 2) return el("p", { class: "soft" }, w("web.event.noscores"));
  const [t0, t1] = [scores[0][0], scores.at(-1)[0]], x = (t) => 30 + (560 * (t - t0)) / Math.max(t1 - t0, 1e-6), y = (s) => 110 - 100 * s;
  return el("svg", { viewBox: "0 0 600 130", role: "img", "aria-label": w("web.event.near") },
    el("line", { x1: 30, x2: 590, y1: y(0.5), y2: y(0.5), stroke: "currentColor", "stroke-dasharray": "5 4" }), el("text", { x: 0, y: y(0.5) + 4 }, "0.5"),
    el("polyline", { points: scores.map(([t, s]) => `${x(t)},${y(s)}`).join(" "), fill: "none", stroke: "var(--alarm)", "stroke-width": 2 }),
    el("text", { x: 30, y: 126 }, clock(t0)), el("text", { x: 540, y: 126 }, clock(t1)));
}

async function change(body) { const changed = await attempt(() => api(`/events/${id}`, { method: "PATCH", body }), { done: "web.saved" }); if (changed) look(); }
$("#actions").addEventListener("click", async ({ target }) => {
  const what = target.closest("[data-do]")?.dataset.do;
  if (what === "real" || what === "fine") change({ reviewed: true, verdict: event.verdict === what ? "" : what });
  if (what === "lock") change({ locked: !event.locked });
  if (what === "export") {
    const answer = await attempt(() => api("/events/export", { method: "POST", body: { ids: [id] }, raw: true }));
    if (answer) { const url = URL.createObjectURL(await answer.blob()); el("a", { href: url, download: `pahara-${id}.zip` }).click(); }
  }
});
$("#note")?.addEventListener("submit", (submit) => { submit.preventDefault(); change({ note: $("#words").value }); });
whenSpoken(look);
// What goes on now is followed until its clip is there.
setInterval(() => { if (event && !document.hidden && (event.end === null || (!event.has.clip && Date.now() / 1000 - event.end < 120))) look(); }, 3000);
