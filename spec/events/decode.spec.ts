import { Type } from 'class-transformer';
import { Event, InMemoryEventStore, type RecordedEvent } from 'eventfold';
import { decode } from '../../lib/events/decode';
import { createEvent } from '../../lib/metadata/create-event';

class Part {
  size!: number;
}

@Event('assembled')
class Assembled {
  id!: string;
  state = 'new';
  @Type(() => Part) parts?: Part[];
}

async function recorded(data: object): Promise<RecordedEvent> {
  const store = new InMemoryEventStore();
  const { events } = await store.append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 'assembled', data }] }]);
  return events[0] as RecordedEvent;
}

describe('decode', () => {
  it('makes stored data an instance of its class, nested types included, and keeps the rest', async () => {
    const stored = await recorded({ id: 'a', parts: [{ size: 1 }] });
    const event = decode(stored, Assembled) as RecordedEvent<Assembled>;
    expect(event).toStrictEqual({ ...stored, data: createEvent(Assembled, { id: 'a', state: 'new', parts: [{ size: 1 }] }) });
    expect(event.data.parts?.[0]).toBeInstanceOf(Part);
  });

  it('gives what it makes frozen, as what it was given', async () => {
    const event = decode(await recorded({ id: 'a', parts: [{ size: 1 }] }), Assembled) as RecordedEvent<Assembled>;
    expect(() => Object.assign(event, { type: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(event.data.parts?.[0] as object, { size: 2 })).toThrow(TypeError);
  });

  it('returns an event that is an instance of the class already', async () => {
    const stored = await recorded(createEvent(Assembled, { id: 'a', state: 'old' }));
    expect(decode(stored, Assembled)).toBe(stored);
  });

  it('does not check the rules of today on the events of yesterday', async () => {
    expect(() => decode({ ...({} as RecordedEvent), data: { id: 5 } }, Assembled)).not.toThrow();
  });
});
