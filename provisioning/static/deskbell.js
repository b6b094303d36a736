"use strict";
// Everything works without this file. It closes menus, guesses the time zone, leads to wrong fields, records a sentence,
// and looks again when the box says that something changed.
(() => {
  // One menu at a time; Escape gives the focus back to what opened it.
  const menus = () => document.querySelectorAll("details.more[open], .narrow details[open]");
  addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
  });

  // A new box is offered the time zone of the browser in front of it.
  const zones = document.querySelector("[data-guess]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zones && here !== zones.value && [...zones.options].some((each) => each.value === here)) {
    zones.value = here;
    document.querySelector("[data-guessed]").hidden = false;
  }

  // A link to a field that is folded away opens what is around it.
  addEventListener("click", (event) => {
    const link = event.target.closest(".problem a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    for (let around = field.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    event.preventDefault();
    if (!field.matches("input, select, textarea")) field.tabIndex = -1;
    field.focus();
  });
})();
(() => {
  // What the rules make of a number, while they are typed. The other fields stay here: one of them is a password.
  const rules = document.querySelector("[data-preview]");
  if (!rules) return;
  const shown = rules.querySelector("output"), button = rules.querySelector("button");
  button.parentElement.hidden = true;
  let waiting = 0;
  rules.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const typed = new URLSearchParams({ csrf: document.querySelector("[name=csrf]").value });
      for (const field of rules.querySelectorAll("input, select")) typed.append(field.name, field.value);
      const answer = await fetch(rules.dataset.preview, { method: "POST", body: typed }).catch(() => null);
      if (answer && answer.ok && !answer.redirected) shown.textContent = await answer.text();
    }, 250);
  });
})();
(() => {
  // How far a large file has come. The process of the page that takes it may be replaced meanwhile, since somebody signs
  // in; then it is sent once more.
  const pause = 3000;
  const send = (form, bar, status, tries) => {
    const sending = new XMLHttpRequest(), button = form.querySelector("button");
    sending.upload.addEventListener("progress", (at) => {
      bar.max = at.total;
      bar.value = at.loaded;
      status.textContent = `${Math.floor((100 * at.loaded) / at.total)} %`;
    });
    sending.addEventListener("error", () => {
      if (tries > 1) return setTimeout(send, pause, form, bar, status, tries - 1);
      bar.hidden = true;
      button.disabled = false;
      status.textContent = "The upload was cut off. Look whether the box can be reached, then upload the file again.";
    });
    sending.addEventListener("load", () => {
      if (sending.status < 400) return location.assign(sending.responseURL);
      const main = new DOMParser().parseFromString(sending.responseText, "text/html").getElementById("main");
      if (!main) return location.reload();
      document.getElementById("main").replaceWith(document.importNode(main, true));
      document.getElementById("main").focus();
    });
    sending.open("POST", form.action);
    bar.hidden = false;
    button.disabled = true;
    sending.send(new FormData(form));
  };
  addEventListener("submit", (event) => {
    const bar = event.target.querySelector("[data-upload]");
    if (!bar) return;
    event.preventDefault();
    send(event.target, bar, event.target.querySelector("[role=status]"), 3);
  });
})();
(() => {
  // A sentence of one's own goes into the file field, as the WAV file that the box takes.
  const button = document.querySelector("[data-records]");
  if (!button || !window.MediaRecorder || !navigator.mediaDevices) return;
  const field = document.getElementById(button.dataset.records);
  const status = document.querySelector("[data-recording]");
  for (const each of [button, status]) each.closest("[data-script]").hidden = false;
  const hertz = 16000, milliseconds = 5000;

  const taken = async () => {
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    const recorder = new MediaRecorder(microphone), parts = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    const over = new Promise((ended) => recorder.addEventListener("stop", ended));
    recorder.start();
    status.textContent = "Speak now. It records for five seconds.";
    setTimeout(() => recorder.stop(), milliseconds);
    await over;
    for (const track of microphone.getTracks()) track.stop();
    return new Blob(parts).arrayBuffer();
  };

  const plain = async (packed) => {
    const context = new OfflineAudioContext(1, (hertz * milliseconds) / 1000, hertz);
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(packed);
    source.connect(context.destination);
    source.start();
    return (await context.startRendering()).getChannelData(0);
  };

  const wav = (sound) => {
    const file = new DataView(new ArrayBuffer(44 + 2 * sound.length));
    const text = (at, letters) => [...letters].forEach((letter, n) => file.setUint8(at + n, letter.charCodeAt(0)));
    const long = (at, number) => file.setUint32(at, number, true), short = (at, number) => file.setUint16(at, number, true);
    text(0, "RIFF"), long(4, 36 + 2 * sound.length), text(8, "WAVEfmt "), long(16, 16), short(20, 1), short(22, 1);
    long(24, hertz), long(28, 2 * hertz), short(32, 2), short(34, 16), text(36, "data"), long(40, 2 * sound.length);
    sound.forEach((sample, n) => file.setInt16(44 + 2 * n, Math.max(-1, Math.min(1, sample)) * 32767, true));
    return new File([file], "recording.wav", { type: "audio/wav" });
  };

  let busy = false;
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    try {
      const files = new DataTransfer();
      files.items.add(wav(await plain(await taken())));
      field.files = files.files;
      status.textContent = "Recorded. Now let the box hear it.";
    } catch (fault) {
      status.textContent = `The microphone cannot be used (${fault.message}). Allow it in the browser, or choose a file.`;
    }
    busy = false;
  });
})();
(() => {
  const live = () => document.querySelectorAll("[data-live]");
  if (!live().length || !window.EventSource) return;

  // Make `old` say what `fresh` says, and leave alone what did not change: focus, open menus, a player that plays.
  // Children with an id are the same thing wherever they stand; others are matched by their place.
  const grow = (old, fresh) => {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    const own = (name) => name === "open" && old.tagName === "DETAILS";
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !own(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !own(name)) old.setAttribute(name, value);
    const staying = new Set([...fresh.children].map((each) => each.id).filter(Boolean));
    for (const each of [...old.children]) if (each.id && !staying.has(each.id)) each.remove();
    const named = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
    let next = old.firstChild;
    for (const each of [...fresh.childNodes]) {
      const isSame = next && !next.id && next.nodeType === each.nodeType && next.nodeName === each.nodeName;
      const match = each.id ? named.get(each.id) : isSame ? next : null;
      if (!match) old.insertBefore(document.importNode(each, true), next);
      else {
        if (match !== next) old.insertBefore(match, next);
        grow(match, each);
        next = match.nextSibling;
      }
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };

  // What changed is said once to those who listen to the page instead of seeing it.
  const said = document.getElementById("said");
  const stale = document.getElementById("stale");
  const warn = (text) => {
    if (stale.textContent !== text) stale.textContent = text;
    stale.hidden = !text;
  };

  const look = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected) return warn("You are signed out. Load this page again to sign in.");
    if (!answer.ok) return warn("The box does not answer. What you see may be old; this page looks again by itself.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    warn("");
    for (const part of live()) {
      const fresh = page.getElementById(part.id);
      if (!fresh) continue;
      const news = fresh.dataset.say;
      if (news && news !== part.dataset.say) said.textContent = news;
      const had = part.contains(document.activeElement);
      grow(part, fresh);
      // What had the focus is gone: the next Tab goes on from here, not from the top.
      if (had && document.activeElement === document.body) {
        part.tabIndex = -1;
        part.focus({ preventScroll: true });
      }
    }
  };

  // Several changes within half a second are one look, and looks follow each other.
  let waiting = false;
  let last = Promise.resolve();
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      last = last.then(look).catch(() => warn("The box cannot be reached. What you see may be old."));
    }, 500);
  };

  // Only what is seen listens: a browser opens six connections to a box, and each of its tabs would keep one.
  let source = null;
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource("/events");
    source.addEventListener("open", soon); // what changed while nobody listened
    source.addEventListener("error", () => {
      soon(); // the box may be restarting: say so, or find that it is well
      if (source && source.readyState === EventSource.CLOSED) {
        rest(); // refused rather than cut off: the browser does not come back by itself
        setTimeout(listen, 5000);
      }
    });
    for (const kind of ["agent", "registration", "session", "call", "settings", "webhook", "mail", "campaign", "update", "log"]) source.addEventListener(kind, soon);
  };
  const rest = () => {
    if (source) source.close();
    source = null;
  };
  const seen = () => (document.hidden ? rest() : (listen(), soon()));
  listen();
  addEventListener("visibilitychange", seen);
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => event.persisted && seen());
})();
