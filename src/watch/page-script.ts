/**
 * What the page of a run that goes on does in the browser: it is told of which parts there are newer ones, asks for these, and puts
 * them in the place of the old ones. No text becomes markup there: a part comes as a document, which the browser reads without running
 * anything, and the page's policy forbids all else.
 */
export const PAGE_SCRIPT = `
"use strict";
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [1000, 60000];
const connection = document.getElementById("connection");
const main = document.querySelector("main");
let source, retry, retryMs = FIRST_RETRY_MS, hasEnded = false, work = Promise.resolve();

/* Makes an element like a newer one and leaves what is the same untouched: what is opened, scrolled or has the focus stays so. */
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.id !== fresh.id || !(old instanceof HTMLElement)) return old.replaceWith(fresh);
  for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const children = [...fresh.childNodes];
  for (const [i, child] of children.entries()) {
    const known = child.id ? [...old.childNodes].slice(i).find(({ id }) => id === child.id) : undefined;
    if (known) while (old.childNodes[i] !== known) old.childNodes[i].remove();
    const place = old.childNodes[i];
    if (!place) old.append(child);
    else if (child.id && !known) place.before(child);
    else renew(place, child);
  }
  while (old.childNodes.length > children.length) old.lastChild.remove();
}

function partOf(id) {
  return [...document.querySelectorAll("[data-part]")].find(({ dataset }) => dataset.part === id);
}

function ask(id) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", "parts/" + id);
    request.responseType = "document";
    request.timeout = 30000;
    request.onloadend = () => resolve(request.status === 200 ? request.response?.querySelector("[data-part]") : undefined);
    request.send();
  });
}

/* Versions of all parts, in their order. A part that does not come is asked for again with the next ones. */
async function follow(versions) {
  let previous;
  for (const [id, version] of versions) {
    const old = partOf(id);
    if (old?.dataset.version !== version) {
      const fresh = await ask(id);
      if (fresh && old) renew(old, fresh);
      else if (fresh && previous?.parentNode === main) previous.after(fresh);
      else if (fresh) main.prepend(fresh);
    }
    previous = partOf(id) ?? previous;
  }
  for (const part of main.querySelectorAll("[data-part]"))
    if (!versions.some(([id]) => id === part.dataset.part)) part.remove();
  document.title = document.querySelector("h1").textContent;
}

function say(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

function connect() {
  clearTimeout(retry);
  source?.close();
  source = undefined;
  /* Nothing is made for a page that nobody sees. */
  if (document.hidden || hasEnded) return;
  source = new EventSource("events");
  source.onopen = () => {
    retryMs = FIRST_RETRY_MS;
    say("");
  };
  source.onmessage = ({ data }) => {
    work = work.catch(() => {}).then(() => follow(JSON.parse(data)));
  };
  /* Only what was told of a port of its own can come back at this address. */
  source.addEventListener("end", ({ data }) => {
    hasEnded = data !== "again";
    if (hasEnded) lose("What showed this page has ended. The page stays as it is; evomerge watch shows the run again.");
  });
  source.onerror = () => {
    lose("The connection is lost, and is tried again. What is below is as it was.");
    retry = setTimeout(connect, retryMs);
    retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
  };
}

function lose(text) {
  source.close();
  say(text);
}

document.addEventListener("visibilitychange", connect);
connect();
`;
