"use strict";
(() => {
  const { tracks } = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const [slider, play, turn] = ["step", "play", "direction"].map(element);
  const picture = element("picture");
  let track = 0;
  let timer = null;

  const show = (frame) => {
    const { frames, direction } = tracks[track];
    const at = Math.min(Math.max(frame, 0), frames.length - 1);
    const [marks, caption] = frames[at];
    picture.querySelector("g.step").outerHTML = marks;
    slider.max = frames.length - 1;
    slider.value = at;
    slider.setAttribute("aria-valuetext", caption);
    element("caption").textContent = caption;
    element("count").textContent = `${at + 1} of ${frames.length}`;
    picture.dataset.frame = at;
    picture.dataset.direction = direction;
  };
  const at = () => Number(slider.value);
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "play";
    play.setAttribute("aria-label", "play");
  };
  const start = () => {
    play.textContent = "pause";
    play.setAttribute("aria-label", "pause");
    timer = setInterval(() => show((at() + 1) % tracks[track].frames.length), 700);
  };
  const step = (frame) => {
    pause();
    show(frame);
  };
  const toggle = () => (timer === null ? start() : pause());
  const reverse = () => {
    if (tracks.length < 2) return;
    pause();
    track = 1 - track;
    turn.setAttribute("aria-pressed", String(track === 1));
    show(0);
  };

  slider.addEventListener("input", () => step(at()));
  play.addEventListener("click", toggle);
  element("previous").addEventListener("click", () => step(at() - 1));
  element("next").addEventListener("click", () => step(at() + 1));
  turn.addEventListener("click", reverse);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const onControl = event.target.closest("button, summary");
    const keys = {
      ArrowLeft: () => step(at() - 1),
      ArrowDown: () => step(at() - 1),
      ArrowRight: () => step(at() + 1),
      ArrowUp: () => step(at() + 1),
      Home: () => step(0),
      End: () => step(Infinity),
      t: reverse,
      T: reverse,
    };
    // A focused button keeps its own space bar.
    if (!onControl) keys[" "] = toggle;
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  show(0);
})();
