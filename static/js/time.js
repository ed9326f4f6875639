// Times that move: "Yours for 8:42" counts down, "3 h ago" grows.
// <time data-seconds="522" data-over="time is up">8:42</time>   seconds from when the page was made
// <time data-ago datetime="2026-11-16T09:40:00Z">16 Nov, 09:40</time>   keeps the exact time as its title

const ends = new WeakMap();
const STEPS = [["d", 86400], ["h", 3600], ["min", 60]];

function clock(seconds) {
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${rest}`;
}

function ago(seconds) {
  if (seconds < 60) return "just now";
  const [unit, size] = STEPS.find(([, step]) => seconds >= step);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function countDown(element) {
  if (!ends.has(element)) ends.set(element, performance.now() + Number(element.dataset.seconds) * 1000);
  const left = Math.max(0, Math.round((ends.get(element) - performance.now()) / 1000));
  element.textContent = left || !element.dataset.over ? clock(left) : element.dataset.over;
  element.closest(".badge")?.classList.toggle("warn", left < 60);
}

function grow(element) {
  if (!element.dataset.exact) {
    element.dataset.exact = element.textContent.trim();
    element.title ||= element.dataset.exact;
  }
  const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
  if (seconds >= 0 && seconds < 14 * 86400) element.textContent = ago(seconds);
}

function tick() {
  document.querySelectorAll("[data-seconds]").forEach(countDown);
  document.querySelectorAll("time[data-ago]").forEach(grow);
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
