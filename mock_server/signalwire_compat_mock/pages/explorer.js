"use strict";

function prepare(request) {
  // Else the browser answers a 401 by a dialogue of its own.
  request.credentials = "omit";
  // A field of the form that is empty is one that was not filled in.
  if (typeof request.body === "string" && request.method === "POST") {
    request.body = request.body.split("&").filter((pair) => !pair.endsWith("=")).join("&");
  }
  return request;
}

window.addEventListener("load", async () => {
  const { project, token } = await (await fetch("/docs/credentials")).json();
  document.getElementById("project").textContent = project;
  if (token) document.getElementById("token").textContent = token;
  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "full",
    defaultModelsExpandDepth: 1,
    displayRequestDuration: true,
    validatorUrl: null,
    requestInterceptor: prepare,
    onComplete: () => {
      if (!token) return;
      for (const [name, scheme] of ui.specSelectors.securityDefinitions() || []) {
        if (/^basic$/i.test(scheme.get("scheme"))) ui.preauthorizeBasic(name, project, token);
      }
    },
  });
});
