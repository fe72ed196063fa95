// What every page needs: words, requests, theme, language, messages, and the stream of news.

export const boot = JSON.parse(document.getElementById("boot").textContent);
export const me = boot.me;
export let language = boot.language;
let words = {};
const watchers = new Set();

export const may = (power) => Boolean(me && me.powers.includes(power));
export const $ = (selector, root = document) => root.querySelector(selector);

/** An element: el("p", {class: "soft", onclick: f}, "text", child …). Text is never parsed as HTML. */
export function el(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "circle", "rect", "line", "polyline", "polygon", "g", "text", "title"].includes(name) && attributes.ns !== "html";
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false || key === "ns") continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && !svg && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The words of a key in the reader's language, with {values} filled in. */
export function w(key, values = {}) {
  const told = words[key] ?? key;
  return told.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The words of a key, or undefined where nobody wrote any. */
export const known = (key) => words[key];

/** n things: `key.one` for one of them. */
export const counted = (key, n) => w(n === 1 && `${key}.one` in words ? `${key}.one` : key, { n });

/** Call now and again whenever the language changes. */
export function whenSpoken(render) {
  watchers.add(render);
  if (Object.keys(words).length) render();
}

async function speak(next) {
  const answer = await fetch(`/words/${next}.json`);
  if (!answer.ok) return;
  words = await answer.json();
  language = next;
  document.documentElement.lang = next;
  document.title = `${w(boot.title)} · Pahara`;
  for (const each of document.querySelectorAll("[data-w]")) each.textContent = w(each.dataset.w);
  for (const name of ["aria-label", "placeholder", "title"]) {
    for (const each of document.querySelectorAll(`[data-w-${name}]`)) each.setAttribute(name, w(each.getAttribute(`data-w-${name}`)));
  }
  for (const each of document.querySelectorAll("[data-language]")) each.setAttribute("aria-pressed", String(each.dataset.language === next));
  for (const render of watchers) render();
}

export class Refused extends Error {
  constructor(status, detail, answer) { super(typeof detail === "string" ? detail : "refused"); this.status = status; this.detail = detail; this.answer = answer; }
}

/** A request to the API -> its JSON, null for no content; Refused with the server's own words. */
export async function api(path, { method = "GET", body, signal, raw = false } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && me) headers["x-csrf-token"] = me.csrf;
  const spoken = `${path}${path.includes("?") ? "&" : "?"}lang=${language}`; // what is told follows the toggle at once
  const answer = await fetch(`/api${spoken}`, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401 && me) { location.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`; }
  if (!answer.ok) {
    let detail = answer.statusText;
    try { detail = (await answer.json()).detail; } catch { /* no JSON: the status line says it */ }
    throw new Refused(answer.status, detail, answer);
  }
  if (raw) return answer;
  return answer.status === 204 ? null : answer.json();
}

/** Do something for the user; what goes wrong is told, in words. */
export async function attempt(work, { done } = {}) {
  try {
    const made = await work();
    if (done) toast(w(done));
    return made;
  } catch (problem) {
    if (problem.name === "AbortError") return undefined;
    toast(problem instanceof Refused ? told(problem) : w("web.offline"), true);
    return undefined;
  }
}

export function told(problem) {
  const key = `web.wrong.${problem.detail}`;
  if (typeof problem.detail === "string" && key in words) return w(key);
  if (Array.isArray(problem.detail)) return problem.detail.map((each) => `${each.where.slice(1).join(" › ")}: ${each.what}`).join("\n");
  if (problem.detail?.problems) return problem.detail.problems.map((each) => `${each.said} ${each.hint}`.trim()).join("\n");
  return problem.status === 403 ? w("web.nothing.forbidden") : String(problem.detail);
}

export function toast(said, bad = false, link = null) {
  const made = el("div", { class: bad ? "toast bad" : "toast" }, link ? el("a", { href: link }, said) : el("span", {}, said), bad ? el("button", { type: "button", "aria-label": w("web.close"), onclick: () => made.remove() }, "✕") : null);
  const place = $(bad ? "#alarms" : "#toasts");
  while (place.children.length >= 3) place.firstChild.remove(); // a storm of news leaves the page usable
  place.append(made);
  setTimeout(() => made.remove(), bad ? 9000 : 5000);
}

export const locale = () => (language === "bn" ? "bn-BD-u-nu-latn" : "en-GB");
export const clock = (utc) => new Date(utc * 1000).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
export const date = (utc) => new Date(utc * 1000).toLocaleDateString(locale(), { weekday: "short", day: "numeric", month: "short" });
export const number = (value, digits = 1) => Number(value).toLocaleString(locale(), { maximumFractionDigits: digits });
export const today = () => { const d = new Date(); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`; };
export function span(seconds) {
  if (seconds < 90) return w("web.seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return w("web.minutes", { n: Math.round(seconds / 60) });
  return w("web.hours", { n: number(seconds / 3600) });
}
export const stateOf = (state) => el("span", { class: `state ${{ watching: "", starting: "warn", stalled: "warn" }[state] ?? "bad"}` }, w(`web.state.${state}`));

/** Ask in a dialog of the page: what was typed (or true, where nothing is to be typed), or null. */
export function ask(said, { input = null, action = "web.save", alarm = false } = {}) {
  return new Promise((done) => {
    const field = input && el("input", { required: true, ...input }), box = el("dialog", { class: "ask", "aria-label": said });
    let answer = null;
    box.append(el("form", { onsubmit: (event) => { event.preventDefault(); answer = field ? field.value : true; box.close(); } },
      field ? el("label", {}, said, field) : el("p", {}, said),
      el("div", { class: "actions" }, el("button", { class: alarm ? "alarm" : "main" }, w(action)), el("button", { type: "button", onclick: () => box.close() }, w("web.cancel")))));
    box.addEventListener("close", () => { box.remove(); done(answer); });
    document.body.append(box);
    box.showModal();
  });
}

/** News from the server: on("event", f), on("camera", f) …; it comes back by itself after a break. */
let source = null;
const handlers = [];
function listen() {
  source = new EventSource("/api/stream");
  for (const [kind, handler] of handlers) source.addEventListener(kind, handler);
}
export function on(kind, handler) {
  const taken = [kind, (message) => handler(JSON.parse(message.data))];
  handlers.push(taken);
  if (source) source.addEventListener(...taken); else listen();
}
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted && source) listen(); });

