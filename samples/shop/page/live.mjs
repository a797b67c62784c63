/** A browser gives up for good where a server answers anything but events, such as one that is just being replaced. */
const pauseMs = 2_000;

/**
 * Follows a list of the shop: first all of it, then each item that changes, whoever changed it. The browser connects again by
 * itself, and says where it was.
 *
 * @param hear is called with each item.
 * @param tell is called with whether the connection is up.
 */
export function follow(path, hear, tell) {
  const source = new EventSource(path);
  source.addEventListener('all', ({ data }) => JSON.parse(data).forEach(hear));
  source.addEventListener('message', ({ data }) => hear(JSON.parse(data)));
  source.addEventListener('open', () => tell(true));
  source.addEventListener('error', () => {
    tell(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(path, hear, tell), pauseMs);
  });
}
