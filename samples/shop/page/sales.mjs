import { element, money, show } from './text.mjs';

const days = new Map();

/** Takes one day's sales, and draws the last seven days. */
export function drawSales(sales) {
  days.set(sales.day, sales);
  drawWeek(new Date());
}

function drawWeek(today) {
  const week = lastWeek(today).map((day) => days.get(day) ?? { day, orders: 0, items: 0, revenueCents: 0 });
  const now = week[6];
  show(element('orders'), String(now.orders));
  show(element('items'), String(now.items));
  show(element('revenue'), money(now.revenueCents));
  const most = Math.max(1, ...week.map(({ revenueCents }) => revenueCents));
  const chart = element('days');
  chart.replaceChildren(...week.map((day) => column(day, most)));
  const spoken = week.map(({ day, revenueCents }) => `${weekday(day)} ${money(revenueCents)}`).join(', ');
  chart.setAttribute('aria-label', `Revenue of the last seven days: ${spoken}`);
}

function column({ day, revenueCents }, most) {
  const part = document.createElement('div');
  part.className = 'day';
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.style.height = `${Math.round((Math.max(0, revenueCents) / most) * 100)}%`;
  part.append(bar, weekday(day));
  part.title = `${day}: ${money(revenueCents)}`;
  return part;
}

function weekday(day) {
  return new Date(`${day}T00:00Z`).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
}

function lastWeek(today) {
  return Array.from({ length: 7 }, (_, index) => {
    return new Date(today.getTime() - (6 - index) * 86_400_000).toISOString().slice(0, 10);
  });
}

drawWeek(new Date());
