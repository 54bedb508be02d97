// The theme, before anything is painted; then the switch, the countdown, and one order for each click.
// It asks the server for nothing: a capture holds only what someone clicked.
"use strict";
(() => {
  const root = document.documentElement;
  const remembered = {
    get() { try { return localStorage.getItem("theme"); } catch { return null; } },
    // Where storage is forbidden the choice holds for this page.
    set(theme) { try { localStorage.setItem("theme", theme); } catch {} },
  };
  const theme = remembered.get();
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  function runSwitch(button) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remembered.set(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
    button.hidden = false;
  }

  function runCountdown(stage) {
    const clock = stage.querySelector(".clock");
    const bar = stage.querySelector("progress");
    const end = Date.now() + 1000 * Number(stage.dataset.seconds);
    function tick() {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      bar.value = bar.max - left;
      // The pot cuts its times to whole seconds: only a second later it is ready for sure.
      if (Date.now() < end + 1000) setTimeout(tick, 100);
      else finish(stage);
    }
    tick();
  }

  function finish(stage) {
    for (const image of stage.querySelectorAll("img[data-after]")) image.src = image.dataset.after;
    for (const title of stage.querySelectorAll("h1[data-after]")) title.textContent = document.title = title.dataset.after;
    const hadFocus = document.activeElement?.closest("[data-phase]");
    for (const part of stage.querySelectorAll("[data-phase]")) part.hidden = part.dataset.phase !== "after";
    if (hadFocus) stage.querySelector("[data-phase=after] :is(button, a)").focus();
  }

  function sendOnce(form) {
    let isSent = false;
    form.addEventListener("submit", (event) => {
      if (isSent) event.preventDefault();
      isSent = true;
    });
    addEventListener("pageshow", () => { isSent = false; });
  }

  document.addEventListener("DOMContentLoaded", () => {
    runSwitch(document.getElementById("theme"));
    document.querySelectorAll("[data-seconds]").forEach(runCountdown);
    document.querySelectorAll("form").forEach(sendOnce);
  });
})();
