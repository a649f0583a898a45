/**
 * What `StatsReader` makes of real reports: those of Chromium in a call through coturn, two seconds
 * apart, of which the last two are from a line that has just become narrow.
 */
import { expect, test } from "vitest";
import { StatsReader } from "../src/network/stats";
import recorded from "./chromium-stats.jsonl?raw";

type Entry = { id: string; type: string } & Record<string, unknown>;

const REPORTS: Entry[][] = recorded
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** As `getStats()` gives it. */
const report = (entries: Entry[]) => new Map(entries.map((entry) => [entry.id, entry]));

/** A report in which entries of a type say something else. */
const changed = (type: string, changes: object) =>
  report(REPORTS[0]!.map((entry) => (entry.type === type ? { ...entry, ...changes } : entry)));

test("a good line, and a narrow one, as Chromium counted them", () => {
  const reader = new StatsReader();
  const read = REPORTS.map((entries) => reader.read(report(entries)));
  expect(read[0]).toEqual({
    rtt_ms: expect.closeTo(2.2, 1),
    loss: null, // nothing to compare with
    jitter_ms: 2,
    available_bps: 500_000,
    path: "relay-udp",
  });
  expect(read[1]!.loss).toBe(0);
  // 6 of 144 packets that were sent; then 52 of 147.
  expect(read[2]).toMatchObject({ loss: expect.closeTo(0.04, 2), available_bps: 100_000 });
  expect(read[2]!.rtt_ms).toBeGreaterThan(300);
  expect(read[3]!.loss).toBeCloseTo(0.35, 2);
});

test.each([
  [{ candidateType: "relay", relayProtocol: "udp" }, {}, "relay-udp"],
  [{ candidateType: "relay", relayProtocol: "tls" }, {}, "relay-tcp"],
  [{ candidateType: "host", protocol: "udp" }, {}, "udp"],
  [{ candidateType: "srflx", protocol: "tcp" }, {}, "tcp"],
  [{ candidateType: "host", protocol: "udp" }, { candidateType: "relay" }, "relay-udp"],
])("the path of %j and %j is %s", (local, remote, path) => {
  const entries = [...changed("local-candidate", local).values()].map((entry) =>
    entry.type === "remote-candidate" ? { ...entry, ...remote } : entry,
  );
  expect(new StatsReader().read(report(entries)).path).toBe(path);
});

test("until the first report of the other side the round trip is that of the connection's checks", () => {
  const entries = REPORTS[0]!.filter(({ type }) => type !== "remote-inbound-rtp");
  expect(new StatsReader().read(report(entries)).rtt_ms).toBe(1);
});

test("a browser that marks the pair, and does not know what it may send, is understood", () => {
  const entries = REPORTS[0]!
    .filter(({ type }) => type !== "transport")
    .map((entry) => {
      if (entry.type !== "candidate-pair") return entry;
      const { availableOutgoingBitrate, ...rest } = entry;
      return { ...rest, selected: availableOutgoingBitrate !== undefined };
    });
  const read = new StatsReader().read(report(entries));
  expect(read).toMatchObject({ available_bps: null, path: "relay-udp" });
});

test("what is not known is null", () => {
  expect(new StatsReader().read(new Map())).toEqual({
    rtt_ms: null,
    loss: null,
    jitter_ms: null,
    available_bps: null,
    path: null,
  });
});

test("a connection that counts anew has lost nothing yet", () => {
  const reader = new StatsReader();
  reader.read(report(REPORTS[3]!));
  expect(reader.read(report(REPORTS[0]!)).loss).toBeNull();
});

test("a packet that comes late after all is not less than nothing lost", () => {
  const reader = new StatsReader();
  reader.read(changed("remote-inbound-rtp", { packetsLost: 9 }));
  expect(reader.read(report(REPORTS[1]!)).loss).toBe(0);
});