// --- theme, language ---

$("#theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});
for (const each of document.querySelectorAll("[data-language]")) {
  each.addEventListener("click", async () => {
    document.cookie = `pahara_language=${each.dataset.language}; path=/; max-age=31536000; samesite=strict`;
    await speak(each.dataset.language);
    if (me) api("/me", { method: "PATCH", body: { language: each.dataset.language } }).catch(() => {});
  });
}
await speak(language);

// An alarm is told on whatever page one is (the review page shows it itself); outside the page only where this browser was told so.
export const wish = (name) => localStorage.getItem(`tell.${name}`) === "on";
export const setWish = (name, value) => localStorage.setItem(`tell.${name}`, value ? "on" : "off");
/** Two short tones; silent where the browser wants a click first. */
export async function chime() {
  try {
    const audio = new AudioContext(), volume = audio.createGain();
    await audio.resume();
    volume.connect(audio.destination);
    volume.gain.setValueAtTime(0.12, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    for (const [pitch, at] of [[880, 0], [660, 0.22]]) { const tone = audio.createOscillator(); tone.frequency.value = pitch; tone.connect(volume); tone.start(audio.currentTime + at); tone.stop(audio.currentTime + at + 0.2); }
    setTimeout(() => audio.close(), 1500);
  } catch { /* no sound here */ }
}
export function announce(event) {
  if (event.end !== null) return; // its beginning was told
  if (location.pathname !== "/review") toast(`${event.title} · ${event.camera_name}`, true, `/events/${event.id}`);
  if (wish("sound")) chime();
  if (!wish("show") || !("Notification" in window) || Notification.permission !== "granted" || (!document.hidden && document.hasFocus())) return;
  try {
    const shown = new Notification(`${event.title} · ${event.camera_name}`, { body: `${clock(event.start)} · ${event.reason.text}`, tag: event.id, icon: "/static/icon.svg", lang: language });
    shown.addEventListener("click", () => { focus(); location.href = `/events/${event.id}`; });
  } catch { /* phones want a service worker for this; the page itself still tells */ }
}
if (me && may("watch")) on("event", announce);
