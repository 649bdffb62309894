/** How the limit of an endpoint follows its latency. */
export interface AdaptiveOptions {
  /** The limit never leaves these two; `min` is also how many are in flight while the latency without load is measured. */
  readonly min: number;
  readonly max: number;
  /** The limit before anything is known. */
  readonly start: number;
  /** How much slower than without load is no sign of a queue: 0.25 for a quarter. */
  readonly tolerance: number;
  /** Under unbroken load, the latency without it is measured anew about so often. */
  readonly probeMs: number;
}

/** An answer's status, the time until its head, and when it came. */
export interface Answered {
  readonly status: number;
  readonly headMs: number;
  readonly nowMs: number;
}

/** A limit is looked at again after so long, given so many answers. */
const WINDOW_MS = 100;
const WINDOW_SAMPLES = 10;
/** And after so many latencies without load. */
const WINDOW_LATENCIES = 2;
/** More answers in one window tell nothing more about its median. */
const MOST_SAMPLES = 128;
const PROBE_SAMPLES = 10;
/** As many as answer in this time have to do. */
const PROBE_PATIENCE_MS = 5_000;
/** Between one that a fallen limit asks for and the one before. */
const PROBE_GAP_MS = 5_000;
/** Probes of several gateways and endpoints shall not fall together. */
const PROBE_JITTER = 0.2;
/** In one window the limit falls to half at most; the square root is how far it may rise again. */
const STEEPEST = 0.5;
/** A failure is a sign of overload that latency may not show. */
const AFTER_FAILURE = 0.9;
/** How much of the way up the baseline goes with a window that was slower, without load. */
const UPWARDS = 0.1;

/**
 * How many attempts an endpoint can have in flight before they only wait in its own queues: a gradient on latency, as in Envoy's
 * adaptive concurrency filter and Netflix's concurrency-limits. Little's law is the reason why it works: beyond its capacity,
 * more in flight does not get more done, it only takes longer.
 *
 * In each window, `limit = limit × gradient + √limit` with `gradient = baseline × (1 + tolerance) / median`, within 0.5 and
 * what the tolerance allows. The square root is the head room for finding out whether there is more, so at rest the latency is
 * about `(1 + tolerance) / (1 − 1/√limit)` of the baseline. The median and not the mean: a few slow requests are no queue.
 *
 * The baseline is the median with little load: from windows in which at most half of the limit was in flight, and, when there are none for
 * `probeMs`, from a probe that lets the limit down to `min` for some ten answers. Without probes a latency that the queue itself
 * causes would become the new normal. A limit that has halved asks for a probe too: if the endpoint has become slower for another reason than
 * its load, fewer requests do not make it faster.
 */
export class AdaptiveLimit {
  readonly #random: () => number;
  #limit: number;
  #baselineMs: number | null = null;
  #window = new LatencyWindow();
  #windowBeganMs: number | null = null;
  #mostInFlight = 0;
  #failures = 0;
  #measuredMs = 0;
  #probeAfterMs = 0;
  #limitAtProbe = 0;
  #probe: Probe | null = null;

  /** `random` returns numbers in [0, 1). */
  constructor(options: AdaptiveOptions, random: () => number) {
    this.#random = random;
    this.#limit = options.start;
  }

  /** Most that may be in flight now. */
  value({ min, max }: AdaptiveOptions): number {
    return this.#probe !== null ? min : Math.min(Math.max(Math.floor(this.#limit), min), max);
  }

  began(inFlight: number): void {
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
  }

  failed(): void {
    this.#failures += 1;
  }

