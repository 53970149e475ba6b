// Fetches the same fragment again every two seconds, while somebody is looking.
"use strict";

const glance = document.getElementById("glance");
const stale = document.getElementById("stale");
const EVERY_MS = 2000;

async function refresh() {
  try {
    const answer = await fetch(glance.dataset.from, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    // What is selected or has the focus is being read: it stays as it is until the next time.
    const isInUse = glance.contains(document.activeElement) || !getSelection().isCollapsed;
    if (!isInUse) glance.innerHTML = text;
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

async function keepFresh() {
  for (;;) {
    await new Promise((resume) => setTimeout(resume, EVERY_MS));
    if (!document.hidden) await refresh();
  }
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
keepFresh();
