/** The signs of all vehicles as points of WebGL 2: the card moves them, so that a frame costs the page next to nothing. */

import { HEADINGS, makeSprites, SIDE, spriteOf } from "./sprites.js";

/** Numbers of one vehicle: from x, y; to x, y; begun, due; column, row. */
const WIDTH = 8;
/** Signs shrink where so many are in view that they would cover each other. */
const [MANY, LEAST] = [400, 0.5];
const VERTEX = `#version 300 es
  in vec4 way; in vec2 span; in vec2 cell;
  uniform vec2 centre; uniform vec2 half_size; uniform float scale; uniform float now; uniform float side;
  out vec2 sprite;
  void main() {
    float part = span.y > span.x ? clamp((now - span.x) / (span.y - span.x), 0.0, 1.0) : 1.0;
    vec2 place = (mix(way.xy, way.zw, part) - centre) * scale / half_size;
    sprite = cell;
    gl_Position = vec4(place.x, -place.y, cell.y < 0.0 ? 2.0 : 0.0, 1.0);
    gl_PointSize = side;
  }`;
const FRAGMENT = `#version 300 es
  precision mediump float;
  in vec2 sprite; uniform sampler2D atlas; uniform vec2 cells; out vec4 colour;
  void main() { colour = texture(atlas, (sprite + gl_PointCoord) / cells); }`;

export class Signs {
  #array = new Float32Array(1024 * WIDTH);
  #count = 0;
  #cell = [0, 0];

  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false, powerPreference: "high-performance" });
    const { gl } = this;
    const program = linked(gl);
    this.at = Object.fromEntries(["centre", "half_size", "scale", "now", "side", "atlas", "cells"].map((name) => [name, gl.getUniformLocation(program, name)]));
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    [["way", 4, 0], ["span", 2, 16], ["cell", 2, 24]].forEach(([name, size, offset]) => {
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 4 * WIDTH, offset);
    });
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  resize(width, height, ratio, theme) {
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    if (this.theme === theme) return;
    this.theme = theme;
    this.#paint(makeSprites(theme, ratio).canvas);
  }

  #paint(canvas) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.uniform1i(this.at.atlas, 0);
    gl.uniform2f(this.at.cells, HEADINGS, 4);
  }

  /** Hand the card the vehicles whose places in the fleet are the first `count` of `seen`. */
  take(fleet, seen, count, now) {
    if (this.#array.length < count * WIDTH) this.#array = new Float32Array(fleet.capacity * WIDTH);
    // Near the vehicles, and near now, so that single precision is fine enough.
    this.origin = count > 0 ? [fleet.toX[seen[0]], fleet.toY[seen[0]]] : [0, 0];
    this.epoch = now;
    const { origin } = this;
    const array = this.#array;
    for (let i = 0; i < count; i += 1) {
      const n = seen[i];
      const at = i * WIDTH;
      array[at] = fleet.fromX[n] - origin[0];
      array[at + 1] = fleet.fromY[n] - origin[1];
      array[at + 2] = fleet.toX[n] - origin[0];
      array[at + 3] = fleet.toY[n] - origin[1];
      array[at + 4] = fleet.begun[n] - now;
      array[at + 5] = fleet.due[n] - now;
      spriteOf(fleet.state[n], fleet.heading[n], this.#cell);
      array[at + 6] = this.#cell[0];
      array[at + 7] = this.#cell[1] + (fleet.alarmed[n] ? 2 : 0);
    }
    this.#count = count;
    const { gl } = this;
    gl.bufferData(gl.ARRAY_BUFFER, array.subarray(0, count * WIDTH), gl.DYNAMIC_DRAW);
  }

  draw(view, now, inView) {
    const { gl, at } = this;
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.#count === 0) return;
    gl.uniform2f(at.centre, view.x - this.origin[0], view.y - this.origin[1]);
    gl.uniform2f(at.half_size, this.width / 2, this.height / 2);
    gl.uniform1f(at.scale, view.scale);
    gl.uniform1f(at.now, now - this.epoch);
    gl.uniform1f(at.side, SIDE * this.ratio * sizeFor(inView));
    gl.drawArrays(gl.POINTS, 0, this.#count);
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Share of its full size that a sign has among so many. */
export const sizeFor = (inView) => Math.max(LEAST, Math.min(1, Math.sqrt(MANY / Math.max(1, inView))));

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);
  return program;
}
