"use strict";
// Looks up what was computed beforehand: which setting the sliders name, and its texts and pictures.
(async () => {
  const at = (id) => document.getElementById(id);
  const message = at("message"), main = at("shown"), slider = at("step"), play = at("play");

  async function loaded() {
    const data = JSON.parse(at("data").textContent);
    if (!("packed" in data)) return data;
    const bytes = Uint8Array.from(atob(data.packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  let data;
  try {
    data = await loaded();
  } catch (error) {
    message.textContent = "This browser cannot unpack the page; what is shown is its first setting.";
    message.hidden = false;
    return;
  }

  const inputs = data.controls.map((_, number) => at("control-" + number));
  let record = null, timer = null;

  function found() {
    let place = 0;
    data.controls.forEach((control, number) => {
      place = place * control.values.length + Number(inputs[number].value);
    });
    return data.settings[place];
  }

  function showStep() {
    const number = Math.min(Number(slider.value), record.steps.length - 1);
    at("place-steps").innerHTML = record.steps[number].map((part) => data.texts[part]).join("");
    at("step-value").textContent = (number + 1) + " of " + record.steps.length;
  }

  function show() {
    data.controls.forEach((control, number) => {
      const value = at("value-" + number), said = control.values[Number(inputs[number].value)];
      if (!value) return;
      value.textContent = said;
      inputs[number].setAttribute("aria-valuetext", said);
    });
    const chosen = found();
    const refused = "refusal" in chosen;
    // The last good picture stays, greyed out.
    main.classList.toggle("stale", refused);
    message.hidden = !refused;
    message.innerHTML = refused ? data.texts[chosen.refusal] : "";
    slider.disabled = play.disabled = refused;
    if (refused) return stop();
    record = chosen;
    for (const [name, text] of Object.entries(record.places)) {
      at("place-" + name).innerHTML = data.texts[text];
    }
    slider.max = record.steps.length - 1;
    showStep();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "play";
  }

  function next() {
    slider.value = Number(slider.value) < Number(slider.max) ? Number(slider.value) + 1 : 0;
    showStep();
  }

  inputs.forEach((input, number) => {
    input.value = data.start[number];
    input.addEventListener("input", show);
  });
  slider.addEventListener("input", () => { stop(); showStep(); });
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    play.textContent = "pause";
    timer = setInterval(next, 700);
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("controls").hidden = at("stepper").hidden = false;
  show();
  document.body.dataset.ready = "yes";
})();
