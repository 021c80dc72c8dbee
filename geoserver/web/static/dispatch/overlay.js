/**
 * The vehicles over a MapLibre map, which is not drawn again when they move: signs on a WebGL canvas with every frame, what lies about
 * them on a canvas above it, as often as one can see. Nothing is drawn while nothing moves.
 */

import { mercatorX, mercatorY } from "./fleet.js";
import { Painter } from "./painter.js";
import { Signs } from "./signs.js";

/** Over so long frames are counted for `data-fps` [ms]. */
const COUNTED = 1000;
/** Among so many vehicles their names and groups are drawn anew only so often [ms]. */
const [CROWD, SELDOM] = [300, 250];

export class Overlay {
  #asked = 0;
  #frames = 0;
  #spent = 0;
  #since = performance.now();
  #stale = true;
  #surveyed = 0;

  /** `scene()` gives what is to be drawn: {fleet, look, now}. */
  constructor(map, scene, theme) {
    Object.assign(this, { map, scene, theme });
    const [below, above] = ["signs", "names"].map((name) => this.#canvas(`vehicles ${name}`));
    this.signs = new Signs(below);
    this.painter = new Painter(above);
    this.#resize();
    map.on("resize", () => this.#resize());
    // The map and its vehicles move together.
    map.on("move", () => {
      this.#stale = true;
      this.draw();
    });
    this.refresh();
  }

  #canvas(className) {
    const canvas = Object.assign(document.createElement("canvas"), { className });
    canvas.setAttribute("aria-hidden", "true");
    this.map.getCanvasContainer().append(canvas);
    return canvas;
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const ratio = Math.min(2, devicePixelRatio || 1);
    for (const part of [this.signs, this.painter]) {
      part.resize(width, height, ratio, this.theme);
      Object.assign(part.canvas.style, { width: `${width}px`, height: `${height}px` });
    }
    this.refresh();
  }

  get view() {
    const { lng, lat } = this.map.getCenter();
    return { x: mercatorX(lng), y: mercatorY(lat), scale: 512 * 2 ** this.map.getZoom(), zoom: this.map.getZoom() };
  }

  /** Something has changed: draw with the next frame. */
  refresh() {
    this.#stale = true;
    this.#asked ||= requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.#asked = 0;
    const { fleet, now } = this.scene();
    const moves = fleet.gliding(now);
    if (moves || this.#stale) this.draw();
    this.#count(performance.now());
    if (moves || this.#frames > 0) this.#asked ||= requestAnimationFrame(() => this.#frame());
  }

  draw() {
    const { fleet, look, now } = this.scene();
    const { signs, painter, view } = this;
    const begun = performance.now();
    const crowd = painter.drawn > CROWD || painter.joined > 0;
    if (this.#stale || !crowd || now - this.#surveyed > SELDOM) {
      this.#stale = false;
      this.#surveyed = now;
      painter.draw(fleet, view, look, now);
      signs.take(fleet, painter.seen, painter.drawn, now);
    }
    signs.draw(view, now, painter.drawn);
    this.#spent += performance.now() - begun;
    this.#frames += 1;
  }

  /** Frames a second and what one costs [ms], for who cannot look at the canvas. */
  #count(now) {
    if (now - this.#since < COUNTED) return;
    const { dataset } = this.map.getContainer();
    dataset.fps = ((this.#frames * 1000) / (now - this.#since)).toFixed(1);
    dataset.cost = (this.#spent / Math.max(1, this.#frames)).toFixed(2);
    dataset.counted = String(Number(dataset.counted ?? 0) + 1);
    dataset.drawn = String(this.painter.drawn);
    dataset.joined = String(this.painter.joined);
    this.#frames = this.#spent = 0;
    this.#since = now;
  }

  /** What is drawn at a place of the canvas. */
  hit({ x, y }) {
    return this.painter.hit(x, y, this.view);
  }

  close() {
    this.ended?.();
    cancelAnimationFrame(this.#asked);
    this.signs.close();
    for (const { canvas } of [this.signs, this.painter]) canvas.remove();
  }
}
