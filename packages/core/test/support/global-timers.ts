/**
 * Replaces `src/timers.ts` in tests that advance the time: the global timers as they are at each
 * call, faked or not.
 */
export function setTimeout(task: () => void, milliseconds: number): NodeJS.Timeout {
  return globalThis.setTimeout(task, milliseconds);
}

export function clearTimeout(timer: NodeJS.Timeout | undefined): void {
  globalThis.clearTimeout(timer);
}

export function setImmediate(task: () => void): NodeJS.Immediate {
  return globalThis.setImmediate(task);
}

export function nextTick(task: () => void): void {
  process.nextTick(task);
}

export function elapsed(): number {
  return performance.now();
}

export function setInterval(task: () => void, milliseconds: number): NodeJS.Timeout {
  return globalThis.setInterval(task, milliseconds);
}

export function clearInterval(timer: NodeJS.Timeout | undefined): void {
  globalThis.clearInterval(timer);
}
