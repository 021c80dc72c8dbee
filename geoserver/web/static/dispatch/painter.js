/** What lies about the vehicles' signs: groups, trails, names, the ring of the chosen one; and which signs there are. */

import { Clusters, radiusOf } from "./clusters.js";
import { STATES, TRAIL } from "./fleet.js";
import { COLOURS } from "./sprites.js";

/** Below this level what lies close together is one sign; from these on trails and names are drawn. */
export const APART = 12.5;
const [TRAILS, NAMES] = [13.5, 15];
/** Names in one frame, and how far beyond the edge something is still drawn [px]. */
const [MOST_NAMES, EDGE] = [120, 24];
const STALE = STATES.indexOf("stale");
const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", system-ui, sans-serif';

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.clusters = new Clusters();
    /** What was drawn last: vehicles as single signs, and signs of several. */
    this.drawn = 0;
    this.joined = 0;
    this.#room(1024);
  }

  /** The last place is the chosen one's. */
  #room(capacity) {
    this.seen = new Int32Array(capacity + 1);
    this.places = new Float32Array(2 * capacity + 2);
  }

  resize(width, height, ratio, theme) {
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.colours = COLOURS[theme];
  }

  /**
   * One frame. `view` is {x, y, scale, zoom}: the centre in Web Mercator within 0…1 and the world's width [px];
   * `look` is {chosen, trails, faint, ageOf(row)}.
   */
  draw(fleet, view, look, now) {
    const { pen, ratio } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.globalAlpha = look.faint ? 0.3 : 1;
    if (this.seen.length <= fleet.size) this.#room(fleet.capacity);
    this.drawn = this.joined = 0;
    this.chosenAt = null;
    const count = this.#find(fleet, view, now, view.zoom < APART && !look.apart);
    if (look.trails && view.zoom >= TRAILS) for (let i = 0; i < count; i += 1) this.#trail(fleet, this.seen[i], view, i);
    this.#chosenTrail(fleet, view, look, now);
    this.drawn = count;
    if (view.zoom < APART && !look.apart) this.#groups(fleet, view);
    if (view.zoom >= NAMES) this.#names(fleet, count, look);
    else if (look.chosen !== undefined) this.#chosenName(fleet, count, look);
    pen.globalAlpha = 1;
  }

  /** Which vehicles are to be drawn singly, and where on the canvas; the others go into the groups. */
  #find(fleet, view, now, gather) {
    const { clusters } = this;
    const [left, top] = [view.x - this.width / 2 / view.scale, view.y - this.height / 2 / view.scale];
    const [wide, high, edge] = [this.width / view.scale, this.height / view.scale, EDGE / view.scale];
    if (gather) clusters.begin(view.zoom);
    let count = 0;
    for (let n = 0; n < fleet.size; n += 1) {
      if (fleet.hidden[n] || !fleet.rows[n]) continue;
      const [x, y] = [fleet.x(n, now), fleet.y(n, now)];
      // Whole squares at the edge, so that their numbers hold when the map is moved; NaN is nowhere.
      const room = gather ? 4 * edge : edge;
      if (!(x > left - room && x < left + wide + room && y > top - room && y < top + high + room)) continue;
      if (gather) clusters.add(n, x, y, fleet.state[n], fleet.alarmed[n]);
      else count = this.#keep(count, n, (x - left) * view.scale, (y - top) * view.scale);
    }
    if (!gather) return count;
    for (let slot = 0; slot < clusters.size; slot += 1) {
      if (clusters.joined(slot)) continue;
      count = this.#keep(count, clusters.single[slot], (clusters.x[slot] - left) * view.scale, (clusters.y[slot] - top) * view.scale);
    }
    return count;
  }

  #keep(count, n, x, y) {
    this.seen[count] = n;
    this.places[2 * count] = x;
    this.places[2 * count + 1] = y;
    return count + 1;
  }

  #ring(x, y, radius, colour, width) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }

  /** The last places of a vehicle up to where it is drawn at `i`. */
  #trail(fleet, n, view, i) {
    const length = fleet.trailLength[n];
    if (length < 2) return;
    const { pen, colours, places } = this;
    pen.beginPath();
    // The newest place lies ahead of where the vehicle is drawn.
    for (let k = 0; k < length - 1; k += 1) {
      const at = 2 * (n * TRAIL + ((fleet.trailAt[n] - length + k + TRAIL) % TRAIL));
      pen.lineTo((fleet.trail[at] - view.x) * view.scale + this.width / 2, (fleet.trail[at + 1] - view.y) * view.scale + this.height / 2);
    }
    pen.lineTo(places[2 * i], places[2 * i + 1]);
    pen.strokeStyle = colours.trail;
    pen.globalAlpha *= 0.45;
    pen.lineWidth = 3;
    pen.stroke();
    pen.globalAlpha /= 0.45;
  }

  /** The chosen one stands out, whatever is gathered. */
  #chosenTrail(fleet, view, { chosen }, now) {
    if (chosen === undefined || !fleet.rows[chosen]) return;
    const x = (fleet.x(chosen, now) - view.x) * view.scale + this.width / 2;
    const y = (fleet.y(chosen, now) - view.y) * view.scale + this.height / 2;
    if (Number.isNaN(x)) return;
    this.#keep(this.seen.length - 1, chosen, x, y);
    if (view.zoom >= APART) this.#trail(fleet, chosen, view, this.seen.length - 1);
    this.#ring(x, y, 20, this.colours.chosen, 4);
    this.chosenAt = [x, y];
  }

  #groups(fleet, view) {
    const { pen, clusters, colours } = this;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let slot = 0; slot < clusters.size; slot += 1) {
      if (!clusters.joined(slot)) continue;
      const count = clusters.count[slot];
      const x = (clusters.x[slot] / count - view.x) * view.scale + this.width / 2;
      const y = (clusters.y[slot] / count - view.y) * view.scale + this.height / 2;
      const radius = radiusOf(count);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fillStyle = colours.cluster;
      pen.fill();
      this.#shares(slot, x, y, radius, count);
      if (clusters.alarms[slot]) this.#ring(x, y, radius + 4, colours.alarm, 3);
      pen.fillStyle = colours.ink;
      pen.font = `600 ${count < 1000 ? 13 : 11}px ${FONT}`;
      pen.fillText(String(count), x, y + 1);
      this.joined += 1;
    }
  }

  /** The states of a group as arcs of its ring. */
  #shares(slot, x, y, radius, count) {
    const { pen, clusters, colours } = this;
    pen.lineWidth = 4;
    let angle = -Math.PI / 2;
    for (let state = 0; state < STATES.length; state += 1) {
      const part = (clusters.states[slot * STATES.length + state] / count) * 2 * Math.PI;
      if (part === 0) continue;
      pen.beginPath();
      pen.arc(x, y, radius, angle, angle + part);
      pen.strokeStyle = colours[STATES[state]];
      pen.stroke();
      angle += part;
    }
  }

  #names(fleet, count, look) {
    for (let i = 0; i < Math.min(count, MOST_NAMES); i += 1) this.#name(fleet, i, look);
  }

  #chosenName(fleet, count, look) {
    if (!fleet.rows[look.chosen] || !this.chosenAt) return;
    this.#keep(this.seen.length - 1, look.chosen, ...this.chosenAt);
    this.#name(fleet, this.seen.length - 1, look);
  }

  /** A name, and of a place that is old how old it is. */
  #name(fleet, i, look) {
    const { pen, colours, places } = this;
    const row = fleet.rows[this.seen[i]];
    const age = fleet.state[this.seen[i]] >= STALE ? look.ageOf(row) : "";
    pen.font = `600 12px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.lineWidth = 3.5;
    pen.lineJoin = "round";
    pen.strokeStyle = colours.edge;
    pen.fillStyle = colours.ink;
    const text = age ? `${row.name ?? row.device} · ${age}` : row.name ?? row.device;
    pen.strokeText(text, places[2 * i], places[2 * i + 1] + 13);
    pen.fillText(text, places[2 * i], places[2 * i + 1] + 13);
  }

  /** The vehicle within reach of a place on the canvas, {n}; or the group, {x, y}; null for neither. */
  hit(px, py, view, reach = 16) {
    let [best, least] = [-1, reach];
    for (let i = 0; i < this.drawn; i += 1) {
      const apart = Math.hypot(this.places[2 * i] - px, this.places[2 * i + 1] - py);
      if (apart < least) [best, least] = [this.seen[i], apart];
    }
    if (best >= 0) return { n: best };
    if (this.joined === 0) return null;
    for (let slot = 0; slot < this.clusters.size; slot += 1) {
      if (!this.clusters.joined(slot)) continue;
      const count = this.clusters.count[slot];
      const [x, y] = [this.clusters.x[slot] / count, this.clusters.y[slot] / count];
      const apart = Math.hypot((x - view.x) * view.scale + this.width / 2 - px, (y - view.y) * view.scale + this.height / 2 - py);
      if (apart <= radiusOf(count) + 2) return { x, y };
    }
    return null;
  }
}
