"""What the index page runs to find words: it loads the shards of `word_store.py`, and works from a file too."""

from __future__ import annotations

from typing import Final

SCRIPT: Final = r"""
"use strict";
const S = {
  shards: {}, waiting: {}, pages: null,
  take(name, words) { S.shards[name] = words; },
  load(name) {
    if (!(name in S.waiting)) S.waiting[name] = new Promise(done => {
      const script = document.createElement("script");
      script.src = SEARCH + "/" + name + ".js";
      script.onload = script.onerror = () => done();
      document.head.append(script);
    });
    return S.waiting[name];
  },
  terms(text) {
    const found = [];
    for (const word of text.toLowerCase().normalize("NFC").match(/[\p{L}\p{N}]+/gu) || []) {
      const run = /[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+/g;
      for (const [part] of word.matchAll(run))
        if (part.length === 1) found.push(part);
        else for (let at = 0; at + 1 < part.length; at++) found.push(part.slice(at, at + 2));
      found.push(...word.replace(run, " ").split(" ").filter(rest => [...rest].length > 1));
    }
    return found;
  },
  names(term) {
    const other = "other-" + term.codePointAt(0) % 64;
    return /^[\x00-\x7f]+$/.test(term) ? [term.slice(0, 2), other] : [other];
  },
  pagesWith(term) {
    const found = new Set();
    for (const name of S.names(term))
      for (const [word, places] of Object.entries(S.shards[name] || {}))
        if (word.startsWith(term)) {
          let page = 0;
          for (const step of places) found.add(page += step);
        }
    return found;
  },
  async find(text) {
    const terms = S.terms(text);
    if (!terms.length) return [];
    await Promise.all(["pages", ...terms.flatMap(S.names)].map(S.load));
    let found = null;
    for (const term of terms) {
      const pages = S.pagesWith(term);
      found = found ? found.filter(page => pages.has(page)) : [...pages];
    }
    const known = S.shards.pages || {};
    return found.map(page => known[page]).filter(Boolean).sort((a, b) => (a[2] < b[2] ? 1 : a[2] > b[2] ? -1 : 0));
  },
};
if (typeof document !== "undefined") {
  const box = document.getElementById("search"), list = document.getElementById("found"), all = document.getElementById("all");
  box.hidden = false;
  let turn = 0;
  box.addEventListener("input", async () => {
    const mine = ++turn, found = await S.find(box.value);
    if (mine !== turn) return;
    all.hidden = S.terms(box.value).length > 0;
    list.replaceChildren(...found.slice(0, 500).map(([link, title, date]) => {
      const item = document.createElement("li"), time = document.createElement("time"), a = document.createElement("a");
      time.textContent = date;
      a.textContent = title;
      a.href = link;
      item.append(time, a);
      return item;
    }));
    document.getElementById("count").textContent = all.hidden ? found.length + " found" : "";
  });
}
"""
