// A camera's picture with what Pahara sees drawn over it, in the browser: the pictures themselves stay as they are.
import { api, el, span, w } from "./app.js";

/** Draw zones, lines, boxes and trails (fractions of the picture) on a canvas that lies over a picture of `size`. */
export function draw(canvas, told, { boxes = true } = {}) {
  const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, tall = canvas.clientHeight;
  canvas.width = wide * ratio; canvas.height = tall * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.clearRect(0, 0, wide, tall);
  if (!told || !told.size || !told.size[0]) return;
  const scale = Math.min(wide / told.size[0], tall / told.size[1]);
  const w = told.size[0] * scale, h = told.size[1] * scale, left = (wide - w) / 2, top = (tall - h) / 2;
  const at = ([x, y]) => [left + x * w, top + y * h];
  pen.font = "600 12px system-ui, sans-serif"; pen.lineJoin = "round";
  for (const [name, corners] of Object.entries(told.zones ?? {})) {
    pen.beginPath(); corners.map(at).forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y))); pen.closePath();
    pen.fillStyle = "#f5d76e22"; pen.strokeStyle = "#f5d76ecc"; pen.lineWidth = 1.5; pen.fill(); pen.stroke();
    label(pen, name, ...at(corners[0]), "#f5d76e");
  }
  for (const [name, line] of Object.entries(told.lines ?? {})) {
    const [a, b] = [at(line.from), at(line.to)];
    pen.beginPath(); pen.moveTo(...a); pen.lineTo(...b); pen.strokeStyle = "#8fd0f0"; pen.lineWidth = 2; pen.stroke();
    label(pen, name, ...a, "#8fd0f0");
  }
  for (const track of boxes ? told.tracks ?? [] : []) {
    const colour = track.alert ? "#ff7a50" : "#3ecf9e";
    pen.strokeStyle = colour; pen.lineWidth = track.alert ? 3 : 2; pen.setLineDash(track.seen === false ? [5, 4] : []);
    const [x1, y1] = at([track.box[0], track.box[1]]), [x2, y2] = at([track.box[2], track.box[3]]);
    pen.strokeRect(x1, y1, x2 - x1, y2 - y1); pen.setLineDash([]);
    if (track.trail?.length > 1) { pen.beginPath(); track.trail.map(at).forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y))); pen.globalAlpha = .7; pen.stroke(); pen.globalAlpha = 1; }
    label(pen, `${track.alert ? "▲ " : ""}#${track.id}`, x1, y1, colour);
  }
}

function label(pen, text, x, y, colour) {
  const width = pen.measureText(text).width + 8;
  pen.fillStyle = "#0b0f0ecc"; pen.fillRect(x, y - 17, width, 16);
  pen.fillStyle = colour; pen.fillText(text, x + 4, y - 5);
}

/** Pictures of one camera, one after the other for as long as it is on the screen: short requests, so that any number fit on a wall. */
export class Screen {
  constructor(key, { width = 640, fps = 2, overlays = true } = {}) {
    Object.assign(this, { key, width, fps, overlays, past: [], on: false, inSight: false, ready: false });
    this.image = el("img", { alt: "" });
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.dark = el("div", { class: "dark", hidden: true });
    this.element = el("div", { class: "screen" }, this.image, this.canvas, this.dark);
    new IntersectionObserver(([entry]) => { this.inSight = entry.isIntersecting; this.turn(); }).observe(this.element);
    document.addEventListener("visibilitychange", () => this.turn());
  }
  turn() { const wanted = this.inSight && !document.hidden; if (wanted && !this.on) { this.on = true; this.loop(); } else if (!wanted) this.on = false; }
  /** How the camera is: what is said instead of a picture, and whether there is a picture to ask for. */
  told(camera, words) {
    this.ready = camera.size[0] > 0;
    this.image.hidden = !this.ready;
    if (!this.ready && !words) words = w(`web.state.${camera.state}`);
    this.dark.textContent = words;
    this.dark.hidden = !words;
  }
  async loop() {
    while (this.on && this.element.isConnected) {
      const began = performance.now();
      let pause = 1000 / this.fps;
      try {
        if (this.ready) await this.show();
      } catch { pause = 3000; /* the state of the camera is told beside its picture */ }
      await new Promise((go) => setTimeout(go, Math.max(40, pause - (performance.now() - began))));
    }
    this.on = false;
  }
  /** A detector needs a moment: of the last pictures the one that it saw, so that boxes stand on those whom they mean. */
  matching(newest, told) {
    this.past = [...this.past, newest].slice(-8);
    if (!told?.time || newest.time - told.time > 3) return newest.blob; // nobody looked lately
    return this.past.reduce((best, each) => (Math.abs(each.time - told.time) < Math.abs(best.time - told.time) ? each : best)).blob;
  }
  async show() {
    const path = `/cameras/${encodeURIComponent(this.key)}`;
    const [picture, told] = await Promise.all([api(`${path}/latest.jpg?width=${this.width}`, { raw: true }), this.overlays ? api(`${path}/overlay`) : null]);
    const blob = this.matching({ time: Number(picture.headers.get("x-picture-time")), blob: await picture.blob() }, told);
    const url = URL.createObjectURL(blob), old = this.image.src;
    this.image.src = url;
    await this.image.decode().catch(() => {});
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    if (told?.size?.[0]) this.element.style.aspectRatio = `${told.size[0]} / ${told.size[1]}`;
    draw(this.canvas, this.overlays ? told : null);
  }
}

/** What is said over the picture of a camera that gives none. */
export function trouble(camera) {
  if (!["offline", "failed", "stalled", "disabled", "stopped"].includes(camera.state)) return "";
  const away = camera.blind ? ` · ${span(Date.now() / 1000 - camera.blind)}` : "";
  return `${w(`web.state.${camera.state}`)}${away}\n${camera.why ?? ""}`.trim();
}
