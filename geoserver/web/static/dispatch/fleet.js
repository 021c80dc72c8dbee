/** Vehicles in typed arrays: where each was drawn, where it goes, and until when; so that a frame makes nothing new. */

export const STATES = ["moving", "idle", "parked", "stale", "offline"];
/** Places of a trail that are kept. */
export const TRAIL = 24;
/** Shortest and longest time over which a vehicle glides to its new place [ms]; further than this it jumps [of the world]. */
const [BRIEFEST, LONGEST, JUMP] = [900, 12_000, 2e-5];
const ROUND = Math.PI / 180;

/** Web Mercator within 0…1, from degrees. */
export const mercatorX = (lon) => (lon + 180) / 360;
export const mercatorY = (lat) => (1 - Math.asinh(Math.tan(lat * ROUND)) / Math.PI) / 2;
/** Degrees, from Web Mercator within 0…1. */
export const lonOf = (x) => x * 360 - 180;
export const latOf = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / ROUND;

export class Fleet {
  #places = new Map();
  #free = [];

  constructor(capacity = 1024) {
    this.size = 0;
    /** Counts up when vehicles come, go or are called otherwise. */
    this.membership = 0;
    this.rows = [];
    /** Whether vehicles glide; who wants less motion sees them jump. */
    this.glides = true;
    this.#allocate(capacity);
  }

  #allocate(capacity) {
    const grown = (Kind, name, width = 1) => {
      const array = new Kind(capacity * width);
      if (this[name]) array.set(this[name]);
      this[name] = array;
    };
    for (const name of ["fromX", "fromY", "toX", "toY", "begun", "due", "told"]) grown(Float64Array, name);
    for (const name of ["state", "alarmed", "hidden", "trailLength", "trailAt"]) grown(Uint8Array, name);
    grown(Int16Array, "heading");
    grown(Float64Array, "trail", 2 * TRAIL);
    this.capacity = capacity;
  }

  /** The place in the arrays of a device; undefined where it is not there. */
  at(code) {
    return this.#places.get(code);
  }

  row(code) {
    return this.rows[this.#places.get(code)] ?? null;
  }

  get count() {
    return this.#places.size;
  }

  /** Take what the server tells of a device at `now` [ms]. */
  take(told, now) {
    let n = this.#places.get(told.device);
    const known = n !== undefined;
    if (!known) n = this.#enter(told.device);
    const before = this.rows[n];
    if (!before || before.name !== told.name || before.kind !== told.kind) this.membership += 1;
    this.rows[n] = told;
    this.state[n] = Math.max(0, STATES.indexOf(told.state));
    this.heading[n] = told.heading ?? -1;
    if (typeof told.lon !== "number" || typeof told.lat !== "number") return n;
    this.#move(n, mercatorX(told.lon), mercatorY(told.lat), now, known && before?.lon !== undefined);
    return n;
  }

  #enter(code) {
    const n = this.#free.pop() ?? this.size++;
    if (n >= this.capacity) this.#allocate(this.capacity * 2);
    this.#places.set(code, n);
    for (const name of ["told", "alarmed", "hidden", "trailLength", "trailAt", "begun", "due"]) this[name][n] = 0;
    this.fromX[n] = this.toX[n] = NaN;
    this.rows[n] = null;
    return n;
  }

  /** Glide from where it is drawn now, for as long as its last two reports were apart. */
  #move(n, x, y, now, known) {
    if (known && x === this.toX[n] && y === this.toY[n]) return;
    const apart = Math.min(LONGEST, Math.max(BRIEFEST, now - this.told[n]));
    const far = !this.glides || !known || Number.isNaN(this.toX[n]) || Math.hypot(x - this.toX[n], y - this.toY[n]) > JUMP;
    this.fromX[n] = far ? x : this.x(n, now);
    this.fromY[n] = far ? y : this.y(n, now);
    this.toX[n] = x;
    this.toY[n] = y;
    this.begun[n] = now;
    this.due[n] = now + (far ? 0 : apart);
    this.told[n] = now;
    if (far && this.glides) this.trailLength[n] = 0;
    this.#follow(n, x, y);
  }

  #follow(n, x, y) {
    const at = this.trailAt[n];
    this.trail[2 * (n * TRAIL + at)] = x;
    this.trail[2 * (n * TRAIL + at) + 1] = y;
    this.trailAt[n] = (at + 1) % TRAIL;
    this.trailLength[n] = Math.min(TRAIL, this.trailLength[n] + 1);
  }

  remove(code) {
    const n = this.#places.get(code);
    if (n === undefined) return;
    this.#places.delete(code);
    this.#free.push(n);
    this.rows[n] = null;
    this.toX[n] = NaN;
    this.membership += 1;
  }

  clear() {
    for (const code of [...this.#places.keys()]) this.remove(code);
  }

  /** Where a vehicle is drawn at `now` [ms]; NaN for one without a place. */
  x(n, now) {
    return this.fromX[n] + (this.toX[n] - this.fromX[n]) * this.#part(n, now);
  }

  y(n, now) {
    return this.fromY[n] + (this.toY[n] - this.fromY[n]) * this.#part(n, now);
  }

  #part(n, now) {
    const span = this.due[n] - this.begun[n];
    return span > 0 ? Math.min(1, Math.max(0, (now - this.begun[n]) / span)) : 1;
  }

  /** Whether anything glides still. */
  gliding(now) {
    for (let n = 0; n < this.size; n += 1) if (this.due[n] > now && this.rows[n]) return true;
    return false;
  }

  codes() {
    return [...this.#places.keys()];
  }
}
