/**
 * Reads the full 3D view's modules where the page's policy allows neither `eval` nor WebAssembly. CesiumJS 1.140 asks for both while it is
 * read: Knockout, of its widgets, finds the global object by `eval("this")`, protobuf.js looks for Node's `require`, and meshoptimizer
 * starts WebAssembly wherever there is one. None of it is needed here: our tiles are compressed by neither Draco, meshopt nor KTX2. What
 * the browser can it then tries by a style attribute, which the policy allows by the element's own `style` only.
 */

export async function readScene() {
  const kept = { eval: globalThis.eval, WebAssembly: globalThis.WebAssembly };
  const known = { this: globalThis, require: undefined };
  // Whatever else is asked for, the policy itself decides.
  const answered = (text) => (text in known ? known[text] : kept.eval(text));
  Object.assign(globalThis, { eval: answered, WebAssembly: undefined });
  try {
    const read = await import("./scene.js");
    HTMLCanvasElement.prototype.setAttribute = setQuietly;
    read.lookAtBrowser();
    return read;
  } finally {
    Object.assign(globalThis, kept);
    delete HTMLCanvasElement.prototype.setAttribute;
  }
}

function setQuietly(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
