/** What networks with a decoder think they saw in an image: beside it, as the classes in doubt. */

import { imageAddress } from "./api.js";
import { add, make, nameOf, shown } from "./dom.js";

/**
 * @typedef {import("./types.js").Details} Details
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").Reconstruction} Reconstruction
 */

/**
 * The drawings of each network, those of the view's model first.
 * @param {Details} details
 * @param {Boot} boot
 * @param {string | null} run
 * @returns {HTMLElement[]}
 */
export function drawings(details, boot, run) {
  return [...details.reconstructions]
    .sort((a, b) => Number(b.run === run) - Number(a.run === run))
    .map((one) => ofNetwork(one, details, boot));
}

/**
 * @param {Reconstruction} one
 * @param {Details} details
 * @param {Boot} boot
 */
function ofNetwork(one, details, boot) {
  const box = make("div", { class: "network" }, make("bdi", { class: "run" }, one.run));
  const { split, index, given } = details;
  if (one.drawn) {
    const row = make("div", { class: "drawings" });
    const address = imageAddress(split, index, "full", boot.study.id);
    row.append(picture(address, "", "The image"));
    const name = boot.classes[given];
    row.append(picture(drawn(one, details, "given"), `Drawn as ${shown(name)}`, "As ", name));
    if (one.predicted !== given) {
      const read = boot.classes[one.predicted];
      row.append(picture(drawn(one, details, "predicted"), `Drawn as ${shown(read)}`, "As ", read));
    }
    box.append(row);
  }
  box.append(told(one, details, boot));
  if (!one.drawn) {
    const command = `misread reconstruct --model ${one.run} --split ${split} --index ${index}`;
    box.append(make("p", { class: "quiet" }, "Not drawn yet: ", make("code", {}, command)));
  }
  return box;
}

/**
 * @param {Reconstruction} one
 * @param {Details} details
 * @param {"given" | "predicted"} role
 */
function drawn(one, details, role) {
  const asked = new URLSearchParams({ run: one.run, role });
  return `/drawing/${encodeURIComponent(details.split)}/${details.index}?${asked}`;
}

/**
 * @param {string} address
 * @param {string} alt
 * @param {string} caption
 * @param {string} [name] Of a class, after the caption.
 */
function picture(address, alt, caption, name) {
  const image = make("img", { src: address, alt, class: "drawing" });
  image.addEventListener("load", () => image.classList.toggle("pixels", image.naturalWidth <= 64));
  const words = make("figcaption", {}, caption);
  if (name !== undefined) add(words, nameOf(name, "strong"));
  return make("figure", {}, image, words);
}

/**
 * The errors in a sentence.
 * @param {Reconstruction} one
 * @param {Details} details
 * @param {Boot} boot
 */
function told(one, details, boot) {
  const line = make("p", { class: "quiet" }, `Error ${one.error_given.toFixed(3)} as `);
  add(line, nameOf(boot.classes[details.given]));
  if (one.predicted !== details.given) {
    add(line, `, ${one.error_predicted.toFixed(3)} as `, nameOf(boot.classes[one.predicted]));
  }
  const worse = 100 * (1 - one.share_better);
  const share = worse < 0.1 ? "<0.1" : worse.toFixed(worse < 10 ? 1 : 0);
  add(line, `. ${share}% of ${details.split} is drawn worse.`);
  return line;
}
