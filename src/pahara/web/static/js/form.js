// A form for an object of the configuration, made from its JSON schema: what is too deep for a form stays in the text.
import { el, known, w } from "./app.js";

const PLAIN = ["number", "integer", "boolean", "string"];

/** Follow references and take the simple branch of a choice, if there is one. */
export function simple(schema, definitions = {}) {
  let told = schema;
  for (let i = 0; i < 5 && told; i++) {
    if (told.$ref) told = { ...definitions[told.$ref.split("/").pop()], ...Object.fromEntries(Object.entries(told).filter(([key]) => key !== "$ref")) };
    else if (told.allOf?.length === 1) told = { ...told, ...told.allOf[0], allOf: undefined };
    else if (told.anyOf) {
      const branches = told.anyOf.filter((each) => each.type !== "null");
      const words = branches.find((each) => each.type === "array" && each.items?.type === "string");
      if (words) return { ...words, description: told.description, default: told.default, nullable: branches.length < told.anyOf.length };
      const plain = branches.map((each) => simple(each, definitions)).find((each) => each && (PLAIN.includes(each.type) || each.enum));
      if (!plain) return null;
      return { ...plain, description: told.description ?? plain.description, default: told.default ?? plain.default, nullable: branches.length < told.anyOf.length };
    } else break;
  }
  return told;
}

/** In the reader's language: the first of `web.field.behaviour.loitering.seconds`, `web.field.behaviour.seconds` … that there is. */
function first(what, at, name) { for (const each of at) { const told = known(`web.${what}.${each ? `${each}.` : ""}${name}`); if (told) return told; } return null; }
export const titled = (at, name) => first("field", at, name) ?? name;
export const explained = (at, name, description) => first("about", at, name) ?? description ?? "";
const named = (value) => known(`web.choice.${value}`) ?? String(value);

/** From and to, for the one schedule that most people want; more of them stay in the text. */
function hours(name, now, change) {
  if (Array.isArray(now) && now.length > 1) return null;
  const told = (Array.isArray(now) ? now[0] : now) ?? {}, time = (value) => el("input", { type: "time", value, onchange: send });
  const from = time(told.from ?? ""), to = time(told.to === "24:00" ? "00:00" : told.to ?? "");
  function send() { change(name, from.value || to.value ? { ...(told.days ? { days: told.days } : {}), from: from.value || "00:00", to: to.value && to.value !== "00:00" ? to.value : "24:00" } : undefined); }
  return [el("label", {}, w("web.field.from"), from), el("label", {}, w("web.field.to"), to, el("small", {}, w("web.about.schedule")))];
}

/** The inputs of one object. change(name, value): undefined takes the default again. `at`: where its words stand, the nearest first. */
export function fields(schema, value, change, { skip = [], choices = {}, definitions = {}, at = [""] } = {}) {
  const made = [];
  for (const [name, raw] of Object.entries(schema.properties ?? {})) {
    if (skip.includes(name)) continue;
    const now = value?.[name];
    if (name === "schedule") { made.push(...(hours(name, now, change) ?? [])); continue; }
    const told = simple(raw, definitions);
    if (!told) continue;
    const hint = told.default === undefined || told.default === null || told.default === "" ? "" : String(told.default), options = choices[name] ?? told.enum;
    let input;
    if (options) input = el("select", { onchange: () => change(name, input.value === "" ? undefined : options.find((each) => String(each) === input.value)) }, (schema.required ?? []).includes(name) ? null : el("option", { value: "" }, hint ? `(${named(told.default)})` : `(${w("web.settings.default")})`), ...options.map((each) => el("option", { value: String(each), selected: each === now }, named(each))));
    else if (told.type === "boolean") input = el("input", { type: "checkbox", checked: Boolean(now ?? told.default), onchange: () => change(name, input.checked) });
    else if (told.type === "number" || told.type === "integer") input = el("input", { type: "number", step: told.type === "integer" ? "1" : "any", min: told.minimum ?? told.exclusiveMinimum, max: told.maximum, value: now === undefined || now === null ? "" : String(now), placeholder: told.nullable ? "∞" : hint, onchange: () => change(name, input.value === "" ? (told.nullable ? null : undefined) : Number(input.value)) });
    else if (told.type === "string") input = el("input", { type: "text", spellcheck: "false", value: now === undefined || now === null || typeof now === "object" ? "" : String(now), placeholder: hint, readOnly: typeof now === "string" && now.includes("***"), onchange: () => change(name, input.value === "" ? undefined : input.value) });
    else if (told.type === "array" && told.items?.type === "string") input = el("input", { type: "text", spellcheck: "false", value: [now ?? []].flat().join(", "), placeholder: (told.default ?? []).join(", "), onchange: () => { const words = input.value.split(",").map((each) => each.trim()).filter(Boolean); change(name, words.length ? words : undefined); } });
    else continue;
    const title = titled(at, name), box = input.type === "checkbox";
    input.name = [...at.slice(0, 1), name].filter(Boolean).join(".");
    made.push(el("label", { class: box ? "switch" : "" }, box ? null : title, input, box ? el("span", {}, title, el("small", {}, explained(at, name, told.description))) : el("small", {}, explained(at, name, told.description))));
  }
  return el("div", { class: "fields" }, ...made);
}
