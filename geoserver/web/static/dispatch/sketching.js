/** The pen of the fence editor, loaded when somebody draws. */

import { useEffect } from "preact/hooks";

import { reshape } from "./fences.js";
import { get } from "./store.js";

/** The sketch that is open; null for none. */
export const pen = { sketch: null };

/** Open the pen for the fence that is edited, close it when that ends. */
export function useSketch(map, fence) {
  const drawn = map && fence && fence.kind !== "Circle";
  useEffect(() => {
    if (!drawn) return undefined;
    let gone = false;
    const began = get().fence;
    import("../map/edit/sketch.js").then(({ openSketch }) => {
      if (gone) return;
      // While it opens it tells of what it was given.
      const onChange = () => !gone && pen.sketch && reshape(pen.sketch.parts());
      pen.sketch = openSketch(map, { kind: began.kind, parts: began.shape ?? began.parts, sides: () => [], onChange });
      map.getContainer().dataset.pen = began.kind;
    });
    return () => {
      gone = true;
      pen.sketch?.close();
      pen.sketch = null;
      delete map.getContainer().dataset.pen;
    };
  }, [drawn && map, drawn && fence.id, drawn && fence.kind]);
}

/** Set a corner in the map's middle, for who has no pointer. */
export function cornerAt(place) {
  pen.sketch?.corner(place);
  reshape(pen.sketch?.parts() ?? []);
}
