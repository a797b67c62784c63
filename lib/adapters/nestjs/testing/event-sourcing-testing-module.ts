import type { DynamicModule } from '@nestjs/common';
import { InMemoryEventStore } from '../../../store/in-memory-event-store';
import { fixedClock } from '../../../testing/fixed-clock';
import { sequentialIds } from '../../../testing/sequential-ids';
import { EventSourcingModule } from '../event-sourcing-module';
import type { EventSourcingModuleOptions } from '../module-options';

/** What `EventSourcingTestingModule.forRoot` takes: as `EventSourcingModule.forRoot`, but for where events are kept. */
export type EventSourcingTestingOptions = Omit<EventSourcingModuleOptions, 'store' | 'dataSource' | 'storeOptions'>;

/**
 * Opens an `EventSourcing` in memory, in place of `EventSourcingModule.forRoot`: with {@link fixedClock} and {@link sequentialIds}
 * unless others are given, and projections that run at once, so that `compile()` is enough.
 *
 * @example
 * ```ts
 * const moduleRef = await Test.createTestingModule({ imports: [EventSourcingTestingModule.forRoot(), AccountsModule] }).compile();
 * ```
 */
export const EventSourcingTestingModule = {
  forRoot(options: EventSourcingTestingOptions = {}): DynamicModule {
    const { clock = fixedClock(), ids = sequentialIds() } = options;
    const store = new InMemoryEventStore({ clock, ids });
    return EventSourcingModule.rootOf({ ...options, clock, ids, store }, 'at once');
  },
};
