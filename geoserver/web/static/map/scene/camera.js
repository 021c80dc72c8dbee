/** Where the camera of the full 3D view stands, and how it moves. A place is `[lng, lat, height, heading, pitch]` [degrees, metres]. */

import { BoundingSphere, Cartesian2, Cartesian3, Cartographic, HeadingPitchRange, Math as Angle, Matrix4, Rectangle } from "cesium";

/** Circumference of the Web Mercator world [m], and its pixels at zoom 0. */
const [AROUND, PIXELS] = [40_075_016.686, 512];
/** Nearer to what it looks at the camera is not set [m]. */
const NEAREST = 250;
/** From straight above nothing stands: at most so steep is what is flown to seen [degrees]. */
const LEANING = -35;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export function placeOf(camera) {
  const { longitude, latitude, height } = camera.positionCartographic;
  const numbers = [Angle.toDegrees(longitude), Angle.toDegrees(latitude), height, Angle.toDegrees(camera.heading), Angle.toDegrees(camera.pitch)];
  return numbers.map((value, n) => Number(value.toFixed(n < 2 ? 6 : 1)));
}

export function setPlace(camera, [lng, lat, height, heading, pitch]) {
  camera.setView({
    destination: Cartesian3.fromDegrees(lng, lat, height),
    orientation: { heading: Angle.toRadians(heading), pitch: Angle.toRadians(pitch), roll: 0 },
  });
}

/** Show what a map with this `{lng, lat, zoom, bearing, pitch}` shows, leaned back so that buildings stand. */
export function showView(scene, { lng, lat, zoom, bearing, pitch }) {
  const { camera, canvas } = scene;
  const metres = (AROUND * Math.cos(Angle.toRadians(lat))) / (PIXELS * 2 ** zoom);
  const range = (metres * canvas.clientHeight) / 2 / Math.tan(camera.frustum.fovy / 2);
  lookFrom(camera, Cartesian3.fromDegrees(lng, lat, groundAt(scene, lng, lat)), Angle.toRadians(bearing), Angle.toRadians(Math.max(pitch - 90, LEANING)), range);
}

/** The `{lng, lat, zoom, bearing, pitch}` by which a map shows about the same. */
export function viewOf(scene) {
  const { camera, canvas } = scene;
  const middle = middleOf(scene);
  const { longitude, latitude } = Cartographic.fromCartesian(middle);
  const metres = (Cartesian3.distance(camera.positionWC, middle) * 2 * Math.tan(camera.frustum.fovy / 2)) / canvas.clientHeight;
  const zoom = Math.log2((AROUND * Math.cos(latitude)) / (PIXELS * metres));
  return { lng: Angle.toDegrees(longitude), lat: Angle.toDegrees(latitude), zoom, bearing: Angle.toDegrees(camera.heading), pitch: 0 };
}

/** Fly to a box of degrees, keeping the direction that is looked in. */
export function flyTo(scene, [west, south, east, north]) {
  const ground = groundAt(scene, (west + east) / 2, (south + north) / 2);
  const sphere = BoundingSphere.fromRectangle3D(Rectangle.fromDegrees(west, south, east, north), scene.globe.ellipsoid, ground);
  const offset = new HeadingPitchRange(scene.camera.heading, Angle.toRadians(LEANING), Math.max(NEAREST, sphere.radius * 2.4));
  scene.camera.flyToBoundingSphere(sphere, { offset, duration: reducedMotion.matches ? 0 : 1.2 });
}

/** Step over the ground: `right` and `ahead` are shares of the distance to what is looked at. */
export function step(scene, right, ahead) {
  const { camera } = scene;
  const reach = Cartesian3.distance(camera.positionWC, middleOf(scene));
  const up = scene.globe.ellipsoid.geodeticSurfaceNormal(camera.positionWC, new Cartesian3());
  const level = Cartesian3.normalize(Cartesian3.cross(up, camera.rightWC, new Cartesian3()), new Cartesian3());
  camera.move(camera.rightWC, right * reach);
  camera.move(level, ahead * reach);
}

/** Nearer to what is looked at by a share of the distance, or, below 0, farther from it. */
export function approach(scene, share) {
  const { camera } = scene;
  const reach = Cartesian3.distance(camera.positionWC, middleOf(scene));
  camera.move(camera.directionWC, Math.min(share * reach, reach - 20));
}

/** Walk around what is looked at, or climb over it [degrees]. */
export function turn(scene, around, over) {
  const { camera } = scene;
  const middle = middleOf(scene);
  const pitch = Math.min(-5, Math.max(-89, Angle.toDegrees(camera.pitch) - over));
  lookFrom(camera, middle, camera.heading + Angle.toRadians(around), Angle.toRadians(pitch), Cartesian3.distance(camera.positionWC, middle));
}

export function faceNorth(scene) {
  turn(scene, -Angle.toDegrees(scene.camera.heading), 0);
}

/** The height of the ground there as far as its terrain has come, else 0 [m]. */
export const groundAt = (scene, lng, lat) => scene.globe.getHeight(Cartographic.fromDegrees(lng, lat)) ?? 0;

/** The point of the ground in the middle of the view; below the camera where the view's middle is sky. */
function middleOf(scene) {
  const { camera, canvas, globe } = scene;
  const ray = camera.getPickRay(new Cartesian2(canvas.clientWidth / 2, canvas.clientHeight / 2));
  const { longitude, latitude } = camera.positionCartographic;
  return (ray && globe.pick(ray, scene)) ?? Cartesian3.fromRadians(longitude, latitude, 0);
}

function lookFrom(camera, middle, heading, pitch, range) {
  camera.lookAt(middle, new HeadingPitchRange(heading, pitch, range));
  camera.lookAtTransform(Matrix4.IDENTITY);
}
