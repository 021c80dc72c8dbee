/** Vehicles that lie close together, gathered by the squares of a grid that is fixed to the ground. */

import { STATES } from "./fleet.js";

/** Side of a square [px at whole and half levels]; so few stay single. */
const SQUARE = 72;
const FEW = 2;
const KINDS = STATES.length;

export class Clusters {
  #slots = new Map();

  constructor() {
    this.size = 0;
    this.#allocate(256);
  }

  #allocate(capacity) {
    const grown = (Kind, name, width = 1) => {
      const array = new Kind(capacity * width);
      if (this[name]) array.set(this[name]);
      this[name] = array;
    };
    for (const name of ["x", "y"]) grown(Float64Array, name);
    for (const name of ["count", "alarms", "single"]) grown(Int32Array, name);
    grown(Int32Array, "states", KINDS);
    this.capacity = capacity;
  }

  begin(zoom) {
    this.#slots.clear();
    this.size = 0;
    this.cells = (512 * 2 ** (Math.floor(zoom * 2) / 2)) / SQUARE;
  }

  /** Vehicle `n` of some state at a place of Web Mercator. */
  add(n, x, y, state, alarmed) {
    const key = Math.floor(x * this.cells) * 67_108_864 + Math.floor(y * this.cells);
    let slot = this.#slots.get(key);
    if (slot === undefined) slot = this.#begin(key, n);
    this.x[slot] += x;
    this.y[slot] += y;
    this.count[slot] += 1;
    this.alarms[slot] += alarmed;
    this.states[slot * KINDS + state] += 1;
  }

  #begin(key, n) {
    const slot = this.size++;
    if (slot >= this.capacity) this.#allocate(this.capacity * 2);
    this.#slots.set(key, slot);
    this.x[slot] = this.y[slot] = this.count[slot] = this.alarms[slot] = 0;
    this.states.fill(0, slot * KINDS, (slot + 1) * KINDS);
    this.single[slot] = n;
    return slot;
  }

  /** Whether a square is drawn as one sign with a number. */
  joined(slot) {
    return this.count[slot] >= FEW;
  }
}

/** Radius of the sign of so many vehicles [px]. */
export const radiusOf = (count) => Math.min(30, 13 + 3.2 * Math.log2(count));
