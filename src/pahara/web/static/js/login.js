// Logging in; where an account has a second factor, its code is asked for in the same place.
import { $, api, Refused, told, w, whenSpoken } from "./app.js";

const form = $("#login");
const wrong = $(".wrong", form);
let said = null;
whenSpoken(() => { if (said) wrong.textContent = said(); });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.hidden = true;
  form.querySelector("button.main").disabled = true;
  try {
    const { name, password, totp } = form.elements;
    await api("/login", { method: "POST", body: { name: name.value, password: password.value, totp: totp.value } });
    const next = new URLSearchParams(location.search).get("next") ?? "/";
    location.href = next.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
  } catch (problem) {
    if (problem instanceof Refused && problem.detail === "totp") {
      $(".code", form).hidden = false;
      form.elements.totp.focus();
    } else {
      const wait = problem.answer?.headers.get("retry-after");
      said = () => (!(problem instanceof Refused) ? w("web.offline") : wait ? w("web.wrong.too_often", { n: wait }) : told(problem));
      wrong.textContent = said();
      wrong.hidden = false;
    }
  } finally {
    form.querySelector("button.main").disabled = false;
  }
});