  /** `inFlight` counts this one. */
  answered({ status, headMs, nowMs }: Answered, inFlight: number, options: AdaptiveOptions): void {
    // A connection that is forwarded as it is: that it was made says nothing of the work behind it.
    if (status === 0) return;
    // Who turns a request away is fast, and it is no work that was done.
    if (status === 429 || status >= 500) {
      this.#failures += 1;
      return;
    }
    if (this.#windowBeganMs === null) this.#begin(nowMs, inFlight, options);
    if (this.#probe !== null) this.#probed(this.#probe, { headMs, nowMs, inFlight }, options);
    else this.#sampled({ headMs, nowMs, inFlight }, options);
  }

  #sampled({ headMs, nowMs, inFlight }: Sample, options: AdaptiveOptions): void {
    this.#window.add(headMs);
    if (nowMs - (this.#windowBeganMs as number) < this.#windowMs || this.#window.size < WINDOW_SAMPLES) return;
    this.#settle(this.#window.median(), options, nowMs);
    this.#mostInFlight = inFlight;
    if (this.#mustProbe(nowMs)) this.#beginProbe(nowMs, options);
    else this.#beginWindow(nowMs);
  }

  /** What a change of the limit does is seen one latency later: sooner, the next change would answer the same cause again. */
  get #windowMs(): number {
    return this.#baselineMs === null ? WINDOW_MS : Math.max(WINDOW_MS, WINDOW_LATENCIES * this.#baselineMs);
  }

  /** The first answer: nothing is known, so what it is without load comes first. */
  #begin(nowMs: number, inFlight: number, options: AdaptiveOptions): void {
    this.#beginWindow(nowMs);
    if (inFlight > options.min) this.#beginProbe(nowMs, options);
    else this.#measured(nowMs, options);
  }

  #settle(medianMs: number, options: AdaptiveOptions, nowMs: number): void {
    if (this.#baselineMs === null || this.#mostInFlight <= Math.max(options.min, this.#limit / 2)) {
      const before = this.#baselineMs ?? medianMs;
      this.#baselineMs = medianMs < before ? medianMs : before + (medianMs - before) * UPWARDS;
      this.#measured(nowMs, options);
    }
    const allowed = this.#baselineMs * (1 + options.tolerance);
    const gradient = medianMs === 0 ? 1 : Math.max(allowed / medianMs, STEEPEST);
    let next = this.#limit * gradient + Math.sqrt(this.#limit);
    if (this.#failures > 0) next = Math.min(next, this.#limit * AFTER_FAILURE);
    // Half of the limit was never needed: no latency says that more would do.
    if (next > this.#limit && this.#mostInFlight < this.#limit / 2) return;
    this.#limit = Math.min(Math.max(next, options.min), options.max);
  }

  #mustProbe(nowMs: number): boolean {
    if (nowMs >= this.#probeAfterMs) return true;
    return this.#limit < this.#limitAtProbe / 2 && nowMs - this.#measuredMs >= PROBE_GAP_MS;
  }

  #beginWindow(nowMs: number): void {
    this.#windowBeganMs = nowMs;
    this.#window.clear();
    this.#failures = 0;
  }

  #beginProbe(nowMs: number, options: AdaptiveOptions): void {
    this.#probe = { toSkip: null, samples: new LatencyWindow(), endMs: nowMs + PROBE_PATIENCE_MS };
    this.#measured(nowMs, options);
  }

  #measured(nowMs: number, { probeMs }: AdaptiveOptions): void {
    this.#measuredMs = nowMs;
    this.#probeAfterMs = nowMs + probeMs * (1 + this.#random() * PROBE_JITTER);
    this.#limitAtProbe = this.#limit;
  }

  /** First what was sent before ends, then what was sent beside it, then the answers count. */
  #probed(probe: Probe, { headMs, nowMs, inFlight }: Sample, options: AdaptiveOptions): void {
    if (probe.toSkip === null) {
      if (inFlight <= options.min) probe.toSkip = options.min;
    } else if (probe.toSkip > 0) probe.toSkip -= 1;
    else probe.samples.add(headMs);
    if (probe.samples.size < PROBE_SAMPLES && nowMs < probe.endMs) return;
    if (probe.samples.size > 0) this.#baselineMs = probe.samples.median();
    this.#probe = null;
    this.#mostInFlight = inFlight;
    this.#measured(nowMs, options);
    this.#beginWindow(nowMs);
  }
}

interface Sample {
  readonly headMs: number;
  readonly nowMs: number;
  readonly inFlight: number;
}

/** The latency without load is being measured. */
interface Probe {
  /** Answers that do not count yet; `null` while more are in flight than the probe allows. */
  toSkip: number | null;
  readonly samples: LatencyWindow;
  readonly endMs: number;
}

/** Latencies of one window: the first `MOST_SAMPLES` of them. */
class LatencyWindow {
  readonly #samples: number[] = [];

  get size(): number {
    return this.#samples.length;
  }

  add(headMs: number): void {
    if (this.#samples.length < MOST_SAMPLES) this.#samples.push(headMs);
  }

  /** Of at least one. Orders the samples: once a window. */
  median(): number {
    this.#samples.sort((a, b) => a - b);
    return this.#samples[this.#samples.length >>> 1] as number;
  }

  clear(): void {
    this.#samples.length = 0;
  }
}
