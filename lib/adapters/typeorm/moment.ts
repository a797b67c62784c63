let current: object | undefined;

/** @returns the same object until the event loop's turn ends or something is appended, in any store of the process. */
export function currentMoment(): object {
  if (current === undefined) {
    current = {};
    setImmediate(endMoment);
  }
  return current;
}

export function endMoment(): void {
  current = undefined;
}
