/** The vehicles' canvas over a MapLibre map, and its frame loop: it draws only while something moves or has changed. */

import { mercatorX, mercatorY } from "./fleet.js";
import { Painter } from "./painter.js";

/** Over so long frames are counted for `data-fps` [ms]. */
const COUNTED = 1000;

export class Overlay {
  #asked = 0;
  #frames = 0;
  #spent = 0;
  #since = performance.now();
  #stale = true;

  /** `scene()` gives what is to be drawn: {fleet, look, now}. */
  constructor(map, scene, theme) {
    Object.assign(this, { map, scene, theme });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "vehicles";
    this.canvas.setAttribute("aria-hidden", "true");
    map.getCanvasContainer().append(this.canvas);
    this.painter = new Painter(this.canvas);
    this.#resize();
    map.on("resize", () => this.#resize());
    // The map and its vehicles move together.
    map.on("move", () => this.draw());
    this.refresh();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    this.painter.resize(width, height, Math.min(2, devicePixelRatio || 1), this.theme);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
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
    this.#stale = false;
    const begun = performance.now();
    this.painter.draw(fleet, this.view, look, now);
    this.#spent += performance.now() - begun;
    this.#frames += 1;
  }

  /** Frames a second and what one costs [ms], for who cannot look at the canvas. */
  #count(now) {
    if (now - this.#since < COUNTED) return;
    const { dataset } = this.map.getContainer();
    dataset.fps = ((this.#frames * 1000) / (now - this.#since)).toFixed(1);
    dataset.drawn = String(this.painter.drawn);
    dataset.joined = String(this.painter.joined);
    dataset.cost = (this.#spent / Math.max(1, this.#frames)).toFixed(2);
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
    this.canvas.remove();
  }
}
