/**
 * Building elements. Whatever comes from a server goes in as text or as a property, never as HTML.
 */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes] `class`, `on` (an object of listeners), `style` (an
 *   object of properties), or attributes: false, null and undefined leave one out, true sets it
 *   empty.
 * @param {...Child} children Text is put in as text.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(/** @type {object} */ (value))) {
        element.addEventListener(event, listener);
      }
    } else if (name === "style") {
      // The content security policy forbids style attributes, not the object model.
      for (const [property, setting] of Object.entries(/** @type {object} */ (value))) {
        element.style.setProperty(property, String(setting));
      }
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  add(element, ...children);
  return element;
}

/**
 * Append children; numbers and texts become text nodes, empty ones are left out.
 * @param {Element} parent
 * @param {...Child} children
 */
export function add(parent, ...children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Replace everything in an element.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  add(parent, ...children);
}

/**
 * The element of this id, which must be there.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/**
 * A name from the data, which may run from right to left or be very long: kept apart from the text
 * around it, and whole in its title.
 * @param {string} name
 * @param {string} [className]
 */
export function nameOf(name, className = "name") {
  return make("bdi", { class: className, title: name.length > 12 ? name : null }, shown(name));
}

/**
 * A name as it is shown: an empty one, or one of spaces only, must be seen too.
 * @param {string} name
 */
export function shown(name) {
  return name.trim() === "" ? "(no name)" : name;
}

/** Letters that are read from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

/**
 * A sentence with names in it, each of which is kept from turning the words around it about.
 * @param {string} sentence
 * @param {string[]} names
 */
export function isolate(sentence, names) {
  return names
    .filter((name) => RIGHT_TO_LEFT.test(name))
    .reduce((text, name) => text.replaceAll(name, `\u2068${name}\u2069`), sentence);
}

/**
 * A key of the keyboard.
 * @param {string} key
 */
export function keycap(key) {
  return make("kbd", { "aria-hidden": "true" }, key);
}

const SVG = "http://www.w3.org/2000/svg";

/** Icons as paths on a 16 x 16 field, drawn with a stroke. @type {Record<string, string>} */
const ICONS = {
  undo: "M6.5 3 3 6.5 6.5 10M3.5 6.5H9a4 4 0 0 1 0 8H7",
  redo: "M9.5 3 13 6.5 9.5 10M12.5 6.5H7a4 4 0 0 0 0 8h2",
  close: "M4 4l8 8M12 4l-8 8",
  left: "M10 3 5 8l5 5",
  right: "M6 3l5 5-5 5",
  down: "M4 6l4 4 4-4",
  ascending: "M8 13V3M4 7l4-4 4 4",
  descending: "M8 3v10M4 9l4 4 4-4",
  check: "M3 8.5 6.5 12 13 4.5",
  minus: "M3.5 8h9",
  plus: "M8 3.5v9M3.5 8h9",
  filter: "M2 4h12M4 8h8M6.5 12h3",
  matrix: "M2.5 2.5h11v11h-11zM2.5 6.2h11M2.5 9.8h11M6.2 2.5v11M9.8 2.5v11",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  export: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13h10",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  select: "M3 3h10v10H3zM5.5 8l2 2 3-4",
  warning: "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
  group: "M2.5 3h4M2.5 6.5h11M2.5 10h4M2.5 13.5h11",
};

/**
 * An icon, hidden from assistive technology: what it means stands beside it or in a label.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 16 16",
    width: "16",
    height: "16",
    class: "icon",
    "aria-hidden": "true",
    focusable: "false",
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? "");
  svg.append(path);
  return svg;
}
