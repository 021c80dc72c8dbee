/** The shape under the pen: terra-draw on the map, for one feature with one or several parts of a kind. */

import {
  TerraDraw,
  TerraDrawLineStringMode,
  TerraDrawModeUndoRedo,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
  TerraDrawSessionUndoRedo,
  TerraDrawUndoRedoKeyboardShortcuts,
  ValidateNotSelfIntersecting,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

import { caught } from "./catching.js";

const MODES = { Point: "point", LineString: "linestring", Polygon: "polygon" };
/** Decimals of a degree that are kept: 0.1 mm. */
const PRECISION = 9;
/** Corners that a kind of shape needs. */
const LEAST = { Point: 1, LineString: 2, Polygon: 3 };

/**
 * Begin to draw on `map`. `kind` is Point, LineString or Polygon, `parts` coordinates of such shapes; `sides()` gives what is caught,
 * `onChange()` is told of every change. Throws where a part cannot be drawn (a polygon with holes).
 */
export function openSketch(map, { kind, parts, sides, onChange }) {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: PRECISION }),
    modes: modes((event) => catchAt(event)),
    undoRedo: {
      modeLevel: new TerraDrawModeUndoRedo(),
      sessionLevel: new TerraDrawSessionUndoRedo(),
      keyboardShortcuts: new TerraDrawUndoRedoKeyboardShortcuts(),
    },
  });
  const project = ([lng, lat]) => map.project([lng, lat]);
  const unproject = ({ x, y }) => map.unproject([x, y]).toArray();
  const catchAt = ({ lng, lat }) => caught(sides(), [lng, lat], project, unproject);
  /** Corners set by the keyboard, and the part that they have become. */
  let keyed = { corners: [], id: null };

  const add = (coordinates) => draw.addFeatures([{ type: "Feature", properties: { mode: MODES[kind] }, geometry: { type: kind, coordinates } }])[0];
  const shapes = () => draw.getSnapshot().filter((feature) => feature.geometry.type === kind && feature.properties.mode === MODES[kind]);
  const select = () => {
    draw.setMode("select");
    const last = shapes().at(-1);
    if (last) draw.selectFeature(last.id);
  };

  draw.start();
  for (const part of parts) {
    const added = add(rounded(part));
    if (!added.valid) {
      draw.stop();
      throw new Error(added.reason);
    }
  }
  draw.clearUndoRedoHistory();
  draw.on("finish", (id, { action, mode }) => {
    if (action !== "draw") return;
    const spot = mode === "point" && catchAt(asPlace(draw.getSnapshotFeature(id).geometry.coordinates));
    if (spot) draw.updateFeatureGeometry(id, { type: "Point", coordinates: spot });
    select();
    onChange();
  });
  draw.on("change", () => onChange());
  draw.on("history", () => onChange()); // what can be undone is known only after the change
  if (parts.length) select();
  else draw.setMode(MODES[kind]);

  return {
    kind,
    parts: () => shapes().map((feature) => feature.geometry.coordinates),
    /** Draw one more part; `alone` takes the others away. */
    begin(alone) {
      if (alone) draw.removeFeatures(shapes().map((feature) => feature.id));
      keyed = { corners: [], id: null };
      draw.setMode(MODES[kind]);
    },
    /** Set a corner by the keyboard. */
    corner(place) {
      const { lng, lat } = place;
      const spot = (catchAt(place) ?? [lng, lat]).map((value) => Number(value.toFixed(PRECISION)));
      keyed.corners.push(spot);
      if (draw.getMode() !== "select") draw.setMode("select");
      if (keyed.corners.length < LEAST[kind]) return onChange();
      const coordinates = { Point: () => spot, LineString: () => [...keyed.corners], Polygon: () => [[...keyed.corners, keyed.corners[0]]] }[kind]();
      if (keyed.id) draw.updateFeatureGeometry(keyed.id, { type: kind, coordinates });
      else keyed.id = add(coordinates).id;
      if (kind === "Point") keyed = { corners: [], id: null };
      return onChange();
    },
    corners: () => keyed.corners.length,
    /** Whether a part is not finished yet. */
    drawing: () => draw.getMode() !== "select",
    undo: () => draw.undo(),
    redo: () => draw.redo(),
    canUndo: () => draw.canUndo(),
    canRedo: () => draw.canRedo(),
    close: () => draw.stop(),
  };
}

function modes(catchAt) {
  const snapping = { toCustom: catchAt };
  const line = { draggable: true, coordinates: { midpoints: true, draggable: true, deletable: true, snappable: snapping } };
  const area = { ...line, selfIntersectable: false, validation: simple };
  return [
    new TerraDrawPointMode(),
    new TerraDrawLineStringMode({ snapping }),
    new TerraDrawPolygonMode({ snapping, validation: simple }),
    new TerraDrawSelectMode({ flags: { point: { feature: { draggable: true } }, linestring: { feature: line }, polygon: { feature: area } }, keyEvents: { deselect: null, delete: null, rotate: null, scale: null } }),
  ];
}

/** A finished ring must not cross itself; while it is being drawn it may. */
const simple = (feature, { updateType }) => (updateType === "finish" || updateType === "commit" ? ValidateNotSelfIntersecting(feature) : { valid: true });

const asPlace = ([lng, lat]) => ({ lng, lat });

function rounded(coordinates) {
  return typeof coordinates === "number" ? Number(coordinates.toFixed(PRECISION)) : coordinates.map(rounded).slice(0, typeof coordinates[0] === "number" ? 2 : undefined);
}
