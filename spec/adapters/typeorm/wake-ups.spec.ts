import { Subject } from 'rxjs';
import { type Horizon, WakeUps } from '../../../lib/adapters/typeorm/wake-ups';
import type { Position } from '../../../lib/events/recorded-event';

const at = (position: string) => position as Position;

describe('WakeUps', () => {
  it('tell of nothing older than what was told while they looked', async () => {
    const looks: ((horizon: Horizon) => void)[] = [];
    const listen = (hear: () => void) => {
      hear();
      return () => undefined;
    };
    const wakeUps = new WakeUps(
      () => new Promise((resolve) => looks.push(resolve)),
      new Subject<Position>(),
      { announce: () => undefined, listen },
      undefined,
    );
    const heard: Position[] = [];
    wakeUps.appended().subscribe((position) => heard.push(position));
    wakeUps.tell(at('10'));
    looks[0]?.({ position: at('9'), isHeldBack: false });
    await new Promise((turn) => setImmediate(turn));
    wakeUps.close();
    expect(heard).toStrictEqual(['10', '10']);
  });
});
