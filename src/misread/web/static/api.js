/** Requests to the server of this page, and whether it answers at all. */

/** @typedef {import("./types.js").Boot} Boot */

/** The server doesn't answer, or fails: worth another try. */
export class GoneError extends Error {}

/** The server says no, and why; the same request would be refused again. */
export class RefusedError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   * @param {string} [code]
   */
  constructor(message, status, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * The server. Emits `up` and `down` when that changes.
 */
export class Api extends EventTarget {
  #token;

  /** @param {Boot} boot */
  constructor(boot) {
    super();
    this.#token = boot.token;
    this.study = boot.study.id;
    this.up = true;
  }

  /**
   * Get JSON.
   * @param {string} path
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async get(path, signal) {
    const response = await this.#send(path, { signal });
    return this.#read(() => response.json());
  }

  /**
   * Get a picture.
   * @param {string} path
   * @param {AbortSignal} [signal]
   * @returns {Promise<Blob>}
   */
  async picture(path, signal) {
    const response = await this.#send(path, { signal });
    return this.#read(() => response.blob());
  }

  /**
   * Post JSON; with a new token if the server was started anew.
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   */
  async post(path, body) {
    try {
      return await this.#post(path, body);
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== "token") throw error;
      await this.#renew();
      return this.#post(path, body);
    }
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  async #post(path, body) {
    const response = await this.#send(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Misread-Token": this.#token },
      body: JSON.stringify(body),
    });
    return this.#read(() => response.json());
  }

  async #renew() {
    const boot = await this.get("/api/boot");
    if (boot.study.id !== this.study) {
      // Another study answers at this address: its images are not those that were judged here.
      throw new GoneError("another study is open at this address");
    }
    this.#token = boot.token;
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   */
  async #send(path, options) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#note(false);
      throw new GoneError("the server doesn't answer");
    }
    this.#note(true);
    if (response.status >= 500) throw new GoneError(`the server failed with ${response.status}`);
    if (!response.ok) {
      const said = await response.json().catch(() => ({}));
      const message = said.error || `the server refused it with ${response.status}`;
      throw new RefusedError(message, response.status, said.code);
    }
    return response;
  }

  /**
   * The body may break off too.
   * @template T
   * @param {() => Promise<T>} read
   * @returns {Promise<T>}
   */
  async #read(read) {
    try {
      return await read();
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#note(false);
      throw new GoneError("the server's answer broke off");
    }
  }

  /** @param {boolean} up */
  #note(up) {
    if (up === this.up) return;
    this.up = up;
    this.dispatchEvent(new Event(up ? "up" : "down"));
  }
}

/**
 * Whether a request was given up by the page itself.
 * @param {unknown} error
 */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * Where an image is to be had; with the study's id in it, for as long as the browser likes.
 * @param {string} split
 * @param {number} index
 * @param {"thumb" | "full"} size
 * @param {string} study
 */
export function imageAddress(split, index, size, study) {
  const version = encodeURIComponent(study);
  return `/image/${encodeURIComponent(split)}/${index}?size=${size}&v=${version}`;
}
