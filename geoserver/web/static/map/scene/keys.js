/** The full 3D view by keyboard: arrows step, plus and minus approach, with Shift arrows turn, Enter asks what is in the middle. */

import { Cartesian2 } from "cesium";

import { approach, step, turn } from "./camera.js";

const STEPS = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
/** Degrees of a turn. */
const TURN = 10;

export function followKeys(scene, pick) {
  const { canvas } = scene;
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const stepped = STEPS[event.key];
    if (stepped && event.shiftKey) turn(scene, (-stepped[0] / 0.15) * TURN, (stepped[1] / 0.15) * TURN);
    else if (stepped) step(scene, ...stepped);
    else if (event.key === "+" || event.key === "=") approach(scene, 0.3);
    else if (event.key === "-") approach(scene, -0.4);
    else if (event.key === "Enter") pick(new Cartesian2(canvas.clientWidth / 2, canvas.clientHeight / 2));
    else return;
    event.preventDefault();
    scene.requestRender();
  });
}
