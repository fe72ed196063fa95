"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The language: every phrase carries its number, every translated attribute a note "name:number".
  const buttons = all("[data-language]");
  const speak = (language) => {
    const table = words[language];
    document.documentElement.lang = language;
    for (const one of all("[data-w]")) one.textContent = table[one.dataset.w];
    for (const one of all("[data-a]")) {
      for (const note of one.dataset.a.split(" ")) {
        const [name, number] = note.split(":");
        one.setAttribute(name, table[number]);
      }
    }
    document.title = document.querySelector("title").dataset.title;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  };
  for (const button of buttons) button.addEventListener("click", () => speak(button.dataset.language));
  buttons[0].parentElement.hidden = false;

  // The tip: the words that a screen reader hears, and the picture of the card.
  const tip = document.querySelector(".tip");
  const [picture, sentence] = [tip.querySelector("img"), tip.querySelector("p")];
  const show = (one) => {
    sentence.textContent = one.getAttribute("aria-label");
    const target = one.getAttribute("href");
    const shot = target && document.getElementById(target.slice(1))?.querySelector("img");
    picture.hidden = !shot;
    if (shot) picture.src = shot.src;
    tip.hidden = false;
    const around = (one.querySelector(".dot, .column") ?? one).getBoundingClientRect();
    const left = around.left + around.width / 2 - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8)) + scrollX}px`;
    const above = around.top - tip.offsetHeight - 12;
    tip.style.top = `${(above > 8 ? above : around.bottom + 12) + scrollY}px`;
  };
  const hide = () => { tip.hidden = true; };
  for (const one of all("[data-tip]")) {
    one.addEventListener("pointerenter", () => show(one));
    one.addEventListener("pointerleave", hide);
    one.addEventListener("focus", () => show(one));
    one.addEventListener("blur", hide);
  }

  // The timeline: arrow keys go from alert to alert in order of time, Home and End to the first and last.
  const marks = all(".mark").sort((a, b) => parseFloat(a.querySelector(".dot").getAttribute("cx")) - parseFloat(b.querySelector(".dot").getAttribute("cx")));
  marks.forEach((mark, i) => mark.addEventListener("keydown", (key) => {
    const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: marks.length - 1 }[key.key];
    if (to === undefined || !marks[to]) return;
    key.preventDefault();
    marks[to].focus();
  }));

  // A link into folded cards unfolds them.
  const reveal = () => {
    hide();
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  for (const link of all('a[href^="#"]')) link.addEventListener("click", () => { if (link.getAttribute("href") === location.hash) reveal(); });
  reveal();

  // The viewer: one snapshot, as large as the window.
  const viewer = document.querySelector(".viewer");
  for (const button of all("[data-enlarge]")) {
    button.addEventListener("click", () => {
      const shot = button.querySelector("img");
      const large = viewer.querySelector("img");
      [large.src, large.alt] = [shot.src, shot.alt];
      viewer.querySelector("p").textContent = button.parentElement.querySelector(".why").textContent;
      viewer.showModal();
    });
  }
  viewer.addEventListener("click", (click) => { if (click.target === viewer) viewer.close(); });
  addEventListener("keydown", (key) => { if (key.key === "Escape") hide(); });

  // Paper cannot unfold anything.
  addEventListener("beforeprint", () => { for (const box of all("details")) box.open = true; });
})();
