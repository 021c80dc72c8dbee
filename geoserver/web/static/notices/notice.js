/** Sends a comment on a notice; a click on the map says which place it is about. */

const form = document.querySelector("form[data-comments]");
const figure = document.querySelector(".notice-map");
const EARTH = 180 / Math.PI;
let place = null;

const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + lat / EARTH / 2));

/** Longitude and latitude [°] of a part of the picture's width and height; its box is cut in Web Mercator. */
function degrees(across, down) {
  const [west, south, east, north] = figure.dataset.box.split(",").map(Number);
  const y = mercator(north) + (mercator(south) - mercator(north)) * down;
  return { lon: west + (east - west) * across, lat: (2 * Math.atan(Math.exp(y)) - Math.PI / 2) * EARTH };
}

function choose(event) {
  const picture = figure.querySelector("img");
  const box = picture.getBoundingClientRect();
  const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  place = degrees(across, down);
  const pin = figure.querySelector(".notice-pin");
  pin.style.left = `${picture.offsetLeft + across * box.width}px`;
  pin.style.top = `${picture.offsetTop + down * box.height}px`;
  pin.removeAttribute("hidden");
  form.querySelector("[data-clear]").hidden = false;
  form.querySelector("[role=status]").textContent = form.dataset.placed;
}

function forget() {
  place = null;
  figure.querySelector(".notice-pin").setAttribute("hidden", "");
  form.querySelector("[data-clear]").hidden = true;
}

/** The key of this comment: sent again after a lost answer, it is entered once. */
let key = newKey();

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(event) {
  event.preventDefault();
  const [status, button] = [form.querySelector("[role=status]"), form.querySelector("[type=submit]")];
  const values = Object.fromEntries(new FormData(form));
  const body = JSON.stringify({ ...values, ...place });
  button.disabled = true;
  try {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    const answer = await fetch(form.dataset.comments, { method: "POST", headers, body });
    const told = await answer.json();
    if (answer.ok) {
      status.textContent = `${form.dataset.sent} ${told.comment}`;
      form.reset();
      forget();
      key = newKey();
    } else {
      const chinese = figure.dataset.locale === "zh";
      status.textContent = `${form.dataset.failed} ${(chinese && told.zh) || told.description || answer.status}`;
    }
  } catch (error) {
    status.textContent = `${form.dataset.failed} ${error.message}`;
  }
  button.disabled = false;
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", send);
  form.querySelector("[data-clear]").addEventListener("click", forget);
  figure.classList.add("choosing");
  figure.querySelector("img").addEventListener("click", choose);
}
