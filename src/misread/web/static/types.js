/**
 * Shapes of what the server answers; `web/README.md` describes them. Nothing here runs.
 *
 * @typedef {"model" | "label" | "ambiguous" | "unreadable" | "fine"} Verdict
 *
 * @typedef {{state: "ready" | "pending" | "none", reason: string}} Scores
 *
 * @typedef {{name: string, kind: string, values: [string, number][], distinct: number,
 *   missing: number}} Column
 *
 * @typedef {{images: number, cell: [number, number] | null, scores: Scores,
 *   metadata: Column[]}} SplitInfo
 *
 * @typedef {{version: string, token: string, revision: number, writable: boolean,
 *   study: {id: string, name: string, dataset: string, note: string, path: string},
 *   classes: string[], splits: Record<string, SplitInfo>,
 *   models: {run: string, model: string, split: string, origin: string, created: string}[],
 *   sorts: {key: string, order: "asc" | "desc", needs: null | "model" | "scores"}[],
 *   verdicts: Verdict[], default: {split: string, model: string | null}}} Boot
 *
 * @typedef {{key: number | null, label: string, start: number, count: number}} Group
 *
 * @typedef {{query: string, total: number, of: number, revision: number, model: string | null,
 *   pending: boolean, note: string, scores: Scores, groups: Group[]}} View
 *
 * @typedef {{start: number, revision: number, index: number[], given: number[],
 *   predicted: (number | null)[], p_predicted: (number | null)[], p_given: (number | null)[],
 *   difficulty: (number | null)[], suspicion: (number | null)[], suggested: (Verdict | null)[],
 *   suggested_label: (number | null)[], decided: (Verdict | null)[],
 *   decided_label: (number | null)[]}} TileColumns
 *
 * @typedef {{verdict: Verdict | null, label: number | null}} Decision
 *
 * @typedef {{split: string, index: number, position: number, given: number,
 *   predicted: number | null, pPredicted: number | null, pGiven: number | null,
 *   difficulty: number | null, suspicion: number | null, suggested: Verdict | null,
 *   suggestedLabel: number | null, decided: Decision}} Item
 *
 * @typedef {{run: string, origin: string, predicted: number, p_predicted: number,
 *   p_given: number, top: [number, number][]}} ModelReading
 *
 * @typedef {{run: string, predicted: number, error_given: number, error_predicted: number,
 *   share_better: number, drawn: boolean}} Reconstruction
 *
 * @typedef {{reader: string, answer: number, unsure: boolean, simulated: boolean,
 *   blind: boolean}} Reading
 *
 * @typedef {{split: string, index: number, file: string | null, shape: number[], given: number,
 *   decided: Verdict | null, decided_label: number | null, revision: number,
 *   position: number | null, previous: number | null, next: number | null, total: number,
 *   models: ModelReading[], scores: Scores, difficulty: number | null, suspicion: number | null,
 *   evidence: string | null, suggested: Verdict | null, suggested_label: number | null,
 *   reason: string | null, reconstructions: Reconstruction[],
 *   neighbours: {split: string, index: number, given: number}[],
 *   metadata: [string, string | null][], readings: Reading[]}} Details
 *
 * @typedef {{count: number, total: number, rate: number | null, low: number | null,
 *   high: number | null}} Rate
 *
 * @typedef {{split: string, model: string | null, as_labelled: Rate | null, after: Rate | null,
 *   lowest: Rate | null, highest: Rate | null, decided: number, reviewed_mistakes: number,
 *   reviewed_others: number, mistakes: number, changed_labels: number, unreadable: number,
 *   caution: string, warning: string}} ErrorRates
 */

export {};
