/** Measuring: corners set on the map; the server works out lengths and areas in the city's zone and on the ellipsoid. */

import { execute } from "./api.js";

/** What a measurement shows on the map: its sides or area, and its corners. */
export function measured(measure) {
  const corners = measure?.corners ?? [];
  const features = corners.map((corner) => feature("Point", corner));
  if (corners.length > 1) features.unshift(feature("LineString", measure.kind === "area" && corners.length > 2 ? [...corners, corners[0]] : corners));
  if (measure?.kind === "area" && corners.length > 2) features.unshift(feature("Polygon", [[...corners, corners[0]]]));
  return { type: "FeatureCollection", features };
}

const feature = (type, coordinates) => ({ type: "Feature", properties: {}, geometry: { type, coordinates } });

/** The geometry that is measured, or null while it has too few corners. */
export function measurable({ kind, corners }) {
  if (kind === "area") return corners.length > 2 ? { type: "Polygon", coordinates: [[...corners, corners[0]]] } : null;
  return corners.length > 1 ? { type: "LineString", coordinates: corners } : null;
}

export function measureActions(city) {
  let asking;
  const set = (measure) => {
    city.store.set({ measure });
    city.map.getSource("measure")?.setData(measured(measure));
  };
  const setCorners = async (corners) => {
    asking?.abort();
    const { kind } = city.store.get().measure;
    const geometry = measurable({ kind, corners });
    set({ kind, corners, result: null, error: null, loading: Boolean(geometry) });
    if (!geometry) return;
    asking = new AbortController();
    const { signal } = asking;
    const answer = await execute("measure", { geometry }, signal).then((result) => ({ result }), (error) => ({ error }));
    if (!signal.aborted && city.store.get().measure) set({ kind, corners, result: null, error: null, loading: false, ...answer });
  };
  return {
    /** `kind` is `line` or `area`. */
    startMeasure(kind = "line") {
      city.actions.closeEdit();
      if (city.store.get().time) city.actions.closeTime();
      set({ kind, corners: [], result: null, error: null });
      city.map.getCanvas().focus();
      city.map.getCanvas().classList.add("crosshair");
    },
    measureKind(kind) {
      set({ ...city.store.get().measure, kind });
      setCorners(city.store.get().measure.corners);
    },
    measureCorner: ({ lng, lat }) => setCorners([...city.store.get().measure.corners, [lng, lat]]),
    undoCorner: () => setCorners(city.store.get().measure.corners.slice(0, -1)),
    clearMeasure: () => setCorners([]),
    closeMeasure() {
      asking?.abort();
      if (!city.store.get().measure) return;
      set(null);
      city.map.getCanvas().classList.remove("crosshair");
      city.map.getCanvas().focus();
    },
  };
}
