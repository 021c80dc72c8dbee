/** Signs of vehicles: each state has its own colour and its own shape; what moves points where it goes. */

import { STATES } from "./fleet.js";

/** Side of a sign [px], and headings that are told apart. */
export const SIDE = 34;
export const HEADINGS = 32;

export const COLOURS = {
  light: { moving: "#12803f", idle: "#b35c00", parked: "#1f5fc4", stale: "#6f7a86", offline: "#8d969f", edge: "#ffffff", ink: "#17222d", alarm: "#c4281c", chosen: "#0f4c81", trail: "#12803f", cluster: "#ffffff" },
  dark: { moving: "#5fe08d", idle: "#ffb454", parked: "#82b4ff", stale: "#9aa6b2", offline: "#75808b", edge: "#0f161d", ink: "#e7eef4", alarm: "#ff7b72", chosen: "#8cc8ff", trail: "#5fe08d", cluster: "#18222c" },
};

const PATHS = {
  moving: [[0, -11], [8, 9], [0, 4.5], [-8, 9]],
  parked: [[-7, -7], [7, -7], [7, 7], [-7, 7]],
  stale: [[0, -9], [9, 0], [0, 9], [-9, 0]],
  offline: [[-7, -6], [7, -6], [0, 8]],
};

/** All signs on one canvas: the headings of what moves in the first row, the other states in the second; below, the same with a ring. */
export function makeSprites(theme, ratio) {
  const canvas = document.createElement("canvas");
  const side = Math.ceil(SIDE * ratio);
  canvas.width = side * HEADINGS;
  canvas.height = side * 4;
  const pen = canvas.getContext("2d");
  const colours = COLOURS[theme];
  const sign = (column, row, state, turned, alarmed) => {
    pen.setTransform(ratio, 0, 0, ratio, (column + 0.5) * side, (row + 0.5) * side);
    if (alarmed) drawRing(pen, colours.alarm);
    pen.rotate(turned);
    drawSign(pen, state, colours);
  };
  for (const below of [0, 2]) {
    for (let n = 0; n < HEADINGS; n += 1) sign(n, below, "moving", (n / HEADINGS) * 2 * Math.PI, below);
    STATES.forEach((state, n) => sign(n, below + 1, state, 0, below));
  }
  return { canvas, side, colours };
}

/** Column and row of a sign. */
export function spriteOf(state, heading, into) {
  const moving = state === 0 && heading >= 0;
  into[0] = moving ? Math.round((heading / 360) * HEADINGS) % HEADINGS : state;
  into[1] = moving ? 0 : 1;
}

function drawRing(pen, colour) {
  pen.beginPath();
  pen.arc(0, 0, 14.5, 0, 2 * Math.PI);
  pen.lineWidth = 3;
  pen.strokeStyle = colour;
  pen.stroke();
}

function drawSign(pen, state, colours) {
  pen.beginPath();
  if (state === "idle") pen.arc(0, 0, 8, 0, 2 * Math.PI);
  else PATHS[state].forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = colours.edge;
  pen.stroke();
  pen.fillStyle = state === "offline" ? colours.edge : colours[state];
  pen.fill();
  pen.lineWidth = state === "offline" || state === "stale" ? 2 : 1;
  pen.strokeStyle = colours[state];
  pen.stroke();
  pen.strokeStyle = pen.fillStyle = colours.edge;
  pen.lineWidth = 2;
  pen.beginPath();
  if (state === "idle") for (const x of [-2.5, 2.5]) pen.rect(x - 0.5, -3, 1, 6);
  if (state === "parked") pen.rect(-2, -2, 4, 4);
  if (state === "stale") for (const [x, y] of [[0, -4], [0, 0], [3, 1.5]]) pen.lineTo(x, y);
  pen.stroke();
}
