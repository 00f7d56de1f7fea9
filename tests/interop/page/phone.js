// A phone in a page. Whoever opened it says over a WebSocket what it is to do, one thing after the other.

import { Sip } from "./sip.js";
import { Sound } from "./sound.js";

const asked = Object.fromEntries(new URLSearchParams(location.search));
let sip;
let sound;
let dialog;

/** What happened, in order, until somebody waits for it. */
class Happened {
  constructor() {
    this.news = [];
    this.told = () => {};
  }

  add(what) {
    this.news.push(what);
    this.told();
  }

  async next() {
    while (!this.news.length) await new Promise((done) => (this.told = done));
    return this.news.shift();
  }
}

const invites = new Happened();
const ends = new Happened();

async function requested(request) {
  const isOurs = dialog?.id === request.get("Call-ID");
  if (request.method === "INVITE" && isOurs) {
    sip.respond(request, "200 OK", await sound.answer(request.body)); // a renewed offer
  } else if (request.method === "INVITE") {
    sip.respond(request, "180 Ringing");
    invites.add(request);
  } else if (request.method !== "ACK") {
    sip.respond(request, isOurs || request.method === "OPTIONS" ? "200 OK" : "481 Unknown");
    if (isOurs && request.method === "BYE") await finish();
  }
}

async function finish() {
  dialog = undefined;
  await sound.close();
  ends.add("BYE");
}

async function renew(direction) {
  sound.transceiver.direction = direction;
  const answer = await sip.ask("INVITE", dialog.target, dialog, [], await sound.offer());
  if (answer.status === 200) {
    sip.acknowledge(dialog);
    await sound.accept(answer.body);
  }
  return answer.status;
}

const actions = {
  /** Connect and register; the status. */
  async register() {
    sip = new Sip(asked);
    sip.requested = requested;
    await sip.opened;
    const own = sip.dialog(`<sip:${asked.user}@${asked.domain}>`);
    return (await sip.ask("REGISTER", `sip:${asked.domain}`, own, ["Expires: 600"])).status;
  },

  /** Call a number; the final status. */
  async call(number, codec) {
    sound = new Sound(Number(asked.pitch));
    sound.prefer(codec);
    const uri = `sip:${number}@${asked.domain}`;
    const begun = sip.dialog(`<${uri}>`);
    const answer = await sip.ask("INVITE", uri, begun, [], await sound.offer());
    if (answer.status === 200) {
      sip.established(begun, answer);
      dialog = begun;
      sip.acknowledge(dialog);
      await sound.accept(answer.body);
    }
    return answer.status;
  },

  /** Wait for a call and answer it; the offer. */
  async answer(codec) {
    const invite = await invites.next();
    sound = new Sound(Number(asked.pitch));
    const answer = await sound.answer(invite.body, codec);
    dialog = sip.dialogOf(invite);
    sip.respond(invite, "200 OK", answer);
    return invite.body;
  },

  heard: () => sound.heard(),
  press: (digits) => sound.press(digits),
  hold: () => renew("sendonly"),
  resume: () => renew("sendrecv"),

  /** End the call; the status of the BYE. */
  async hangUp() {
    const { status } = await sip.ask("BYE", dialog.target, dialog);
    await finish();
    await ends.next();
    return status;
  },

  /** Wait until the far end has ended it. */
  ended: () => ends.next(),
};

const steer = new WebSocket(`ws://${location.host}/steer`);
steer.onmessage = async ({ data }) => {
  const { what, how } = JSON.parse(data);
  try {
    steer.send(JSON.stringify({ done: (await actions[what](...how)) ?? null }));
  } catch (error) {
    steer.send(JSON.stringify({ failed: String(error?.stack ?? error) }));
  }
};
