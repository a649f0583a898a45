/** How the line is, out of what the browser counts of it. */

export type Path = "udp" | "tcp" | "relay-udp" | "relay-tcp" | "websocket";

/** As the server is told it, `network-stats` in docs/page-protocol.md; null: not known. */
export interface NetworkStats {
  readonly rtt_ms: number | null;
  /** Which part of the packets was lost since the last look, in the worse direction. */
  readonly loss: number | null;
  readonly jitter_ms: number | null;
  readonly available_bps: number | null;
  readonly path: Path | null;
}

/** One entry of the W3C's "Identifiers for WebRTC's Statistics API". */
interface Stat {
  readonly id: string;
  readonly type: string;
  readonly [member: string]: unknown;
}

interface Count {
  readonly lost: number;
  readonly all: number;
}

/** Of fewer packets no part is told. */
const FEWEST = 20;

/** Remembers what was counted at the last look. */
export class StatsReader {
  private counts = new Map<string, Count>();

  read(report: { values(): Iterable<unknown> }): NetworkStats {
    const stats = new Map<unknown, Stat>();
    for (const stat of report.values() as Iterable<Stat>) stats.set(stat.id, stat);
    const all = [...stats.values()];
    const pair = selectedPair(all, stats);
    const voice = all.find(isOf("remote-inbound-rtp", "audio"));
    return {
      rtt_ms: inMs(voice?.roundTripTime) ?? inMs(pair?.currentRoundTripTime),
      loss: this.loss(all, stats),
      jitter_ms: inMs(all.find(isOf("inbound-rtp", "audio"))?.jitter),
      available_bps: number(pair?.availableOutgoingBitrate),
      path: pair ? pathOf(pair, stats) : null,
    };
  }

  private loss(all: Stat[], stats: Map<unknown, Stat>): number | null {
    const counts = new Map<string, Count>();
    let sent = NONE;
    let received = NONE;
    for (const stat of all) {
      const lost = number(stat.packetsLost);
      if (lost === null) continue;
      const isSent = stat.type === "remote-inbound-rtp";
      const arrived = number(stat.packetsReceived);
      const all = isSent
        ? number(stats.get(stat.localId)?.packetsSent)
        : arrived === null
          ? null
          : arrived + lost;
      if (all === null) continue;
      counts.set(stat.id, { lost, all });
      const since = difference(this.counts.get(stat.id), { lost, all });
      if (isSent) sent = sum(sent, since);
      else received = sum(received, since);
    }
    this.counts = counts;
    const parts = [sent, received].filter(({ all }) => all >= FEWEST).map(partOf);
    return parts.length > 0 ? Math.max(...parts) : null;
  }
}

const NONE: Count = { lost: 0, all: 0 };

/** A stream that is new, or counts anew, says nothing yet. */
function difference(before: Count | undefined, now: Count): Count {
  if (!before || now.all < before.all) return NONE;
  return { lost: now.lost - before.lost, all: now.all - before.all };
}

function sum(one: Count, other: Count): Count {
  return { lost: one.lost + other.lost, all: one.all + other.all };
}

/** What comes late after all is counted as not lost: there may be fewer than before. */
function partOf({ lost, all }: Count): number {
  return Math.min(Math.max(lost / all, 0), 1);
}

function isOf(type: string, kind: string): (stat: Stat) => boolean {
  return (stat) => stat.type === type && stat.kind === kind;
}

/** Firefox marks the pair itself. */
function selectedPair(all: Stat[], stats: Map<unknown, Stat>): Stat | undefined {
  const transport = all.find(({ type }) => type === "transport");
  return (
    stats.get(transport?.selectedCandidatePairId) ??
    all.find(({ type, selected }) => type === "candidate-pair" && selected === true)
  );
}

/** A relay of either side counts; what is between the other side and its own is not known here. */
function pathOf(pair: Stat, stats: Map<unknown, Stat>): Path | null {
  const local = stats.get(pair.localCandidateId);
  const remote = stats.get(pair.remoteCandidateId);
  if (!local) return null;
  if (local.candidateType === "relay")
    return local.relayProtocol === "udp" ? "relay-udp" : "relay-tcp";
  const protocol = local.protocol === "tcp" ? "tcp" : "udp";
  return remote?.candidateType === "relay" ? `relay-${protocol}` : protocol;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function inMs(value: unknown): number | null {
  const seconds = number(value);
  return seconds === null ? null : seconds * 1000;
}
