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
  const spoken = method === "GET" ? `${path}${path.includes("?") ? "&" : "?"}lang=${language}` : path; // what is told follows the toggle at once
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
  return problem.status === 403 ? w("web.nothing.forbidden") : String(problem.detail);
}

export function toast(said, bad = false, link = null) {
  const made = el("div", { class: bad ? "toast bad" : "toast" }, link ? el("a", { href: link }, said) : said);
  $(bad ? "#alarms" : "#toasts").append(made);
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

/** News from the server: on("event", f), on("camera", f) …; it comes back by itself after a break. */
let source = null;
const handlers = {};
export function on(kind, handler) {
  (handlers[kind] ??= []).push(handler);
  if (!source) {
    source = new EventSource("/api/stream");
    addEventListener("pagehide", () => source.close());
  }
  source.addEventListener(kind, (message) => handler(JSON.parse(message.data)));
}

// --- theme, language ---

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
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

// An alarm is told on whatever page one is; the review page tells it itself.
if (me && may("watch") && location.pathname !== "/review") {
  on("event", (event) => { if (event.phase === "began") toast(`${event.title} · ${event.camera_name}`, true, `/events/${event.id}`); });
}
