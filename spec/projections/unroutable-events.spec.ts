import { Event, Handles, InMemoryEventStore, Projection, ProjectionId } from 'eventfold';
import { classModel } from '../../lib/metadata/class-model';
import { Documents } from '../../lib/projections/documents';
import type { ProjectionFailure } from '../../lib/projections/parked-event';
import { ProjectionClass } from '../../lib/projections/projection-class';

@Event('weighed')
class Weighed {
  scaleId!: string;
}

@Projection()
class Scale {
  @ProjectionId() scaleId!: string;

  @Handles(Weighed)
  weighed() {}
}

describe('an event that names no instance', () => {
  it('is parked and reported once, also when it comes again from a reader that starts over', async () => {
    const store = new InMemoryEventStore();
    const { events } = await store.append([{ stream: 's', events: [{ type: 'weighed', data: {} }], guard: { version: 'none' } }]);
    const failures: ProjectionFailure[] = [];
    const report = (failure: ProjectionFailure) => failures.push(failure);
    const documents = new Documents(new ProjectionClass(classModel(Scale)), {
      store,
      now: () => new Date(0),
      report,
      progressed: () => undefined,
    });
    for (const event of [...events, ...events]) documents.keepUnroutable(event, new Error('no scale'));
    expect(failures.map(({ event }) => event.id)).toStrictEqual([events[0]?.id]);
    expect(documents.parked()).toHaveLength(1);
    for (const instance of documents.parkedInstances()) await documents.skip(instance);
    for (const event of events) documents.keepUnroutable(event, new Error('no scale'));
    expect(documents.parked()).toStrictEqual([]);
    expect(documents.retrying).toBe(0);
  });
});
