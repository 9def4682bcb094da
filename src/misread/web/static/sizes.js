/** How large tiles are, and how many lie side by side. */

import { Layout, exactSize } from "./layout.js";

/** Sizes to choose from: CSS pixels across a tile's image, about. */
export const SIZES = [56, 84, 112, 168, 224];

/** Height of a group's header, where it stands above the group, at the usual size of text. */
export const HEADER = 44;
/** Above and below all tiles. */
export const PADDING = 12;
const GAP = 10;
const GROUP_GAP = 14;
/** Width of the margin where a group's name stands beside it, for short and long names; likewise. */
const MARGIN = { short: 84, long: 156 };
/** Below this width there is no room for a margin. */
const ROOMY = 700;
/** Height of a caption of one line and of two; likewise. */
const CAPTION = { short: 22, long: 38 };
/** A tile is never narrower: fingers must hit it, and a caption fit; likewise. */
const NARROWEST = 52;

/**
 * Whether names of classes are short enough for captions of one line.
 * @param {string[]} classes
 * @returns {"short" | "long"}
 */
export function captionsFor(classes) {
  return classes.every((name) => [...name].length <= 3) ? "short" : "long";
}

/**
 * Lay a view out.
 * @param {import("./source.js").Source} source
 * @param {{width: number, size: number, captions: "short" | "long", ratio: number,
 *   text?: number}} room Width in CSS pixels, a place in `SIZES`, the screen's pixels in one CSS
 *   pixel, and how much larger than usual text is.
 */
export function arrangeTiles(source, { width, size, captions, ratio, text = 1 }) {
  const image = imageSize(source.cell, SIZES[size], ratio);
  const across = Math.max(image.width, NARROWEST * text);
  const caption = CAPTION[captions] * text;
  const padding = width < 600 ? 12 : 20;
  const { groups } = source.view;
  const grouped = groups.length > 0 && groups[0].key !== null;
  // Where there is room, a group of a few images is one line, not two.
  const beside = grouped && width >= ROOMY * text;
  const margin = beside ? MARGIN[captions] * text : 0;
  const columns = Math.max(1, Math.floor((width - 2 * padding - margin + GAP) / (across + GAP)));
  const layout = new Layout(groups, {
    columns,
    rowHeight: Math.ceil(image.height + caption + GAP),
    headerHeight: grouped && !beside ? HEADER * text : 0,
    padding: PADDING,
    gap: grouped ? GROUP_GAP : 0,
  });
  return {
    layout,
    beside,
    data: {
      captions,
      groups: beside ? "beside" : "above",
      room: across < 70 * text ? "little" : "enough",
    },
    style: {
      "--group-margin": margin,
      "--grid-padding": padding,
      "--image-width": image.width,
      "--image-height": image.height,
      "--tile-width": across,
      "--tile-height": image.height + caption,
      "--tile-gap": GAP,
    },
  };
}

/**
 * @param {[number, number] | null} cell
 * @param {number} wanted
 * @param {number} ratio
 */
function imageSize(cell, wanted, ratio) {
  if (!cell) return { width: wanted, height: wanted };
  const longest = Math.max(...cell);
  const scale = exactSize(longest, wanted, ratio) / longest;
  return { width: cell[0] * scale, height: cell[1] * scale };
}

/** How much larger than the usual 16 pixels the text of this browser is. */
export function textScale() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/**
 * Whether the window is narrower than this at the usual size of text: as style sheets count it.
 * @param {number} width
 */
export function narrowerThan(width) {
  return matchMedia(`(width < ${width / 16}em)`).matches;
}

/**
 * Say when the screen has another number of pixels in a CSS pixel: the window went to another
 * screen, or the page is zoomed.
 * @param {() => void} changed
 */
export function watchRatio(changed) {
  const current = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
  const next = () => {
    changed();
    watchRatio(changed);
  };
  current.addEventListener("change", next, { once: true });
}
