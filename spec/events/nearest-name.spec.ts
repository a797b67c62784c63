import { nearestName } from '../../lib/events/nearest-name';

describe('nearestName', () => {
  it.each([
    ['order.placd', ['order.paid', 'order.placed'], 'order.placed'],
    ['OrderPlaced', ['order.placed'], 'order.placed'],
    ['orderplased', ['order.paid', 'order.placed'], 'order.placed'],
    ['ordr.placed', ['order.placed'], 'order.placed'],
    ['order.viewed', ['order.placed'], undefined],
    ['billing.orders.sent', ['billing.orders.paid'], undefined],
    ['customer', ['custmer'], 'custmer'],
    ['a', ['b', 'c'], 'b'],
    ['__proto__', [], undefined],
  ])('of %p is, among %p, %p', (name, known, nearest) => {
    expect(nearestName(name, known)).toBe(nearest);
  });
});
