/** Reports on this phone, in IndexedDB. Nothing here is removed unless the server has it or the reader says so. */

const NAME = "citymap-report";
const STORE = "reports";

/** Of a report: draft → queued → sending → sent; refused goes back to its writer. */
export const UNSENT = ["draft", "queued", "sending", "refused"];

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function within(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const asked = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const keep = (report) => within("readwrite", (store) => store.put({ ...report, changed: Date.now() }));
export const read = (id) => within("readonly", (store) => store.get(id));
export const discard = (id) => within("readwrite", (store) => store.delete(id));

/** All reports, the newest first. */
export async function all() {
  const found = await within("readonly", (store) => store.getAll());
  return found.sort((one, other) => other.made - one.made);
}

/** 128 random bits; plain http has no randomUUID. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const newReport = () => ({
  id: newId(), key: newId(), state: "draft", made: Date.now(), position: null, place: null, service: null,
  description: "", name: "", phone: "", separate: false, photos: [], tries: 0, trouble: null, answer: null, via: null,
});

/** Whether the reader has put anything into it. */
export const begun = (report) => Boolean(report.service || report.description || report.photos.length);
