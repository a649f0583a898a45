import { useEffect, useRef } from "preact/hooks";

const INTERVAL_MS = 100;

/** Keeps `data-level` and `--level` of an element at a level, 0..1: what it looks like is CSS's. */
export function useLevel(level: () => number) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setInterval(() => {
      const now = level().toFixed(2);
      if (!element.current || element.current.dataset["level"] === now) return;
      element.current.dataset["level"] = now;
      element.current.style.setProperty("--level", now);
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [level]);
  return element;
}
