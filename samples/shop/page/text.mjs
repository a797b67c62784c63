const euro = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export function money(cents) {
  return euro.format(cents / 100);
}

export function element(id) {
  return document.getElementById(id);
}

/** Shows a text, and marks it for a moment where it replaces another. */
export function show(where, text) {
  if (where.textContent === text) return;
  const isFirst = where.textContent === '' || where.dataset.shown === undefined;
  where.textContent = text;
  where.dataset.shown = '';
  if (isFirst) return;
  where.classList.remove('moved');
  // Reading the width has the browser begin the animation anew.
  void where.offsetWidth;
  where.classList.add('moved');
}
