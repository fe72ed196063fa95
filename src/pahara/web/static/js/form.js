// A form for an object of the configuration, made from its JSON schema: what is too deep for a form stays in the text.
import { el, w } from "./app.js";

/** Follow references and take the simple branch of a choice, if there is one. */
export function simple(schema, definitions = {}) {
  let told = schema;
  for (let i = 0; i < 5 && told; i++) {
    if (told.$ref) told = { ...definitions[told.$ref.split("/").pop()], ...Object.fromEntries(Object.entries(told).filter(([key]) => key !== "$ref")) };
    else if (told.allOf?.length === 1) told = { ...told, ...told.allOf[0], allOf: undefined };
    else if (told.anyOf) {
      const branches = told.anyOf.filter((each) => each.type !== "null"), plain = branches.map((each) => simple(each, definitions)).find((each) => each && ["number", "integer", "boolean", "string"].includes(each.type) | Boolean(each?.enum));
      if (!plain) return null;
      return { ...plain, description: told.description ?? plain.description, default: told.default ?? plain.default, nullable: branches.length < told.anyOf.length };
    } else break;
  }
  return told;
}

/** The inputs of one object. change(name, value): undefined takes the default again. */
export function fields(schema, value, change, { skip = [], choices = {}, definitions = {}, words = (name) => name } = {}) {
  const made = [];
  for (const [name, raw] of Object.entries(schema.properties ?? {})) {
    if (skip.includes(name)) continue;
    const told = simple(raw, definitions);
    if (!told) continue;
    const now = value?.[name], about = told.description ?? "", hint = told.default !== undefined && told.default !== null ? String(told.default) : "";
    let input;
    const options = choices[name] ?? told.enum;
    if (options) input = el("select", { onchange: () => change(name, input.value === "" ? undefined : options.find((each) => String(each) === input.value)) }, (schema.required ?? []).includes(name) ? null : el("option", { value: "" }, hint ? `(${hint})` : w("web.settings.default")), ...options.map((each) => el("option", { value: String(each), selected: each === now }, String(each))));
    else if (told.type === "boolean") input = el("input", { type: "checkbox", checked: Boolean(now ?? told.default), onchange: () => change(name, input.checked) });
    else if (told.type === "number" || told.type === "integer") input = el("input", { type: "number", step: told.type === "integer" ? "1" : "any", min: told.minimum ?? told.exclusiveMinimum, max: told.maximum, value: now === undefined || now === null ? "" : String(now), placeholder: hint, onchange: () => change(name, input.value === "" ? (told.nullable ? null : undefined) : Number(input.value)) });
    else if (told.type === "string") input = el("input", { value: now === undefined || now === null || typeof now === "object" ? "" : String(now), placeholder: hint, readOnly: typeof now === "string" && now.includes("***"), onchange: () => change(name, input.value === "" ? undefined : input.value) });
    else continue;
    made.push(el("label", { class: input.type === "checkbox" ? "switch" : "" }, input.type === "checkbox" ? null : words(name), input, input.type === "checkbox" ? words(name) : null, el("small", {}, about)));
  }
  return el("div", { class: "fields" }, ...made);
}
