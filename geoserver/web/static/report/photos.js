/** Photos made small enough for a phone's network, on the phone. */

import { newId } from "./outbox.js";

const EDGE = 1600;
const MOST_BYTES = 1_300_000;

/** A JPEG of at most 1600 pixels and 1.3 MB, upright. Throws where the browser cannot read the picture. */
export async function shrunk(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  let blob = null;
  for (const quality of [0.85, 0.7, 0.5]) {
    blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= MOST_BYTES) break;
  }
  if (!blob) throw new Error("no picture");
  return { id: newId(), blob, width: canvas.width, height: canvas.height, upload: null };
}

/** The picture's bytes in Base64. */
export function inBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
