// From @nestjs/cqrs, step by step
export { type AppendUncommittedOptions, appendUncommitted } from './append-uncommitted';
export type { CqrsBridgeOptions } from './cqrs-bridge-options';
export { EventSourcingCqrsModule } from './event-sourcing-cqrs-module';
