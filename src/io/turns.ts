/** Work on one place after the other, in the order of the calls; other places do not wait. */
export class Turns<Place> {
  private readonly last = new Map<Place, Promise<void>>();

  /** Runs `work` when all earlier work on this place has ended, well or badly. */
  take<T>(place: Place, work: () => Promise<T>): Promise<T> {
    const turn = (this.last.get(place) ?? Promise.resolve()).then(work);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.last.set(place, ended);
    void ended.then(() => {
      if (this.last.get(place) === ended) this.last.delete(place);
    });
    return turn;
  }
}
