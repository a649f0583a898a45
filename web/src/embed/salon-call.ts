/**
 * `<salon-call server="https://salon.example.com" persona="companion">` for anybody's page: the
 * page of a Salon server in a frame, and what becomes of its call as `salon-state` events.
 *
 * A plain script, in one block: pages may load it from another origin without CORS, and twice.
 */
import type { Phase, StateMessage } from "./frame";

if (!customElements.get("salon-call")) {
  const STYLE =
    ":host{display:block;height:640px;min-height:320px}:host([hidden]){display:none}" +
    "iframe{width:100%;height:100%;border:0}p{margin:0;padding:1em;font:1em/1.5 system-ui}";
  /** A page that may not be shown says nothing at all. */
  const HELLO_TIMEOUT_MS = 15_000;

  const ENGLISH = {
    call: "A call with Salon",
    noServer: 'This call needs a server: <salon-call server="https://…">.',
    silent: (server: string) =>
      `${server} does not open here: check that it runs, and that SALON_ALLOWED_ORIGINS there has ${location.origin}.`,
  };
  const CHINESE: typeof ENGLISH = {
    call: "与 Salon 通话",
    noServer: '这个通话需要服务器地址：<salon-call server="https://…">。',
    silent: (server) =>
      `${server} 无法在此打开：请检查它是否在运行，以及它的 SALON_ALLOWED_ORIGINS 是否包含 ${location.origin}。`,
  };

  class SalonCall extends HTMLElement {
    static readonly observedAttributes = ["server", "persona", "language"];

    private readonly root = this.attachShadow({ mode: "open" });
    private readonly frame = document.createElement("iframe");
    private readonly sentence = document.createElement("p");
    private server = "";
    /** What is open; empty: nothing can be. */
    private address: string | null = null;
    private timer = 0;

    constructor() {
      super();
      const style = new CSSStyleSheet();
      style.replaceSync(STYLE);
      this.root.adoptedStyleSheets = [style];
      this.frame.allow = "microphone; camera; display-capture; autoplay; clipboard-read";
      this.frame.referrerPolicy = "origin";
      this.sentence.setAttribute("role", "alert");
    }

    connectedCallback(): void {
      window.addEventListener("message", this.onMessage);
      this.open();
    }

    disconnectedCallback(): void {
      window.removeEventListener("message", this.onMessage);
      clearTimeout(this.timer);
      this.address = null;
      this.frame.remove();
    }

    /** Several may change at once, and all are told before the element is first connected. */
    attributeChangedCallback(): void {
      queueMicrotask(() => this.open());
    }

    private open(): void {
      if (!this.isConnected) return;
      const url = this.url();
      const address = url?.href ?? "";
      if (address === this.address) return;
      clearTimeout(this.timer);
      this.address = address;
      if (!url) return this.fail(this.words.noServer);
      this.server = url.origin;
      this.frame.title = this.words.call;
      // Shown when it says something: until then it may be the browser's own page of an error.
      this.frame.style.visibility = "hidden";
      this.frame.src = url.href;
      this.root.replaceChildren(this.frame);
      this.timer = setTimeout(() => this.fail(this.words.silent(url.origin)), HELLO_TIMEOUT_MS);
    }

    private url(): URL | null {
      const server = this.getAttribute("server") ?? "";
      if (!/^https?:\/\//i.test(server) || !URL.canParse(server)) return null;
      const url = new URL("/?embed=1", server);
      for (const name of ["persona", "language"]) {
        const value = this.getAttribute(name);
        if (value) url.searchParams.set(name, value);
      }
      return url;
    }

    private get words(): typeof ENGLISH {
      const language = this.getAttribute("language") || navigator.language;
      return language.startsWith("zh") ? CHINESE : ENGLISH;
    }

    /** The frame stays, unseen: a slow server may still say something. */
    private fail(sentence: string): void {
      this.sentence.textContent = sentence;
      if (this.address) this.root.prepend(this.sentence);
      else this.root.replaceChildren(this.sentence);
      this.tell("failed", sentence);
    }

    private tell(state: Phase, reason?: string): void {
      const detail = { state, ...(reason && { reason }) };
      this.dispatchEvent(new CustomEvent("salon-state", { detail, bubbles: true }));
    }

    private readonly onMessage = ({ data, origin, source }: MessageEvent): void => {
      if (origin !== this.server || source !== this.frame.contentWindow) return;
      const message = data as StateMessage | null;
      if (message?.type !== "salon-state") return;
      clearTimeout(this.timer);
      this.sentence.remove();
      this.frame.style.visibility = "";
      this.tell(message.state);
    };
  }

  customElements.define("salon-call", SalonCall);
}
