/** A staff over what was found, seen from afar and behind buildings. */

import { Cartesian3, Color, Material, PointPrimitiveCollection, PolylineCollection } from "cesium";

import { groundAt } from "./camera.js";

/** How high the staff is, and how deep it begins, since terrain may come later [m]. */
const [HIGH, DEEP] = [120, 200];
const COLOUR = "#d9480f";

/** `mark(box)` sets the staff in the middle of a box of degrees, `mark(null)` takes it away. */
export function newMark(scene) {
  const [lines, points] = [scene.primitives.add(new PolylineCollection()), scene.primitives.add(new PointPrimitiveCollection())];
  const colour = Color.fromCssColorString(COLOUR);
  return (box) => {
    lines.removeAll();
    points.removeAll();
    if (box) {
      const [lng, lat] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
      const ground = groundAt(scene, lng, lat);
      const top = Cartesian3.fromDegrees(lng, lat, ground + HIGH);
      lines.add({ positions: [Cartesian3.fromDegrees(lng, lat, ground - DEEP), top], width: 3, material: Material.fromType("Color", { color: colour }) });
      points.add({ position: top, color: colour, outlineColor: Color.WHITE, outlineWidth: 2, pixelSize: 14, disableDepthTestDistance: Infinity });
    }
    scene.requestRender();
  };
}
