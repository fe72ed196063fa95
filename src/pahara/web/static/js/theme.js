// Runs before the page is painted, so that a dark dashboard does not flash white.
(() => { try { const theme = localStorage.getItem("theme"); if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme; } catch { /* storage is off: the system's own choice counts */ } })();
