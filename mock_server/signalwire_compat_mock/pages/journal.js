"use strict";

const SHOWN = 200;
let version = null;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function table(pairs) {
  const made = element("dl", undefined, "pairs");
  for (const [name, value] of pairs) made.append(element("dt", name), element("dd", value));
  return made;
}

function subject(exchange) {
  const number = (exchange.form || []).find(([name]) => /^(Phone)?Number$/i.test(name));
  return [exchange.operation_id, number && number[1]].filter(Boolean).join(" ");
}

function outcome(exchange) {
  if (exchange.status === 0) return ["dropped", "bad"];
  return [String(exchange.status), exchange.status < 400 ? "good" : "bad"];
}

// The token is left to the shell: the journal does not have it.
function curl(exchange) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const path = exchange.path + (exchange.query && `?${exchange.query}`);
  const words = ["curl", "-X", exchange.method, quoted(location.origin + path)];
  for (const [name, value] of exchange.headers) {
    const [, project] = /^Basic (.*):\[redacted\]$/.exec(value) || [];
    if (name === "authorization" && project) words.push("-u", `${quoted(`${project}:`)}"$SIGNALWIRE_API_TOKEN"`);
    else if (name.startsWith("content-type") || name.startsWith("x-")) words.push("-H", quoted(`${name}: ${value}`));
  }
  if (exchange.body) words.push("--data-raw", quoted(exchange.body));
  return words.join(" ");
}

function copyButton(exchange) {
  const button = element("button", "Copy as curl");
  button.type = "button";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(curl(exchange));
    button.textContent = "Copied";
  });
  return button;
}

function row(exchange) {
  const item = element("li");
  const details = element("details");
  const summary = element("summary");
  const [status, look] = outcome(exchange);
  summary.append(
    element("span", status, `status ${look}`),
    element("span", exchange.method, "method"),
    element("span", subject(exchange), "subject"),
    element("time", new Date(exchange.at).toLocaleTimeString()),
    element("span", exchange.path, "path"),
  );
  if (exchange.fault) {
    const effect = exchange.carried_out ? "was carried out" : "was not carried out";
    summary.append(element("span", `Injected fault: ${exchange.fault}. The request ${effect}.`, "why"));
  }
  if (exchange.refusal) summary.append(element("span", exchange.refusal, "why"));
  details.append(summary);
  details.append(element("h2", "Request"), table(exchange.headers));
  if (exchange.query) details.append(element("pre", `?${exchange.query}`));
  if (exchange.form) details.append(table(exchange.form));
  else if (exchange.body) details.append(element("pre", pretty(exchange.body)));
  details.append(copyButton(exchange));
  details.append(element("h2", "Reply"), element("pre", pretty(exchange.reply_body)));
  for (const block of details.querySelectorAll("pre")) block.tabIndex = 0;
  item.append(details);
  return item;
}

function show(exchanges, total) {
  const list = document.getElementById("exchanges");
  const open = new Set([...list.querySelectorAll("details[open]")].map((d) => d.dataset.at));
  list.replaceChildren(
    ...exchanges.reverse().map((exchange) => {
      const item = row(exchange);
      const details = item.firstChild;
      details.dataset.at = exchange.at;
      details.open = open.has(exchange.at);
      return item;
    }),
  );
  const many = total === 1 ? "1 request" : `${total} requests`;
  const part = total > SHOWN ? `, showing the last ${SHOWN}` : "";
  document.getElementById("count").textContent =
    total ? many + part : "No requests yet";
}

function showNumbers(numbers) {
  const owned = Map.groupBy(numbers, (number) => number.account_sid);
  document.getElementById("numbers").replaceChildren(
    ...[...owned].flatMap(([account, held]) => [
      element("dt", `Owned by account ${account} (${held.length})`),
      element("dd", held.map((number) => number.phone_number).join(" ")),
    ]),
  );
}

function filter() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/);
  for (const item of document.querySelectorAll("#exchanges > li")) {
    const text = item.textContent.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
  }
}

async function look() {
  try {
    const headers = { accept: "application/json" };
    if (version) headers["if-none-match"] = version;
    const reply = await fetch(`/journal?last=${SHOWN}`, { headers, cache: "no-store" });
    if (reply.status === 200) {
      version = reply.headers.get("etag");
      show(await reply.json(), Number(reply.headers.get("journal-length")));
      showNumbers(await (await fetch("/journal/phone_numbers", { cache: "no-store" })).json());
      filter();
    }
  } catch {
    document.getElementById("count").textContent = "The mock is not responding";
    version = null;
  }
  setTimeout(look, 700);
}

document.getElementById("filter").addEventListener("input", filter);
document.getElementById("reset").addEventListener("click", () => {
  const question = "Forget all numbers, charges, faults and requests of this mock?";
  if (confirm(question)) fetch("/reset", { method: "POST" });
});
look();
