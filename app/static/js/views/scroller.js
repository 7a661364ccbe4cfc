/** The scroll position of a list that changes at both ends. */

const NEAR_PX = 60;
const EARLY_PX = 400;

/** @param {HTMLElement} element what scrolls @param {HTMLElement} list the rows in it */
export function createScroller(element, list) {
  const below = () => element.scrollHeight - element.scrollTop - element.clientHeight;

  /**
   * Change the rows, and scroll so that the first visible one stays where it is. Browsers do this by themselves, but
   * not all of them.
   * @param {() => void} change
   */
  function keepPlace(change) {
    const edge = element.getBoundingClientRect().top;
    const row = [...list.children].find((each) => each.getBoundingClientRect().bottom > edge);
    const top = row?.getBoundingClientRect().top ?? 0;
    change();
    if (row?.isConnected) element.scrollTop += row.getBoundingClientRect().top - top;
  }

  return {
    keepPlace,
    height: () => element.clientHeight,
    isAtEnd: () => below() < NEAR_PX,
    isNearEnd: () => below() < EARLY_PX,
    isNearStart: () => element.scrollTop < EARLY_PX,
    isFull: () => element.scrollHeight > element.clientHeight,
    toEnd: () => (element.scrollTop = element.scrollHeight),
  };
}
