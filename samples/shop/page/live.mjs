/** A browser gives up for good where a server answers anything but events, such as one that is just being replaced. */
const pauseMs = 2_000;

/**
 * Follows a list of the shop: first all of it, then each item that changes, whoever changed it. The browser connects again by
 * itself, and says where it was. A window that nobody sees is not connected: browsers have six connections for one shop, in all
 * windows.
 *
 * @param hear is called with each item.
 * @param tell is called with whether the connection is up.
 */
export function follow(path, hear, tell) {
  let source;
  let timer;
  const connect = () => {
    leave();
    if (document.hidden) return;
    source = new EventSource(path);
    source.addEventListener('all', ({ data }) => JSON.parse(data).forEach(hear));
    source.addEventListener('message', ({ data }) => hear(JSON.parse(data)));
    source.addEventListener('open', () => tell(true));
    source.addEventListener('error', ({ target }) => {
      tell(false);
      if (target.readyState === EventSource.CLOSED) timer = setTimeout(connect, pauseMs);
    });
  };
  const leave = () => {
    clearTimeout(timer);
    source?.close();
    tell(false);
  };
  document.addEventListener('visibilitychange', connect);
  connect();
}
