import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createEvent, Event, EventSourcing, Handles, InMemoryEventStore, Reactor, type ReactorContext } from 'eventfold';
import { EventSourcingModule } from 'eventfold/nestjs';

@Event('post.ordered')
class Ordered {
  orderId!: string;
}

@Injectable()
class Post {
  readonly sent: string[] = [];
  /** Ends when something has been sent. */
  isOpen: Promise<void> = Promise.resolve();
  heard: () => void = () => undefined;
}

@Injectable()
class Stamps {
  price = 3;
}

@Injectable()
@Reactor({ from: 'now' })
class Mailer {
  constructor(private readonly post: Post) {}

  @Handles(Ordered)
  async ordered({ orderId }: Ordered, context: ReactorContext) {
    this.post.heard();
    await this.post.isOpen;
    this.post.sent.push(`${orderId} for ${context.resolve(Stamps).price}`);
  }
}

@Module({ imports: [EventSourcingModule.forFeature([Mailer])], providers: [Post, Stamps, Mailer], exports: [Post] })
class PostModule {}

describe('A reactor in NestJS', () => {
  it('is a provider, and is let through when the application shuts down', async () => {
    const imports = [EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), PostModule];
    const app = await (await Test.createTestingModule({ imports }).compile()).init();
    const [es, post] = [app.get(EventSourcing), app.get(Post)];
    await es.appendUnguarded('a', [createEvent(Ordered, { orderId: 'a' })]);
    await es.projections.caughtUp(Mailer);
    expect(post.sent).toStrictEqual(['a for 3']);

    let end = (): void => undefined;
    post.isOpen = new Promise((resolve) => {
      end = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      post.heard = resolve;
    });
    await es.appendUnguarded('b', [createEvent(Ordered, { orderId: 'b' })]);
    await begun;
    const closed = app.close();
    end();
    await closed;
    expect(post.sent).toStrictEqual(['a for 3', 'b for 3']);
  });
});
