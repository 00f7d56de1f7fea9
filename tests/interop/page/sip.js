// SIP over WebSocket (RFC 7118), as much as one phone needs that has one call at a time.

export const token = () => crypto.randomUUID().replaceAll("-", "").slice(0, 16);

async function hash(text) {
  const octets = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(octets)].map((each) => each.toString(16).padStart(2, "0")).join("");
}

/** A message as it came. */
export class Message {
  constructor(text) {
    const end = text.indexOf("\r\n\r\n");
    this.lines = text.slice(0, end).split("\r\n");
    this.body = text.slice(end + 4);
    const [first, second] = this.lines[0].split(" ");
    this.method = first === "SIP/2.0" ? "" : first;
    this.status = first === "SIP/2.0" ? Number(second) : 0;
  }

  all(name) {
    const begin = `${name.toLowerCase()}:`;
    const found = this.lines.filter((line) => line.toLowerCase().startsWith(begin));
    return found.map((line) => line.slice(begin.length).trim());
  }

  get(name) {
    return this.all(name)[0] ?? "";
  }
}

/** One connection, by which it registers, calls and is called. */
export class Sip {
  constructor({ server, domain, user, password }) {
    Object.assign(this, { domain, user, password });
    this.host = `${token()}.invalid`;
    this.finals = new Map();
    this.tags = new Map();
    this.requested = () => {};
    this.opened = new Promise((done, failed) => {
      this.socket = new WebSocket(server, "sip");
      this.socket.onopen = done;
      this.socket.onerror = () => failed(new Error(`no WebSocket to ${server}`));
    });
    this.socket.onmessage = ({ data }) => this.receive(new Message(data));
  }

  receive(message) {
    if (message.method) {
      this.requested(message);
    } else if (message.status >= 200) {
      this.finals.get(`${message.get("Call-ID")} ${message.get("CSeq")}`)?.(message);
    }
  }

  /** What requests of one dialog have in common; `to` may be changed once it is known. */
  dialog(to) {
    const from = `<sip:${this.user}@${this.domain}>;tag=${token()}`;
    return { from, to, id: token(), cseq: 0, routes: [], target: "" };
  }

  /** The dialog that a request to us began, seen from here. */
  dialogOf(request) {
    const routes = request.all("Record-Route");
    const target = request.get("Contact").match(/<(.*)>/)[1];
    const id = request.get("Call-ID");
    return { from: this.ownTo(request), to: request.get("From"), id, cseq: 0, routes, target };
  }

  /** The dialog after its 2xx. */
  established(dialog, answer) {
    dialog.to = answer.get("To");
    dialog.target = answer.get("Contact").match(/<(.*)>/)[1];
    dialog.routes = answer.all("Record-Route").reverse();
  }

  ownTo(request) {
    const [to, id] = [request.get("To"), request.get("Call-ID")];
    if (to.includes(";tag=")) return to;
    if (!this.tags.has(id)) this.tags.set(id, token());
    return `${to};tag=${this.tags.get(id)}`;
  }

  respond(request, status, body = "") {
    const lines = [
      `SIP/2.0 ${status}`,
      ...request.all("Via").map((via) => `Via: ${via}`),
      ...request.all("Record-Route").map((route) => `Record-Route: ${route}`),
      `From: ${request.get("From")}`,
      `To: ${this.ownTo(request)}`,
      `Call-ID: ${request.get("Call-ID")}`,
      `CSeq: ${request.get("CSeq")}`,
      this.contact,
    ];
    this.write(lines, body);
  }

  get contact() {
    return `Contact: <sip:${this.user}@${this.host};transport=ws>`;
  }

  write(lines, body) {
    if (body) lines.push("Content-Type: application/sdp");
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`);
    this.socket.send(`${lines.join("\r\n")}\r\n\r\n${body}`);
  }

  send(method, uri, dialog, cseq, branch, extra = [], body = "") {
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/WSS ${this.host};branch=${branch}`,
      "Max-Forwards: 70",
      ...dialog.routes.map((route) => `Route: ${route}`),
      `From: ${dialog.from}`,
      `To: ${dialog.to}`,
      `Call-ID: ${dialog.id}`,
      `CSeq: ${cseq} ${method}`,
      this.contact,
      ...extra,
    ];
    this.write(lines, body);
  }

  /** Ask and prove who we are if that is wanted; gives the final response. */
  async ask(method, uri, dialog, extra = [], body = "") {
    const answer = await this.once(method, uri, dialog, extra, body);
    const kind = { 401: ["WWW-Authenticate", "Authorization"] }[answer.status] ??
      { 407: ["Proxy-Authenticate", "Proxy-Authorization"] }[answer.status];
    const challenge = kind && answer.all(kind[0]).find((each) => each.includes("SHA-256"));
    if (!challenge) return answer;
    const proof = `${kind[1]}: ${await this.proof(method, uri, challenge)}`;
    return this.once(method, uri, dialog, [...extra, proof], body);
  }

  async once(method, uri, dialog, extra, body) {
    const [cseq, branch] = [++dialog.cseq, `z9hG4bK${token()}`];
    const answer = await new Promise((done) => {
      this.finals.set(`${dialog.id} ${cseq} ${method}`, done);
      this.send(method, uri, dialog, cseq, branch, extra, body);
    });
    if (method === "INVITE" && answer.status >= 300) {
      this.send("ACK", uri, { ...dialog, to: answer.get("To") }, cseq, branch);
    }
    return answer;
  }

  /** The ACK of a 2xx, which is a transaction of its own. */
  acknowledge(dialog) {
    this.send("ACK", dialog.target, dialog, dialog.cseq, `z9hG4bK${token()}`);
  }

  async proof(method, uri, challenge) {
    const part = (name) => challenge.match(new RegExp(`\\b${name}="?([^",]+)`))?.[1] ?? "";
    const [realm, nonce, cnonce] = [part("realm"), part("nonce"), token()];
    const secret = await hash(`${this.user}:${realm}:${this.password}`);
    const what = await hash(`${method}:${uri}`);
    const response = await hash(`${secret}:${nonce}:00000001:${cnonce}:auth:${what}`);
    return (
      `Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `algorithm=SHA-256, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"`
    );
  }
}
