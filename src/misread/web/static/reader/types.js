/**
 * What the server and the page say to each other. Nothing here tells a label, a prediction, a stratum,
 * a position in the dataset or a file name: whoever reads must not know them.
 *
 * @typedef {object} Choice
 * @property {string} name Name of the class.
 * @property {string} key The key that chooses it, "" where classes are chosen by typing.
 *
 * @typedef {object} Brief Milliseconds of the brief mode.
 * @property {number} fixation
 * @property {number} image
 * @property {number} mask
 * @property {number} answer Time from the image's onset within which an answer counts.
 *
 * @typedef {object} Boot
 * @property {string} base Path of this reader's link.
 * @property {Choice[]} classes
 * @property {Brief | null} brief
 * @property {number} breakEvery Images between breaks.
 * @property {number} undo How many images can be gone back.
 * @property {number} pace Seconds that an answer takes, for a guess of the time.
 *
 * @typedef {object} Trial
 * @property {string} trial An opaque token.
 * @property {"practice" | "reading"} kind
 *
 * @typedef {object} State
 * @property {"welcome" | "reading" | "done"} phase
 * @property {number} done Images answered.
 * @property {number} planned Images to answer.
 * @property {Trial[]} upcoming The next trials, practice first.
 *
 * @typedef {object} Answer
 * @property {string} event Made up by the page: the same event again is the same answer.
 * @property {string} session One opening of the page.
 * @property {string} trial
 * @property {number} attempt 1 for the first answer of this trial, more after undo.
 * @property {string | null} undoes The event that this answer stands in for.
 * @property {number} exposures How often the image had been shown by then; more than 1 after undo.
 * @property {number | null} answer Number of the class; null where time ran out in brief mode.
 * @property {boolean} unsure
 * @property {number} rt Milliseconds from onset to the key.
 * @property {number} onset Milliseconds since 1970 at which the image was painted.
 * @property {boolean} blurred The page lost the focus while the image was shown.
 * @property {Screen} screen
 *
 * @typedef {object} Screen
 * @property {number} width CSS pixels of the window.
 * @property {number} height
 * @property {number} ratio Device pixels per CSS pixel.
 * @property {number} zoom Pinch zoom.
 * @property {number} side CSS pixels of the image's longer side.
 */

export {};
