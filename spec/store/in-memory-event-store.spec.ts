import { EventSourcing, InMemoryEventStore } from 'eventfold';

describe('InMemoryEventStore', () => {
  it('keeps a given time', async () => {
    const store = new InMemoryEventStore();
    const { events } = await store.append([
      { stream: 'a', events: [{ type: 'x', data: {}, time: '2001-01-01T00:00:00Z' }], guard: { version: 'none' } },
    ]);
    expect(events[0]?.time).toBe('2001-01-01T00:00:00.000Z');
    expect(EventSourcing).toBeDefined();
  });
});
