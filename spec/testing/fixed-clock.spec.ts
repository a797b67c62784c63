import { EventSourcing, InMemoryEventStore, InvalidArgumentError } from 'eventfold';
import { fixedClock } from 'eventfold/testing';

describe('fixedClock', () => {
  it('stands still until it is moved', () => {
    const clock = fixedClock('2024-02-29T12:00:00Z');
    expect(clock()).toStrictEqual(new Date('2024-02-29T12:00:00Z'));
    expect(clock()).toStrictEqual(new Date('2024-02-29T12:00:00Z'));
    clock.advance(1_500);
    expect(clock()).toStrictEqual(new Date('2024-02-29T12:00:01.500Z'));
    clock.set('2001-01-01T00:00:00Z');
    expect(clock()).toStrictEqual(new Date('2001-01-01T00:00:00Z'));
  });

  it('begins at the start of 2020', () => {
    expect(fixedClock()().toISOString()).toBe('2020-01-01T00:00:00.000Z');
  });

  it('is not moved through a date that it gave', () => {
    const clock = fixedClock(0);
    clock().setFullYear(2000);
    expect(clock().getTime()).toBe(0);
  });

  it('is the clock of a store', async () => {
    const clock = fixedClock(0);
    const store = new InMemoryEventStore({ clock });
    const es = await EventSourcing.open({ store, classes: [], clock });
    clock.advance(1_000);
    const { events } = await store.append([{ stream: 'a', events: [{ type: 'x', data: {} }], guard: { version: 'none' } }]);
    expect(events[0]?.time).toBe('1970-01-01T00:00:01.000Z');
    await es.close();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '5' as never])('refuses to advance by %p', (ms) => {
    const clock = fixedClock(0);
    expect(() => clock.advance(ms)).toThrow(InvalidArgumentError);
    expect(clock().getTime()).toBe(0);
  });

  it.each(['tomorrow', new Date(Number.NaN), null as never, 8.65e15])('refuses to be set to %p', (time) => {
    const clock = fixedClock(0);
    expect(() => clock.set(time)).toThrow(InvalidArgumentError);
    expect(() => fixedClock(time)).toThrow(InvalidArgumentError);
    expect(clock().getTime()).toBe(0);
  });
});
