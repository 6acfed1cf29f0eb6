"use strict";
// Everything that is shown goes in as text, never as HTML.
(() => {
  const find = (id) => document.getElementById(id);
  // Beside the directory of this script, whether or not the page's URL ends in a slash.
  const source = new URL("../openapi.json", document.currentScript.src).href;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  // Text in which `code` stands between backticks.
  function prose(text) {
    return (text ?? "").split("`").map((part, at) => (at % 2 === 1 ? make("code", {}, part) : part));
  }

  function resolver(doc) {
    return function resolve(part) {
      const ref = part?.$ref;
      if (!ref) return part ?? {};
      return resolve(ref.slice(2).split("/").reduce((at, step) => at?.[step], doc));
    };
  }

  const nameOf = (schema) => schema?.$ref?.split("/").pop();

  // What a schema allows, in a few words.
  function kind(schema, resolve) {
    if (schema.$ref) {
      const target = resolve(schema);
      const name = nameOf(schema);
      return target.type === "object" || target.allOf || target.oneOf ? name : `${kind(target, resolve)} (${name})`;
    }
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices) return choices.map((choice) => kind(choice, resolve)).join(" or ");
    if (schema.allOf) return "object";
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.join(", ");
    const types = [schema.type ?? "any"].flat();
    let text = types.map((type) => (type === "array" ? `list of ${kind(schema.items ?? {}, resolve)}` : type)).join(" or ");
    if (schema.format) text += `, ${schema.format}`;
    const { minimum, maximum, minLength, maxLength, maxItems } = schema;
    if (minimum !== undefined || maximum !== undefined) text += `, ${minimum ?? "…"} to ${maximum ?? "…"}`;
    if (minLength !== undefined || maxLength !== undefined) text += `, ${minLength ?? 0} to ${maxLength ?? "…"} characters`;
    if (maxItems !== undefined) text += `, at most ${maxItems}`;
    return text;
  }

  // The members of a schema, those of its parts together.
  function members(schema, resolve) {
    const target = resolve(schema);
    const parts = (target.allOf ?? []).map((part) => members(part, resolve));
    const own = { properties: target.properties ?? {}, required: target.required ?? [] };
    return [...parts, own].reduce((all, part) => ({
      properties: { ...all.properties, ...part.properties },
      required: [...all.required, ...part.required],
    }));
  }

  // The schema within a list or a choice whose members are worth showing.
  function inner(schema, resolve) {
    const target = resolve(schema);
    if (target.properties || target.allOf) return schema;
    const within = target.items ? [target.items] : target.oneOf ?? target.anyOf ?? [];
    for (const part of within) {
      const found = inner(part, resolve);
      if (found) return found;
    }
    return null;
  }

  // What is said of a member itself, else of its type.
  function about(property, resolve) {
    const choice = (property.oneOf ?? property.anyOf ?? []).find((part) => part.description);
    return property.description ?? choice?.description ?? resolve(property).description;
  }

  function fields(schema, resolve, depth) {
    const { properties, required } = members(schema, resolve);
    const rows = Object.entries(properties).map(([name, property]) => {
      const within = depth < 4 ? inner(property, resolve) : null;
      const more = within && make("details", {}, make("summary", {}, nameOf(within) ?? "members"));
      // Filled when it is opened: types may name each other.
      more?.addEventListener("toggle", () => more.childElementCount > 1 || more.append(fields(within, resolve, depth + 1)));
      return make("tr", {},
        make("th", { scope: "row" }, make("code", {}, name), required.includes(name) ? " *" : ""),
        make("td", {}, prose(about(property, resolve)), more),
        make("td", { class: "kind" }, kind(property, resolve)));
    });
    return make("table", {}, make("tbody", {}, rows));
  }

  function shape(title, schema, resolve) {
    const within = inner(schema, resolve);
    const list = resolve(schema).type === "array" ? "list of " : "";
    if (!within) return make("p", {}, `${title}: ${kind(schema, resolve)}`);
    return make("details", {}, make("summary", {}, `${title}: ${list}${nameOf(within) ?? "object"}`), fields(within, resolve, 0));
  }

  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const indented = (value) => JSON.stringify(value, null, 2);

  function curl(method, path, operation, resolve, security) {
    const parameters = (operation.parameters ?? []).map(resolve);
    const asked = parameters.filter((it) => it.in === "query" && it.required);
    const samples = { path: "/app/production/db", version: "1" };
    const query = asked.map((it) => `${it.name}=${samples[it.name] ?? it.name.toUpperCase()}`).join("&");
    const place = path.replace("{region}", "$STRONGROOM_REGION").replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase());
    const words = [`curl -sS${method === "get" ? "" : ` -X ${method.toUpperCase()}`} "$STRONGROOM_ADDR${place}${query && `?${query}`}"`];
    const schemes = (operation.security ?? security).flatMap(Object.keys);
    if (schemes.includes("bearer")) words.push('-H "Authorization: Bearer $STRONGROOM_TOKEN"');
    else if (schemes.includes("basic")) words.push('-u "$STRONGROOM_ACCESS_KEY:$STRONGROOM_ACCESS_SECRET"');
    if (parameters.some((it) => it.name === "X-Organisation-Identity")) words.push('-H "X-Organisation-Identity: $STRONGROOM_ORGANISATION"');
    const [media, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    if (media?.includes("json")) words.push(`-H 'Content-Type: ${media}'`, `-d ${quoted(JSON.stringify(content.example ?? {}))}`);
    else if (media) words.push(...Object.entries(content.example ?? {}).map(([name, value]) => `-d ${quoted(`${name}=${value}`)}`));
    return words.join(" \\\n  ").replace("curl -sS -X HEAD", "curl -sSI");
  }

  function copyable(text) {
    const code = make("pre", {}, text);
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        // Not allowed where the page came without TLS from another machine.
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    return make("div", { class: "curl" }, code, button);
  }

  function parameters(operation, resolve) {
    const all = (operation.parameters ?? []).map(resolve);
    if (!all.length) return null;
    const row = (it) => make("tr", {},
      make("th", { scope: "row" }, make("code", {}, it.name), it.required ? " *" : ""),
      make("td", {}, prose(it.description)),
      make("td", { class: "kind" }, `${it.in}, ${kind(it.schema ?? {}, resolve)}`));
    return [make("h4", {}, "Parameters"), make("table", {}, make("tbody", {}, all.map(row)))];
  }

  function body(operation, resolve) {
    const request = operation.requestBody;
    if (!request) return null;
    const [media, content] = Object.entries(request.content)[0];
    const title = `${Object.keys(request.content).join(" or ")}${request.required ? "" : ", may be left out"}`;
    return [make("h4", {}, "Body"), shape(title, content.schema, resolve),
      content.example && media.includes("json") ? make("pre", {}, indented(content.example)) : null];
  }

  function answers(operation, resolve) {
    const one = ([status, reference]) => {
      const answer = resolve(reference);
      const [media, content] = Object.entries(answer.content ?? {})[0] ?? [];
      const headers = Object.keys(answer.headers ?? {}).filter((name) => name !== "X-Request-Id");
      return make("tr", {},
        make("th", { scope: "row" }, status),
        make("td", {}, prose(answer.description),
          headers.length ? make("p", {}, "Headers: ", headers.join(", ")) : null,
          content && status < 400 ? shape(media, content.schema, resolve) : null,
          content?.example ? make("pre", {}, indented(content.example)) : null));
    };
    return [make("h4", {}, "Answers"), make("table", {}, make("tbody", {}, Object.entries(operation.responses).map(one)))];
  }

  function article(method, path, operation, resolve, doc) {
    return make("article", { id: operation.operationId },
      make("h3", {}, make("a", { href: `#${operation.operationId}` }, operation.summary)),
      make("p", { class: "place" }, make("span", { class: `method ${method}` }, method.toUpperCase()), path),
      operation.description ? make("p", {}, prose(operation.description)) : null,
      copyable(curl(method, path, operation, resolve, doc.security ?? [])),
      make("details", {}, make("summary", {}, "Parameters, body, answers"),
        parameters(operation, resolve), body(operation, resolve), answers(operation, resolve)));
  }

  function show(doc) {
    const resolve = resolver(doc);
    const entries = [];
    const groups = new Map(doc.tags.map((tag) => [tag.name, { tag, index: make("ul"), section: make("div", {}, make("h2", {}, tag.name), make("p", {}, tag.description)) }]));
    for (const [path, item] of Object.entries(doc.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const group = groups.get(operation.tags[0]);
        const link = make("li", {}, make("a", { href: `#${operation.operationId}` },
          make("span", { class: `method ${method}` }, method.toUpperCase()), operation.summary));
        const section = article(method, path, operation, resolve, doc);
        const words = [method, path, operation.operationId, operation.summary, operation.description, group.tag.name].join(" ").toLowerCase();
        entries.push({ words, link, section, group });
        group.index.append(link);
        group.section.append(section);
      }
    }
    find("about").replaceChildren(make("h2", {}, `${doc.info.title}: HTTP API, ${doc.info.version}`), make("p", {}, prose(doc.info.description)),
      make("p", {}, "The document: ", make("a", { href: source }, "openapi.json"), `, OpenAPI ${doc.openapi}. What must be there has a star.`));
    find("index").replaceChildren(...[...groups.values()].map((group) => (group.box = make("div", {}, make("h2", {}, group.tag.name), group.index))));
    find("operations").replaceChildren(...[...groups.values()].map((group) => group.section));

    const search = find("search");
    const filter = () => {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      const open = new Set();
      for (const entry of entries) {
        const fits = wanted.every((word) => entry.words.includes(word));
        entry.link.hidden = entry.section.hidden = !fits;
        if (fits) { count += 1; open.add(entry.group); }
      }
      for (const group of groups.values()) group.box.hidden = group.section.hidden = !open.has(group);
      find("count").textContent = `${count} of ${entries.length} operations`;
    };
    search.addEventListener("input", filter);
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
    });
    filter();
    if (location.hash) find(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }

  fetch(source)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`the server answered ${answer.status}`))))
    .then(show)
    .catch((error) => { find("operations").replaceChildren(make("p", { role: "alert" }, `openapi.json could not be shown: ${error.message}.`)); });
})();
