// What is live on a page (#live) is fetched again, the same page, and changed in place: nothing that is
// the same is touched, so focus, selection, scrolling and what was typed stay. Without this script
// every page works; it only has to be reloaded.
"use strict";

const live = document.getElementById("live");
const stale = document.getElementById("stale");
const LONGEST_MS = 30000;

// On a narrow screen the page at hand may lie out of sight in the navigation.
const here = document.querySelector("header nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.getAttribute("data-key") : null;
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

function changeAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) {
    // Whoever opened something keeps it open.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
}

function change(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  changeAttributes(old, fresh);
  changeChildren(old, fresh);
}

function changeChildren(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf).filter(Boolean));
  const present = new Set([...old.childNodes].map(keyOf).filter(Boolean));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    // What is wanted no more goes, so that what stays need not be moved: moving would lose the focus.
    while (at && keyOf(at) && !wanted.has(keyOf(at))) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    if (at && alike(at, next)) {
      change(at, next);
      at = at.nextSibling;
    } else if (at && !keyOf(at) && !present.has(keyOf(next))) {
      const replaced = at;
      at = at.nextSibling;
      replaced.replaceWith(next);
    } else {
      const known = keyOf(next) && [...old.childNodes].find((each) => alike(each, next));
      if (known) change(known, next);
      old.insertBefore(known || next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

if (live) {
  const everyMs = 1000 * Number(live.dataset.every);
  let failed = 0;
  let timer = 0;
  let wellAt = new Date();
  let busy = false;

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden || busy) return;
    busy = true;
    try {
      const answer = await fetch(location.href, {
        headers: { "Missedd-Refresh": "1" },
        redirect: "error",
        signal: AbortSignal.timeout(10000),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (fresh) change(live, fresh);
      failed = 0;
      wellAt = new Date();
      stale.hidden = true;
    } catch {
      failed += 1;
      if (failed > 1 && stale.hidden) {
        stale.textContent = `The daemon does not answer. This page shows the state at ${wellAt.toLocaleTimeString()}.`;
        stale.hidden = false;
      }
    } finally {
      busy = false;
      timer = setTimeout(refresh, Math.min(LONGEST_MS, everyMs * Math.max(1, failed)));
    }
  }

  timer = setTimeout(refresh, everyMs);
  document.addEventListener("visibilitychange", refresh);
  addEventListener("online", refresh);
  // The stream says when to look; what is shown is always the page's own.
  for (const address of (live.dataset.events || "").split(" ").filter(Boolean)) {
    new EventSource(address).addEventListener("message", refresh);
  }
}
