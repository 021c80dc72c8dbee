/** The map as a picture. */

/** The canvas as a PNG blob, taken in the frame that draws it: afterwards WebGL may have let it go. */
export function pictureOf(map) {
  return new Promise((resolve, reject) => {
    map.once("render", () => map.getCanvas().toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
    map.triggerRepaint();
  });
}

/** A round length that takes about a quarter of the view's width: `{metres, share}` with its share of the width [%]. */
export function scaleBar(map) {
  const { clientWidth: width, clientHeight: height } = map.getCanvas();
  const metres = map.unproject([0, height / 2]).distanceTo(map.unproject([width, height / 2]));
  const wanted = metres / 4;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const round = [5, 2, 1].find((digit) => digit * power <= wanted) * power;
  return { metres: round, share: (round / metres) * 100 };
}
