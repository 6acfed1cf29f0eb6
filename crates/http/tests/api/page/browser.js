"use strict";
// What the script of the page needs of a browser, and no more: anything else that it asks for is an error. `served` has what the server answers.
class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: {}, listeners: {}, hidden: false, value: "" });
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  append(...children) {
    for (const child of children) {
      // A browser would show the word.
      if (!(child instanceof Element) && typeof child !== "string") throw new Error(`${child} is put into <${this.tag}>`);
      this.children.push(child);
    }
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  get childElementCount() {
    return this.children.filter((child) => child instanceof Element).length;
  }

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }

  set textContent(text) {
    this.children = [text];
  }

  addEventListener(kind, listener) {
    (this.listeners[kind] ??= []).push(listener);
  }

  fire(kind) {
    for (const listener of this.listeners[kind] ?? []) listener({});
  }

  // It and everything within it, also what comes while it is walked.
  *all() {
    yield this;
    for (const child of this.children) if (child instanceof Element) yield* child.all();
  }

  scrollIntoView() {
    scrolledTo = this.attributes.id;
  }
}

const asked = [];
let copied = null;
let scrolledTo = null;
const places = new Map(served.ids.map((id) => [id, new Element("div")]));
const all = (test) => [...places.values()].flatMap((place) => [...place.all()]).filter(test);

const document = {
  currentScript: { src: served.script },
  getElementById: (id) => places.get(id) ?? all((element) => element.attributes.id === id)[0] ?? null,
  createElement: (tag) => new Element(tag),
  addEventListener: () => {},
};
const location = { hash: served.hash };
const navigator = { clipboard: { writeText: async (text) => { copied = text; } } };
const setTimeout = () => {};

class URL {
  constructor(relative, base) {
    const [, origin, path] = /^(https?:\/\/[^/]*)(\/.*)$/.exec(base);
    const steps = path.split("/").slice(0, -1);
    for (const step of relative.split("/")) step === ".." ? steps.pop() : steps.push(step);
    this.href = origin + steps.join("/");
  }
}

const fetch = async (address) => {
  asked.push(address);
  return { ok: served.status === 200, status: served.status, json: async () => JSON.parse(served.text) };
};
